"""Tables by id, and a validator that fails when it should."""

from pathlib import Path

import pytest

from s2st_interleave.__main__ import main
from s2st_interleave.data import kaldi, sides
from s2st_interleave.data.audio import write

SIDES = {"src": "es", "tgt": "en"}


@pytest.fixture
def data(tmp_path) -> kaldi.DataDir:
    import numpy as np

    folder = kaldi.DataDir(tmp_path / "da ta")
    folder.path.mkdir()
    sides.write(folder.path, SIDES)
    for role in SIDES:
        wav = tmp_path / f"it's {role}.wav"
        write(wav, np.zeros(160, dtype=np.float32))
        kaldi.write_table(
            folder.file("wav.scp", role), {"u1": str(wav), "u2": str(wav)}
        )
        kaldi.write_table(
            folder.file("text", role), {"u1": "NA", "u2": '"quoted" null'}
        )
        kaldi.write_table(folder.file("utt2dur", role), {"u1": "0.01", "u2": "0.01"})
    kaldi.write_table(folder.path / "utt2spk", {"u1": "s", "u2": "s"})
    kaldi.write_table(folder.path / "spk2utt", {"s": "u1 u2"})
    return folder


def validate(data: kaldi.DataDir) -> int:
    return main(["validate", "--data_dir", str(data.path), "--languages", "es en"])


def test_a_good_directory_is_valid(data):
    assert validate(data) == 0
    assert data.texts("en") == {"u1": "NA", "u2": '"quoted" null'}


def break_file(name: str, text: str):
    return lambda data: (data.path / name).write_text(text)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_file("text.src", "u1 uno\n"), "text.src: utterance u2 is missing"),
        (
            break_file("text.tgt", "u1 one\nu1 two\nu2 x\n"),
            "text.tgt:2: utterance u1 occurs twice",
        ),
        (break_file("text.tgt", "u1\nu2 two\n"), "text.tgt: utterance u1: no text"),
        (
            break_file("wav.scp.tgt", "u1 none.wav\nu2 none.wav\n"),
            "u1: no audio at none.wav",
        ),
        (break_file("utt2dur.src", "u1 long\nu2 0\n"), "utterance u1: duration 'long'"),
        (lambda data: (data.path / "utt2spk").unlink(), "utt2spk"),
        (break_file("spk2utt", "s u1\n"), "spk2utt: utterance u2 is missing"),
        (
            break_file("spk2utt", "s u1\nt u2\n"),
            "spk2utt: utterance u2: its speaker is t, in utt2spk 's'",
        ),
    ],
)
def test_a_bad_directory_fails_with_status_1(data, damage, message, capsys):
    """`lhotse validate` printed "Validation failed" and exited with 0."""
    damage(data)
    assert validate(data) == 1
    assert message in capsys.readouterr().err


def test_tables_are_sorted_and_keep_empty_values(tmp_path):
    path = tmp_path / "hyp"
    kaldi.write_table(path, {"b": "", "a": "x  y"})
    assert path.read_text() == "a x  y\nb\n"
    assert kaldi.read_table(path) == {"a": "x  y", "b": ""}


def test_an_id_with_a_space_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'a b'"):
        kaldi.write_table(tmp_path / "x", {"a b": "1"})
    assert not Path(tmp_path / "x").exists()


def test_directories_of_several_pairs_are_read_as_one(tmp_path):
    for src, tgt in (("fr", "en"), ("de", "en")):
        folder = tmp_path / src
        sides.write(folder, {"src": src, "tgt": tgt})
        for role, lang in (("src", src), ("tgt", tgt)):
            kaldi.write_table(folder / f"text.{role}", {f"{src}_1": f"hello {lang}"})
    dirs = kaldi.DataDirs((tmp_path / "fr", tmp_path / "de"))
    assert dirs.texts("en") == {
        ("en", "fr_1"): "hello en",
        ("en", "de_1"): "hello en",
    }
    assert dirs.texts("de") == {("de", "de_1"): "hello de"}
    with pytest.raises(ValueError, match=r"no side of .* is it"):
        dirs.texts("it")
    again = kaldi.DataDirs((tmp_path / "fr", tmp_path / "fr"))
    with pytest.raises(ValueError, match="fr_1 occurs in another"):
        again.texts("en")
