"""The files of the made corpus on disk."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from s2st_interleave.errors import UserError

LOCAL = Path(__file__).resolve().parents[2] / "egs" / "mini_cvss" / "local"
TINY = "--src es --num_train 6 --num_dev 2 --num_test 2 --num_text 40".split()


@pytest.fixture(scope="module")
def speaks(mini):
    """Skips, with the reason, where no English voice is installed."""
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed: apt-get install flite")


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(LOCAL / "make_corpus.py"), *TINY, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def contents(root: Path) -> dict[str, bytes]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text("utf-8").splitlines()]


def test_wrong_options_are_told(mini, tmp_path):
    assert "not true or false" in run("--out", str(tmp_path), "--overwrite", "1").stderr
    answer = run("--out", str(tmp_path), "--src", "xx")
    assert answer.returncode != 0 and "no lexicon for 'xx'" in answer.stderr


@pytest.fixture(scope="module")
def corpus(speaks, tmp_path_factory):
    """A tiny corpus in a folder whose name has a space."""
    root = tmp_path_factory.mktemp("made") / "mini corpus"
    answer = run("--out", str(root), "--nj", "2")
    assert answer.returncode == 0, answer.stderr
    return root


def test_tables_are_as_distributed(mini, corpus):
    es = corpus / "cv-corpus-4-2019-12-10" / "es"
    header, *clips = rows(es / "validated.tsv")
    assert header == mini.layout.VALIDATED
    assert {path.name for path in (es / "clips").iterdir()} == {c[1] for c in clips}
    covost = rows(corpus / "covost_v2.es_en.tsv")
    assert covost[0] == ["path", "translation", "split"]
    translation = {path: text for path, text, _ in covost[1:]}
    assert len(translation) == 10 and set(translation) == {clip[1] for clip in clips}
    assert {row[2] for row in covost[1:]} <= {"train", "train_covost", "dev", "test"}
    for split, size in {"train": 6, "dev": 2, "test": 2}.items():
        cvss = rows(corpus / "cvss_c_es_en_v1.0" / f"{split}.tsv")
        assert len(cvss) == size
        for path, text in cvss:
            assert text == mini.realise.normalise(translation[path])
            assert (corpus / "cvss_c_es_en_v1.0" / split / f"{path}.wav").is_file()
    for split, size in {"train": 40, "dev": 2}.items():
        for lang in ("es", "en"):
            assert len(rows(corpus / "text" / f"{split}.{lang}")) == size


def test_audio_and_word_times(mini, corpus):
    import soundfile

    src = {f.stem: f for f in corpus.glob("cv-corpus-4-2019-12-10/es/clips/*.mp3")}
    tgt = {f.name[:-8]: f for f in corpus.glob("cvss_c_es_en_v1.0/*/*.mp3.wav")}
    for lang, rate_hz, files in (("es", 48_000, src), ("en", 24_000, tgt)):
        text = (corpus / f"word_times.{lang}.jsonl").read_text("utf-8")
        times = {r["id"]: r["words"] for r in map(json.loads, text.splitlines())}
        assert len(times) >= 7
        for utt_id, path in files.items():
            samples, rate = soundfile.read(path)
            assert rate == rate_hz and samples.ndim == 1
            assert 0.3 < np.abs(samples).max() <= 1
            edges = [t for _, *word in times.get(utt_id, []) for t in word]
            assert edges == sorted(edges)
            assert all(0.05 < t < len(samples) / rate for t in edges)
            assert 1 < len(samples) / rate < 6


def test_rerun_keeps_or_refuses(corpus):
    before = contents(corpus)
    answer = run("--out", str(corpus), "--nj", "2")
    assert answer.returncode == 0 and "up to date" in answer.stdout
    answer = run("--out", str(corpus), "--seed", "2")
    assert answer.returncode != 0 and "seed 1 -> 2" in answer.stderr
    assert "--overwrite true" in answer.stderr
    assert contents(corpus) == before


@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_gives_the_same_bytes(
    mini, corpus, tmp_path, monkeypatch
):
    spoken = []

    def make_three(pair):
        if len(spoken) == 3:
            raise KeyboardInterrupt
        spoken.append(pair)
        mini.make_corpus._maker.make(pair)

    options = [*TINY, "--out", str(tmp_path)]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(mini.make_corpus, "make_pair", make_three)
        mini.make_corpus.main(options)
    assert not (tmp_path / "corpus.json").exists()
    before = {name: data for name, data in contents(tmp_path).items() if "mp3" in name}
    assert len(before) == 6
    kept = {name: (tmp_path / name).stat().st_mtime_ns for name in before}
    assert mini.make_corpus.main(options) == 0
    assert kept == {name: (tmp_path / name).stat().st_mtime_ns for name in before}
    assert contents(tmp_path) == contents(corpus)


@pytest.mark.slow
def test_english_that_another_corpus_said_gives_the_same_bytes(corpus, tmp_path):
    spoken, folders = tmp_path / "spoken", {}
    for src in ("pt", "es"):
        out = ["--out", str(tmp_path / src), "--spoken_dir", str(spoken)]
        answer = run("--src", src, *out)
        assert answer.returncode == 0, answer.stderr
        folders[src] = contents(spoken)
    assert folders["pt"] and folders["pt"] == folders["es"]
    assert contents(tmp_path / "es") == contents(corpus)


def test_sentences_of_two_clauses_are_longer_and_held_out_as_well(mini):
    options = mini.corpus_options.Options("pt", 6, 4, 4, 0, 1, "flite", clauses=2)
    pairs, _ = mini.make_corpus.compose(options)
    assert len(pairs) == 14
    for pair in pairs:
        assert " e " in pair.src_text and " and " in pair.tgt_text
        assert 11 <= len(pair.tgt_text.split()) <= 18, pair.tgt_text
    clauses = {
        split: {
            clause.strip(".").lower()
            for pair in pairs
            if pair.split == split
            for clause in pair.tgt_text.split(" and ")
        }
        for split in ("train", "dev", "test")
    }
    assert len(clauses["test"]) == 8
    assert not clauses["test"] & (clauses["train"] | clauses["dev"])


def test_a_corpus_of_single_clauses_is_what_it_was_before_there_were_more(mini):
    options = mini.corpus_options.Options("pt", 6, 4, 4, 0, 1, "flite")
    assert "clauses" not in options.identity
    with pytest.raises(UserError, match="--clauses must be 1 to 3"):
        mini.corpus_options.Options("pt", 6, 4, 4, 0, 1, "flite", clauses=0)
