"""Recognition by utterance id; real Whisper only where its weights are at hand."""

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.score import whisper_sequential
from s2st_interleave.score.asr import AsrError, AsrOptions, describe, transcribe
from s2st_interleave.score.normalize import Normalizer


@pytest.fixture
def recogniser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recogniser that hears the file's stem, and breaks on "broken"."""

    def recognise(path: Path) -> str:
        if path.stem == "broken":
            raise RuntimeError("invalid data found")
        return path.stem

    def load(options: AsrOptions) -> Callable[[Path], str]:
        return recognise

    monkeypatch.setattr(whisper_sequential, "_load", load)


@pytest.mark.parametrize("num_workers", [1, 4])
@pytest.mark.usefixtures("recogniser")
def test_texts_come_by_id_in_the_given_order(num_workers: int) -> None:
    wavs = {f"utt{index}": Path(f"text{index}.wav") for index in reversed(range(20))}
    texts = transcribe(wavs, AsrOptions(num_workers=num_workers))
    assert list(texts.items()) == [(key, path.stem) for key, path in wavs.items()]


@pytest.mark.parametrize("num_workers", [1, 4])
@pytest.mark.usefixtures("recogniser")
def test_exception_names_the_utterance_and_is_no_empty_string(num_workers: int) -> None:
    wavs = {f"utt{index}": Path(f"text{index}.wav") for index in range(20)}
    wavs["utt7"] = Path("broken.wav")
    with pytest.raises(AsrError, match=r"utt7: .*broken.wav .*invalid data") as caught:
        transcribe(wavs, AsrOptions(num_workers=num_workers))
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_nothing_to_recognise_loads_nothing() -> None:
    assert transcribe({}, AsrOptions(model="nowhere/at/all")) == {}


def test_bad_options_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="num_workers"):
        AsrOptions(num_workers=0)
    with pytest.raises(ValueError, match=r"no CTranslate2 weights"):
        describe(AsrOptions(model=str(tmp_path)))
    with pytest.raises(ValueError, match=r"large-v3"):
        describe(AsrOptions(model="no/such/folder"))


def test_want_of_memory_is_not_blamed_on_the_compute_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what else keeps a model from loading is."""
    (tmp_path / whisper_sequential.WEIGHTS_FILE).touch()
    options = AsrOptions(model=str(tmp_path))
    for said, kind in (("mkl_malloc: failed", RuntimeError), ("no int4", UserError)):

        def load(*_: object, said: str = said, **__: object) -> None:
            raise RuntimeError(said)

        monkeypatch.setattr("faster_whisper.WhisperModel", load)
        with pytest.raises(kind, match=said):
            whisper_sequential._load(options)


def test_description_holds_the_hash_but_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"weights")
    description = describe(AsrOptions(model=str(folder)))
    assert (description.backend, description.model) == ("faster-whisper", "tiny")
    assert description.weights_sha256.startswith("9a129038")


def test_real_whisper_reads_a_synthetic_voice(tmp_path: Path) -> None:
    weights = os.environ.get("S2ST_WHISPER", "")
    if not Path(weights, "model.bin").is_file():
        pytest.skip(
            "S2ST_WHISPER does not name a folder of CTranslate2 Whisper weights"
        )
    if shutil.which("flite") is None:
        pytest.skip("flite, which speaks the test sentences, is not installed")
    sentences = {
        "u1": "the black cat sleeps under the old table",
        "u2": "the train to the city leaves at nine",
    }
    wavs = {key: tmp_path / f"{key}.wav" for key in sentences}
    for key, text in sentences.items():
        subprocess.run(
            ["flite", "-voice", "slt", "-t", text, "-o", str(wavs[key])], check=True
        )
    options = AsrOptions(model=weights, device="cpu", num_workers=2)
    texts = transcribe(wavs, options)
    normalize = Normalizer("en").normalize
    assert {key: normalize(text) for key, text in texts.items()} == {
        key: normalize(text) for key, text in sentences.items()
    }
    one_worker = dataclasses.replace(options, num_workers=1)
    u1 = {"u1": wavs["u1"]}
    assert transcribe(u1, one_worker)["u1"] == texts["u1"], "workers cost time only"
    (tmp_path / "u1.wav").write_bytes(b"not audio")
    with pytest.raises(AsrError, match="u1"):
        transcribe(u1, one_worker)
