"""Text that is not UTF-8 is an error in one line that names file and line."""

from pathlib import Path

import pytest

from s2st_interleave.__main__ import main
from s2st_interleave.align.words import read_words
from s2st_interleave.data import kaldi, tsv
from s2st_interleave.interop import kaldi_dir, timed, unit_files
from s2st_interleave.text_file import read_lines, read_text

READERS = {
    "kaldi": kaldi.read_table,
    "kaldi's": kaldi_dir.read,
    "text.km": lambda path: unit_files.read(path, "text"),
    "manifest": lambda path: unit_files.read(path.with_suffix(".km"), "fairseq"),
    "ctm": lambda path: timed.read(path, "ctm"),
    "words": read_words,
    "tsv": lambda path: list(tsv.rows(path)),
    "text": read_text,
}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_names_the_line(tmp_path, name):
    path = tmp_path / "x.tsv"
    (tmp_path / "x.km").write_text("1 2\n")
    good = '{"id": "a", "words": []}' if name == "words" else "u1 1 0.1 0.2 3"
    path.write_bytes(good.encode() + b"\nu2 1 0.1 0.2 caf\xe9\n")
    with pytest.raises(ValueError, match=r"x\.tsv:2: not UTF-8 \(.*: save the file as"):
        READERS[name](path)


def test_utf_16_of_a_spreadsheet_is_told(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("u1 café\n".encode("utf-16"))
    with pytest.raises(ValueError, match=r"x\.txt:1: not UTF-8 \(it begins as UTF-16"):
        list(read_lines(path))


@pytest.mark.parametrize("content", [b"a\rb", b"a\tb\rc\td\r"])
def test_lines_that_end_in_carriage_returns_alone_are_told(tmp_path, content):
    """A table of Kaldi was read as one utterance with all texts."""
    path = tmp_path / "x.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.txt: its lines end in carriage returns"):
        list(read_lines(path))
    path.write_bytes(content.replace(b"\r", b"\r\n"))
    assert len(list(read_lines(path))) == 2


def test_a_backslash_at_a_lines_end_does_not_hide_the_next_line(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("a\tone\\\nb\ttwo\\\\\nc\tth\\\tree\n")
    assert list(tsv.rows(path)) == [
        (1, ["a", "one\\"]),
        (2, ["b", "two\\"]),
        (3, ["c", "th\tree"]),
    ]


def test_marks_of_editors_are_no_text(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("\ufeffu1 a\u2028b\r\nu2 c".encode())
    assert list(read_lines(path)) == [(1, "u1 a\u2028b"), (2, "u2 c")]
    assert kaldi.read_table(path) == {"u1": "a\u2028b", "u2": "c"}


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252"])
def test_the_command_line_says_it_in_one_line(tmp_path, capsys, encoding):
    lines = ["id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text", "u\ta\tcafé\tb\tcoffee"]
    path = Path(tmp_path / "my.tsv")
    path.write_bytes("\n".join(lines).encode(encoding))
    words = f"own --tsv {path} --split train --src_lang es --data_dir {tmp_path}/d"
    assert main([*words.split(), "--audio_dir", str(tmp_path / "a")]) == 1
    error = capsys.readouterr().err
    assert f"{path}:" in error and "not UTF-8" in error and error.count("\n") == 1
