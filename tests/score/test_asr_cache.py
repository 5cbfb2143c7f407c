"""Audio is heard once, whoever asks; what failed is not kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from s2st_interleave.data import ark
from s2st_interleave.score import asr_cache
from s2st_interleave.score.asr import AsrOptions, batches
from s2st_interleave.score.records import AsrDescription

OPTIONS = AsrOptions(model="tiny.en")


@pytest.fixture
def recogniser(monkeypatch) -> list[str]:
    """A recogniser that says the file's content, and a list of the ids it was given."""
    asked: list[str] = []

    def transcribe(wavs, options, on_text):
        for utterance, path in wavs.items():
            asked.append(utterance)
            if path.read_text() == "broken":
                raise RuntimeError(utterance)
            on_text(utterance, path.read_text())

    about = AsrDescription("b", "1", "tiny.en", "0" * 64, "float32", "en")
    monkeypatch.setattr(asr_cache, "transcribe", transcribe)
    monkeypatch.setattr(asr_cache, "describe", lambda options: about)
    return asked


def make(folder: Path, **texts: str) -> dict[str, Path]:
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {name: folder / name for name in texts}


def test_the_same_audio_is_heard_once_and_other_audio_anew(recogniser, tmp_path):
    cache = tmp_path / "cache"
    first = make(tmp_path, a="one", b="two")
    assert asr_cache.recognise(first, OPTIONS, cache) == {"a": "one", "b": "two"}
    assert asr_cache.recognise(first, OPTIONS, cache) == {"a": "one", "b": "two"}
    assert recogniser == ["a", "b"]
    make(tmp_path, b="three")
    assert asr_cache.recognise(first, OPTIONS, cache)["b"] == "three"
    assert recogniser == ["a", "b", "b"]


def test_what_was_heard_is_one_line(recogniser, tmp_path):
    """A line feed was kept, and each rerun of stage 9 stopped at it again."""
    wavs = make(tmp_path, a="one\ntwo\r\n")
    for _ in range(2):
        assert asr_cache.recognise(wavs, OPTIONS, tmp_path / "c") == {"a": "one two"}


def test_a_failure_is_not_kept_and_what_was_heard_before_it_is(recogniser, tmp_path):
    cache = tmp_path / "cache"
    wavs = make(tmp_path, a="one", b="broken")
    with pytest.raises(RuntimeError, match="b"):
        asr_cache.recognise(wavs, OPTIONS, cache)
    make(tmp_path, b="mended")
    assert asr_cache.recognise(wavs, OPTIONS, cache) == {"a": "one", "b": "mended"}
    assert recogniser == ["a", "b", "b"]


@pytest.mark.parametrize("backend", ["faster-whisper", "transformers"])
def test_shares_hear_each_recording_once_in_the_batches_of_one_job(
    recogniser, tmp_path, backend
):
    options = replace(OPTIONS, backend=backend, batch_size=2)
    wavs = make(tmp_path, **{f"u{k}": "word " * (7 - k) for k in range(7)})
    together = batches(wavs, options)
    for k in (1, 2, 3):
        asr_cache.recognise(wavs, options, tmp_path / "cache", (k, 3))
    assert sorted(recogniser) == sorted(wavs)
    assert recogniser == [u for k in range(3) for part in together[k::3] for u in part]
    texts = asr_cache.recognise(wavs, options, tmp_path / "cache")
    assert list(texts) == list(wavs) and len(recogniser) == 7
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_a_batch_of_which_a_part_is_missing_is_heard_whole_again(recogniser, tmp_path):
    """So that its texts do not depend on where an earlier run has stopped."""
    options = replace(OPTIONS, backend="transformers", batch_size=2)
    wavs = make(tmp_path, a="1", b="22", c="333", d="4444", e="55555")
    asr_cache.recognise({u: wavs[u] for u in "bde"}, options, tmp_path / "cache")
    recogniser.clear()
    asr_cache.recognise(wavs, options, tmp_path / "cache")
    assert recogniser == ["a", "b", "c", "d"]


def test_audio_that_moved_into_an_archive_is_not_heard_again(recogniser, tmp_path):
    """The batches of recordings of other sizes stay the same as well."""
    cache = tmp_path / "cache"
    wavs = make(tmp_path, a="one", b="eleven", c="two")
    heard = asr_cache.recognise(wavs, OPTIONS, cache)
    places = {}
    with (tmp_path / "wav.1.ark").open("wb") as stream:
        for utterance, path in wavs.items():
            content = path.read_bytes()
            stream.write(f"{utterance} ".encode())
            places[utterance] = tmp_path / f"wav.1.ark:{stream.tell()}"
            stream.write(ark.head(len(content)) + content)
    assert asr_cache.recognise(places, OPTIONS, cache) == heard
    assert recogniser == ["a", "b", "c"]
    options = replace(OPTIONS, backend="transformers", batch_size=2)
    assert batches(places, options) == batches(wavs, options) == [["a", "c"], ["b"]]


@pytest.mark.parametrize("line", ["5", "null", '"ab"', "{}", '[["k"], "t"]', "[1, 2]"])
def test_a_line_that_is_no_key_and_text_counts_for_nothing(recogniser, tmp_path, line):
    """A line 5 was a TypeError."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "heard.0.jsonl").write_text(f"{line}\n")
    wavs = make(tmp_path, a="one")
    assert asr_cache.recognise(wavs, OPTIONS, cache) == {"a": "one"}
