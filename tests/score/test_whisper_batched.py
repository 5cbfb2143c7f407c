"""Batched Whisper by the rules of faster-whisper; real weights only where they are at hand."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_whisper import tiny_whisper

from s2st_interleave.errors import UserError
from s2st_interleave.score import whisper_batched, whisper_weights
from s2st_interleave.score.asr import AsrError, AsrOptions, describe, transcribe

FIRST = 20  # the token of 0.00 s in these tests
SENTENCES = (
    "the black cat sleeps under the old table",
    "the train to the city leaves at nine",
    "no",
)


def windows_of_faster_whisper(tokens: list[int], size: int):
    """What faster-whisper makes of a window: segments that count, and the next start."""
    from faster_whisper import WhisperModel

    segments, seek, _ = WhisperModel._split_segments_by_timestamps(
        SimpleNamespace(time_precision=0.02, input_stride=2),
        tokenizer=SimpleNamespace(timestamp_begin=FIRST),
        tokens=tokens,
        time_offset=0.0,
        segment_size=size,
        segment_duration=size / 100,
        seek=0,
    )
    return [s["tokens"] for s in segments if s["start"] != s["end"]], seek


def test_windows_are_cut_as_faster_whisper_cuts_them():
    generator = np.random.default_rng(1)
    cases = [[FIRST, 1, 2, FIRST + 5], [FIRST, 3, FIRST + 2, FIRST + 2, 4], [1, 2]]
    for _ in range(500):  # text with timestamps that do not fall, as the rules allow
        times = np.sort(generator.integers(FIRST + 1, FIRST + 60, 12)).tolist()
        tokens = [FIRST]
        while times and generator.random() < 0.9:
            tokens += generator.integers(0, FIRST, generator.integers(1, 4)).tolist()
            tokens += times[:1] * generator.integers(0, 3)
            times = times[1:]
        cases.append(tokens)
    for tokens in cases:
        expected = windows_of_faster_whisper(tokens, 400)
        assert whisper_batched.split(tokens, 400, FIRST) == expected, tokens


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny")


@pytest.fixture(scope="module")
def options(tiny) -> AsrOptions:
    return AsrOptions(str(tiny), device="cpu", backend="transformers", batch_size=3)


@pytest.fixture(scope="module")
def wavs(tmp_path_factory) -> dict[str, Path]:
    """Noises, one longer than a window."""
    from s2st_interleave.data import audio

    folder = tmp_path_factory.mktemp("noise")
    seconds = {"a": 1.0, "b": 31.5, "c": 0.4, "d": 2.0}
    for name, length in seconds.items():
        samples = np.random.default_rng(2).standard_normal(int(16000 * length))
        audio.write(folder / f"{name}.wav", 0.1 * samples.astype(np.float32))
    return {name: folder / f"{name}.wav" for name in seconds}


def test_texts_do_not_depend_on_batches_or_workers(options, wavs, monkeypatch):
    monkeypatch.setattr(whisper_batched, "MOST_TOKENS", 12)
    texts = transcribe(wavs, options)
    assert list(texts) == list(wavs) and all(texts.values())
    alone = replace(options, batch_size=1, num_workers=2)
    assert transcribe(wavs, alone) == texts


def test_the_backend_and_its_weights_are_described(options):
    about = describe(options)
    assert (about.backend, about.model) == ("transformers", "tiny")
    assert describe(replace(options, compute_type="float16")) != about


def test_a_recording_that_cannot_be_read_is_named(options, wavs, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"not audio")
    with pytest.raises(AsrError, match=r"utterance x: .*broken.wav .*cannot be read"):
        transcribe(wavs | {"x": broken}, options)


def test_what_the_backend_cannot_do_is_refused_in_a_line(options, wavs, tmp_path):
    with pytest.raises(UserError, match="does not know 'fr'"):
        transcribe(wavs, replace(options, language="fr"))
    with pytest.raises(
        UserError, match="int8: transformers computes in one of float32"
    ):
        transcribe(wavs, replace(options, compute_type="int8"))
    with pytest.raises(UserError, match="holds no Whisper"):
        describe(replace(options, model=str(tmp_path)))


def test_weights_that_are_cut_off_are_refused(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(b"\6\0\0\0\14\0WhisperSpec\0\3\0\0\0\2\0\0\0\1\0")
    (tmp_path / "config.json").write_text(
        '{"suppress_ids": [], "suppress_ids_begin": []}'
    )
    shutil.copy(os.devnull, tmp_path / "tokenizer.json")
    with pytest.raises(UserError, match=r"model.bin is broken"):
        whisper_weights._of_ctranslate(path)
    path.write_bytes(b"\6\0\0\0\16\0TransformerXX\0")
    with pytest.raises(UserError, match=r"holds no '?Whisper, but TransformerXX"):
        whisper_weights._of_ctranslate(path)


def test_ctranslate2_and_transformers_hear_the_same(tmp_path):
    weights = os.environ.get("S2ST_WHISPER", "")
    if not Path(weights, "model.bin").is_file() or not shutil.which("flite"):
        pytest.skip("S2ST_WHISPER names no folder of CTranslate2 weights, or no flite")
    wavs = {f"u{k}": tmp_path / f"u{k}.wav" for k in range(len(SENTENCES))}
    for path, text in zip(wavs.values(), SENTENCES, strict=True):
        subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", path], check=True)
    options = AsrOptions(weights, device="cpu", backend="transformers")
    sequential = transcribe(wavs, replace(options, backend="faster-whisper"))
    for batch_size in (2, 3):
        assert transcribe(wavs, replace(options, batch_size=batch_size)) == sequential
