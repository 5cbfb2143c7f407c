"""A sentence is on one side of train and test, however it is written; else it is said."""

import unicodedata

import numpy as np
import pytest
import soundfile

from s2st_interleave.__main__ import main
from s2st_interleave.data.overlap import overlap
from s2st_interleave.data.tsv_corpus import hash_split, read_utterances
from s2st_interleave.files import read_json

COLUMNS = ("id", "src_audio", "src_text", "tgt_audio", "tgt_text")
SENTENCES = [f"Não, são {k} cafés" for k in range(100)]


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text + " ",
        lambda text: unicodedata.normalize("NFD", text),
        str.upper,
        lambda text: f"«{text.replace(',', '')}!»",
        lambda text: text.replace(" ", "\u00a0"),
        lambda text: text.replace("cafés", "ca\u00adfés\u200b"),
        lambda text: text.replace(" ", "  ", 1).lower(),
    ],
)
def test_copies_of_a_sentence_share_its_split(tmp_path, rewrite):
    lines = ["\t".join(COLUMNS)]
    for k, text in enumerate(SENTENCES):
        lines.append(f"a{k}\ta.wav\t{text}\tb.wav\tx{k}")
        lines.append(f"b{k}\ta.wav\t{rewrite(text)}\tb.wav\ty{k}")
    (tmp_path / "x.tsv").write_text("\n".join(lines), encoding="utf-8")
    pairs = read_utterances(tmp_path / "x.tsv", ("src", "tgt"))
    for split in pairs.values():
        ids = {pair.id for pair in split}
        originals, copies = ({i[1:] for i in ids if i[0] == part} for part in "ab")
        assert originals == copies
    texts = {k: {p.id: p.sides["src"].text for p in v} for k, v in pairs.items()}
    assert overlap(texts["test"], texts["train"]) == {}


def test_texts_without_a_sound_are_drawn_as_they_stand():
    assert len({hash_split("." * k) for k in range(1, 60)}) > 1
    assert overlap({"a": "..."}, {"b": "?"}) == {}


@pytest.fixture
def corpus(tmp_path):
    """Two of three test sentences are in train, one by its translation only."""
    soundfile.write(tmp_path / "a.wav", 0.1 * np.sin(np.arange(16_000)), 16_000)
    rows = [
        ("t1", "Olá!", "hello", "train"),
        ("t2", "adeus", "goodbye", "train"),
        ("d1", "sim", "yes", "dev"),
        ("x1", "olá ", "hi", "test"),
        ("x2", "tchau", "Goodbye.", "test"),
        ("x3", "não", "no", "test"),
    ]
    lines = ["\t".join((*COLUMNS, "split"))]
    lines += [f"{i}\ta.wav\t{s}\ta.wav\t{t}\t{split}" for i, s, t, split in rows]
    path = tmp_path / "my.tsv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def own(corpus, split: str) -> dict:
    out = corpus.parent / "data" / split
    words = f"own --tsv {corpus} --split {split} --src_lang pt --data_dir {out}"
    assert main([*words.split(), "--audio_dir", str(corpus.parent / split)]) == 0
    return read_json(out / "stage.json")["facts"]


def test_given_splits_that_overlap_are_counted_and_named(corpus, capsys):
    facts = own(corpus, "test")
    assert facts["in_train"] == {"test": {"src": 1, "tgt": 1}}
    out = capsys.readouterr().out
    assert "1 of 3 test utterances have their src text in train as well: x1 (train: t1)"
    assert "their tgt text in train as well: x2 (train: t2)" in out
    assert own(corpus, "dev")["in_train"] == {"dev": {"src": 0, "tgt": 0}}
    assert "as well" not in capsys.readouterr().out


def test_imported_splits_are_compared_with_those_beside_them(corpus, capsys):
    root = corpus.parent
    for split in ("test", "train"):
        own(corpus, split)
    capsys.readouterr()
    for split in ("test", "train"):
        kaldi = root / "data" / split
        words = f"import_data --src_dir {kaldi} --tgt_dir {kaldi} --src_lang pt"
        words += f" --split {split} --data_dir {root}/two/{split}"
        assert main([*words.split(), "--audio_dir", str(root / "au" / split)]) == 0
    assert "their src text in train as well: x1 (train: t1)" in capsys.readouterr().out
    facts = read_json(root / "two" / "train" / "stage.json")["facts"]
    assert facts["in_train"] == {"test": {"src": 1, "tgt": 1}}
