"""The corpora as distributed: what occurs in them, and how mistakes are explained."""

from pathlib import Path

import pytest

from s2st_interleave.data.corpus import Corpus, read_tsv

HEADER = "client_id\tpath\tsentence\n"


def make(root: Path, *, validated: str, covost: str, cvss: str) -> Corpus:
    for name in ("cv", "cvss"):
        (root / name).mkdir(parents=True)
    (root / "cv" / "validated.tsv").write_bytes((HEADER + validated).encode())
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
    assert [(p.id, p.src_text, p.tgt_text) for p in pairs] == [
        ("a", 'El "gato" dijo', "the cat"),
        ("b", "NA", "null"),
    ]
    assert pairs[0].tgt_audio == tmp_path / "cvss" / "train" / "a.mp3.wav"


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
    with pytest.raises(ValueError, match=r"first a\.mp3.*Common Voice version 4"):
        corpus.pairs("train")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path\tx\na.mp3\t1\na.mp3\t2\n", r"tsv:3: clip a\.mp3 occurs twice"),
        ("path\tx\na.mp3\n", r"tsv:2: 1 columns, not 2"),
        ("file\tx\n", r"tsv:1: no column 'path'"),
    ],
)
def test_a_bad_tsv_names_file_and_line(tmp_path, text, message):
    path = tmp_path / "bad.tsv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_tsv(path)


def test_a_backslash_escapes_and_a_quote_does_not_open_a_field(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text('path\tx\na.mp3\t"open\nb.mp3\ttab\\\there\n')
    assert [row["x"] for row in read_tsv(path)] == ['"open', "tab\there"]
