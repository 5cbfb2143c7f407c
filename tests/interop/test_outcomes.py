"""What is wrong with one utterance is its outcome: dropped from train, told in test."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from kaldi_copies import change, dropped, import_split

from s2st_interleave.data import kaldi
from s2st_interleave.files import read_json

SECONDS = {"u1": 1.0, "u2": 1.5, "u3": 2.0, "u4": 0.8}
RATE = ("--max_drop_rate", "0.25")


@pytest.fixture
def segmented(kaldi_copy) -> Path:
    """The source side as segments of one recording and, of u4, another."""
    folder = kaldi_copy / "es"
    rng = np.random.default_rng(3)
    for name, seconds in (("talk", 4.5), ("end", 0.8)):
        noise = 0.1 * rng.standard_normal(round(seconds * 16_000))
        soundfile.write(folder / f"{name}.wav", noise, 16_000, subtype="PCM_16")
    (folder / "wav.scp").write_text(f"talk {folder}/talk.wav\nend {folder}/end.wav\n")
    (folder / "segments").write_text(
        "u1 talk 0 1\nu2 talk 1 2.5\nu3 talk 2.5 4.5\nu4 end 0 -1\n"
    )
    return kaldi_copy


SEGMENTS = {
    "2.5 4.85 s is not within": ("talk 2.5 4.5", "talk 2.5 4.85"),
    "is no '<recording> <start> <end>'": ("talk 2.5 4.5", "talk 2.5"),
    "recording gone is not in": ("talk 2.5 4.5", "gone 2.5 4.5"),
    "3..2.5 s is not within": ("talk 2.5 4.5", "talk 3 2.5"),
    "nan..4.5 s is not within": ("talk 2.5 4.5", "talk nan 4.5"),
}


@pytest.mark.parametrize("reason", SEGMENTS)
def test_a_bad_segment_is_dropped_from_train(segmented, reason):
    change(segmented / "es" / "segments", *SEGMENTS[reason])
    assert import_split(segmented, "train", *RATE) == 0
    data = kaldi.DataDir(segmented.parent / "data" / "train")
    assert data.texts("es").keys() == {"u1", "u2", "u4"}
    ((name, reasons),) = dropped(data.path).items()
    assert name == "u3" and reason.replace("2.5 4.85", "2.5..4.85") in reasons
    assert read_json(data.path / "stage.json")["counts"]["in"] == 4


def test_a_bad_segment_of_test_is_named_or_silent(segmented, capsys):
    change(segmented / "es" / "segments", "talk 2.5 4.5", "talk 2.5 4.85")
    assert import_split(segmented, "test") == 1
    assert "u3: no audio, src is broken: " in capsys.readouterr().err
    assert import_split(segmented, "test", "--max_missing_rate", "0.25") == 0
    data = kaldi.DataDir(segmented.parent / "data" / "test")
    assert data.silent("es") == {"u3"} and len(data.texts("es")) == 4


@pytest.mark.parametrize("content", [None, b"<html>404</html>", b""])
def test_a_recording_that_is_lost_loses_its_segments_only(segmented, content):
    path = segmented / "es" / "end.wav"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert import_split(segmented, "train", *RATE) == 0
    assert dropped(segmented.parent / "data" / "train").keys() == {"u4"}


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("es/wav.scp", "u2 ", "u2 sox x.mp3 -t wav - | #", "is missing"),
        ("es/text", "u2\tLa casa roja.", "u2", "no words in the src text"),
        ("en/text", "u2\tthe red house\n", "", "en/text has no u2"),
        ("es/text", "u2\tLa casa roja.\n", "", "es/text has no u2"),
        ("es/text", "u2\t", "u2 otra\nu2\t", "text:3: u2 occurs twice"),
        ("en/text", "u2\t", "u/2\t", "not on both sides"),
    ],
)
def test_an_utterance_that_does_not_fit_together_is_dropped(
    kaldi_copy, name, old, new, reason
):
    change(kaldi_copy / name, old, new)
    assert import_split(kaldi_copy, "train", "--max_drop_rate", "0.5") == 0
    reasons = dropped(kaldi_copy.parent / "data" / "train")
    assert reason in reasons["u2"] and reasons.keys() <= {"u2", "u/2"}


def test_a_pipe_is_not_run(kaldi_copy):
    wav = kaldi_copy / "es" / "u2.wav"
    change(kaldi_copy / "es" / "wav.scp", str(wav), f"touch {kaldi_copy}/ran |")
    assert import_split(kaldi_copy, "train", *RATE) == 0
    assert not (kaldi_copy / "ran").exists()
    reasons = dropped(kaldi_copy.parent / "data" / "train")["u2"]
    assert reasons.startswith("no audio: ") and "which is not run" in reasons


def test_ids_of_two_sides_show_one_of_each(kaldi_copy, capsys):
    for utterance in SECONDS:
        change(kaldi_copy / "en" / "text", f"{utterance}\t", f"en-{utterance}\t")
    assert import_split(kaldi_copy, "train") == 1
    assert "has no u1 (it has 'en-u1')" in capsys.readouterr().err
    assert import_split(kaldi_copy, "test") == 1
    error = capsys.readouterr().err
    assert "first en-u1 (it has 'u1')" in error or "first u1 (it has 'en-u1'" in error


def test_ids_with_endings_on_one_side_are_the_same(kaldi_copy):
    for name in ("text", "wav.scp"):
        path = kaldi_copy / "en" / name
        lines = [f"{line[:2]}.mp3{line[2:]}" for line in path.read_text().splitlines()]
        path.write_text("\n".join(lines) + "\n")
    assert import_split(kaldi_copy, "test") == 0
    data = kaldi.DataDir(kaldi_copy.parent / "data" / "test")
    assert data.texts("en").keys() == SECONDS.keys()
