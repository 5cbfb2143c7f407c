"""The corpora as distributed: what occurs in them, and how mistakes are explained."""

from pathlib import Path

import pytest

from s2st_interleave.data import tsv
from s2st_interleave.data.corpus import (
    SOURCES,
    Corpus,
    check_id,
    check_source,
)
from s2st_interleave.data.text import clean, has_words
from s2st_interleave.errors import UserError

HEADER = "client_id\tpath\tsentence\n"


def make(
    root: Path, *, validated: str, covost: str, cvss: str, header: str = HEADER
) -> Corpus:
    for name in ("cv", "cvss"):
        (root / name).mkdir(parents=True)
    (root / "cv" / "validated.tsv").write_bytes((header + validated).encode())
    covost_path = root / "covost.tsv"
    covost_path.write_bytes(("path\ttranslation\tsplit\n" + covost).encode())
    for split in ("train", "dev", "test"):
        (root / "cvss" / f"{split}.tsv").write_bytes(cvss.encode())
    return Corpus(root / "cv", covost_path, root / "cvss")


def test_quotes_na_backslashes_crlf_and_bom_are_kept_or_cleaned(tmp_path):
    corpus = make(
        tmp_path,
        validated='s\ta.mp3\tEl "gato" dijo\r\ns\tb.mp3\tNA\r\n',
        covost='a.mp3\tThe "cat\ttrain\r\nb.mp3\tnull\ttrain\r\n',
        cvss="\ufeffa.mp3\tthe cat\r\nb.mp3\tnull\r\n",
    )
    pairs = corpus.pairs("train")
    assert [(p.id, *(speech.text for speech in p.sides.values())) for p in pairs] == [
        ("a", 'El "gato" dijo', "the cat"),
        ("b", "NA", "null"),
    ]
    assert pairs[0].sides["tgt"].audio == tmp_path / "cvss" / "train" / "a.mp3.wav"
    assert pairs[1].where == f"{tmp_path / 'cvss' / 'train.tsv'}:2"


def test_standard_and_extended_training_split(tmp_path):
    corpus = make(
        tmp_path,
        validated="s\ta.mp3\tuno\ns\tb.mp3\tdos\n",
        covost="a.mp3\tone\ttrain\nb.mp3\ttwo\ttrain_covost\n",
        cvss="a.mp3\tone\nb.mp3\ttwo\n",
    )
    assert [p.id for p in corpus.pairs("train")] == ["a"]
    assert [p.id for p in corpus.pairs("train", extended=True)] == ["a", "b"]


def test_another_version_of_common_voice_is_explained(tmp_path):
    corpus = make(
        tmp_path,
        validated="s\tz.mp3\tuno\n",
        covost="a.mp3\tone\ttrain\n",
        cvss="a.mp3\tone\n",
    )
    with pytest.raises(ValueError, match=r"first a\.mp3 .*has z\.mp3.*Voice version 4"):
        corpus.pairs("train")


def test_a_later_common_voice_is_told_by_its_columns(tmp_path):
    """Later versions hold most of the clips: pairing alone would not notice."""
    corpus = make(
        tmp_path,
        header="client_id\tpath\tsentence\tlocale\tsegment\n",
        validated="s\ta.mp3\tuno\tes\t\n",
        covost="a.mp3\tone\ttrain\n",
        cvss="a.mp3\tone\n",
    )
    with pytest.raises(
        ValueError, match=r"later Common Voice \(column 'locale'\).*-4-"
    ):
        corpus.pairs("train")


def test_a_clip_of_another_split_never_vanishes(tmp_path):
    corpus = make(
        tmp_path,
        validated="s\ta.mp3\tuno\ns\tb.mp3\tdos\n",
        covost="a.mp3\tone\ttest\nb.mp3\ttwo\tdev\n",
        cvss="a.mp3\tone\nb.mp3\ttwo\n",
    )
    message = (
        r"test\.tsv:2: clip b\.mp3 belongs to 'dev' in .*covost\.tsv:3, not to test"
    )
    with pytest.raises(ValueError, match=message):
        corpus.pairs("test")


