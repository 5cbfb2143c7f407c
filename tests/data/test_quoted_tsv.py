"""Quotes of a program come off a TSV, quotes of its sentences stay."""

import csv
from pathlib import Path

import pytest

from s2st_interleave.data.tsv_corpus import read_utterances

NAMES = ("id", "src_audio", "src_text", "tgt_audio", "tgt_text", "split")
SAID = ['said "adeus"', "sim", '"Não"', "um, dois"]


def rows(texts: list[str]) -> list[list[str]]:
    """Training rows with these source texts, and one of dev and of test."""
    splits = ["train"] * len(texts) + ["dev", "test"]
    return [
        [f"u{k}", f"a{k}.wav", text, f"b{k}.wav", "yes", split]
        for k, (text, split) in enumerate(
            zip([*texts, "olá", "tchau"], splits, strict=True)
        )
    ]


def write(path: Path, texts: list[str]) -> Path:
    """As it stands: nothing is quoted."""
    lines = ["\t".join(row) for row in [list(NAMES), *rows(texts)]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def sources(path: Path) -> list[str]:
    by_split = read_utterances(path, ("src", "tgt"))
    return [utterance.sides["src"].text for utterance in by_split["train"]]


@pytest.mark.parametrize(
    "style", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]
)
def test_what_csv_quotes_is_read_as_it_was_meant(tmp_path, style, capsys):
    """And so pandas, which writes by it."""
    path = tmp_path / "x.tsv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, delimiter="\t", quoting=style)
        writer.writerows([NAMES, *rows(SAID)])
    by_split = read_utterances(path, ("src", "tgt"))
    assert [utterance.sides["src"].text for utterance in by_split["train"]] == SAID
    assert by_split["dev"][0].sides["src"].audio == tmp_path / "a4.wav"
    out = capsys.readouterr().out
    assert out.count(f"{path}: column src_text is in quotes, they are taken off") == 1


def test_what_r_quotes_with_backslashes_is_read_too(tmp_path):
    quoted = [
        "\t".join('"' + field.replace('"', '\\"') + '"' for field in row)
        for row in [list(NAMES), *rows(SAID)]
    ]
    path = tmp_path / "x.tsv"
    path.write_text("\n".join(quoted), encoding="utf-8")
    assert sources(path) == SAID


def test_what_excel_quotes_because_of_a_comma(tmp_path):
    texts = ['"um, dois"', "sim", '"a, e"', '"três, quatro"']
    path = write(tmp_path / "x.tsv", texts)
    assert sources(path) == ["um, dois", "sim", "a, e", "três, quatro"]


def test_a_file_quoted_whole_but_for_its_header(tmp_path):
    path = tmp_path / "x.tsv"
    lines = ["\t".join(f'"{field}"' for field in row) for row in rows(["sim", "não"])]
    path.write_text("\n".join(["\t".join(NAMES), *lines]), encoding="utf-8")
    assert sources(path) == ["sim", "não"]


@pytest.mark.parametrize(
    "texts",
    [
        ['"Adeus", said he', "sim"],
        ['"Sim." "Não."', "sim"],
        ['El "gato" dijo', "sim"],
        ['"Uma frase inteira."', "sim, não", "outra, e"],
        ['"Um, dois"', "três, quatro", '"Cinco, seis"', '"sete, oito"'],
        ['"Sim."', '"Não."'],
        ['""Sim""', "sim"],
        ['a tela de 5"', '"', '""'],
        ['"a ""b"""', '"Adeus", said he'],  # contradicts itself: left, and said
    ],
)
def test_quotes_of_a_sentence_stay(tmp_path, texts, capsys):
    assert sources(write(tmp_path / "x.tsv", texts)) == texts
    assert "taken off" not in capsys.readouterr().out


def test_sentences_in_quotes_that_stay_are_told(tmp_path, capsys):
    path = write(tmp_path / "x.tsv", ['"Sim."', "não"])
    read_utterances(path, ("src", "tgt"))
    assert f"{path}: column src_text has quotes of its own" in capsys.readouterr().out


def test_a_field_that_its_quoted_header_contradicts_is_named(tmp_path):
    path = write(tmp_path / "x.tsv", ['"Adeus", said he', "sim"])
    path.write_text(path.read_text().replace("src_text", '"src_text"'))
    with pytest.raises(ValueError, match=r"x\.tsv:2: column src_text is in quotes by"):
        read_utterances(path, ("src", "tgt"))