def test_a_line_that_occurs_twice_is_one_and_a_contradiction_is_a_fault(tmp_path):
    corpus = make(
        tmp_path,
        validated="s\ta.mp3\tuno\ns\ta.mp3\tuno\ns\tb.mp3\tdos\n",
        covost="a.mp3\tone\ttrain\nb.mp3\ttwo\ttrain\n",
        cvss="a.mp3\tone\na.mp3\tone\nb.mp3\ttwo\nb.mp3\ttwice\n",
    )
    a, b = corpus.pairs("train")
    assert (a.sides["tgt"].text, a.fault) == ("one", "")
    assert b.fault.startswith("clip occurs twice: with other values in")
    assert b.fault.endswith("train.tsv:3 and 4")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"path\tx\na.mp3\n", r"tsv:2: 1 columns, not 2"),
        (b"file\tx\n", r"tsv:1: no column 'path'"),
        (b"path\tx\na.mp3\tcaf\xe9\n", r"tsv:2: not UTF-8"),
        (b"\xff\xfep\x00a\x00", r"tsv:1: not UTF-8"),
        (b"path\tx\na.mp3\t" + 200_000 * b"x" + b"\n", r"tsv:2: field larger"),
        (b"", r"tsv:1: no column 'path'"),
    ],
)
def test_a_bad_tsv_names_file_and_line(tmp_path, text, message):
    path = tmp_path / "bad.tsv"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=message):
        tsv.read(path, "path", ("x",))


def test_a_backslash_escapes_and_a_quote_does_not_open_a_field(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text('path\tx\na.mp3\t"open\nb.mp3\ttab\\\there\n')
    table = tsv.read(path, "path", ("x",))
    assert [row.values for row in table.values()] == [('"open',), ("tab\there",)]


def test_only_a_line_feed_ends_a_line(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_bytes("path\tx\na.mp3\tone\u2028two\x85three\rfour\n".encode())
    (row,) = tsv.read(path, "path", ("x",)).values()
    assert clean(row.values[0]) == "one two three four"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("cafe\u0301", "caf\u00e9"),
        ("\ufeffuno\u200b dos\u00ad", "uno dos"),
        ("uno\u00a0\u3000dos\x07tres", "uno dos tres"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",)
        * 2,  # Persian needs its joiner
        ("NA",) * 2,
        ("\u00a0\u200b", ""),
    ],
)
def test_unicode_is_made_uniform_and_no_word_changes(text, cleaned):
    assert clean(text) == cleaned


def test_what_counts_as_words():
    assert has_words("7") and has_words("\u4f60\u597d") and has_words("NA")
    assert not has_words("... \u00bf?! \u2014") and not has_words("")


def test_all_21_pairs_are_known_by_their_file_names():
    assert len(set(SOURCES)) == 21
    for language in SOURCES:
        check_source(language)
    with pytest.raises(ValueError, match="did you mean 'sv-SE'"):
        check_source("sv")


@pytest.mark.parametrize("name", ["", "a b", "../a", ".a", "a\tb", "x" * 201])
def test_an_id_must_be_a_name_of_a_file(name):
    with pytest.raises(ValueError, match=r"t\.tsv:7: .* is no id"):
        check_id(name, "t.tsv:7")


def test_an_id_that_safetensors_keeps_for_itself_passed_stage_1():
    """Stage 4 ended in a SafetensorError: it writes units by id."""
    with pytest.raises(ValueError, match=r"t\.tsv:7: '__metadata__' is no id: safe"):
        check_id("__metadata__", "t.tsv:7")
    check_id("__metadata", "t.tsv:7")


@pytest.mark.parametrize("split", ["train", "test"])
def test_clips_that_make_one_id_are_refused(tmp_path, split):
    """Of `c` and `c.mp3` one was lost, also of test, and nobody was told."""
    corpus = make(
        tmp_path,
        validated="s\tc\tuno\ns\tc.mp3\tdos\n",
        covost=f"c\tone\t{split}\nc.mp3\ttwo\t{split}\n",
        cvss="c\tone\nc.mp3\ttwo\n",
    )
    with pytest.raises(UserError, match=r"sv:2: its clip has the id c, as .*sv:1 has:"):
        corpus.pairs(split)


@pytest.mark.parametrize("speaker", ["", "a b"])
def test_a_speaker_without_a_name_is_told_with_its_line(tmp_path, speaker):
    """It failed after the audio was made, and named neither file nor line."""
    corpus = make(
        tmp_path,
        validated=f"s\ta.mp3\tuno\n{speaker}\tb.mp3\tdos\n",
        covost="a.mp3\tone\ttrain\nb.mp3\ttwo\ttrain\n",
        cvss="a.mp3\tone\nb.mp3\ttwo\n",
    )
    a, b = corpus.pairs("train")
    assert not a.fault
    line = f"{corpus.validated}:3"
    assert b.fault.startswith(f"no speaker: {line}: client_id {speaker!r} is empty or")
