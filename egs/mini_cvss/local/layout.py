"""Paths and tables of a made corpus.

Its layout is that in which Common Voice v4, CoVoST 2 and CVSS-C are distributed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realise import normalise

from s2st_interleave.files import atomic_write

TGT = "en"
COMMON_VOICE = "cv-corpus-4-2019-12-10"
SPLITS = ("train", "dev", "test")
VALIDATED = "client_id path sentence up_votes down_votes age gender accent".split()


@dataclass(frozen=True)
class Pair:
    """One utterance: its id, its split, and its two sentences."""

    utt_id: str
    split: str
    src_text: str
    tgt_text: str


@dataclass(frozen=True)
class Layout:
    """Paths below the corpus folder `root`; `src` is the source language."""

    root: Path
    src: str

    @property
    def common_voice(self) -> Path:
        return self.root / COMMON_VOICE / self.src

    @property
    def covost(self) -> Path:
        return self.root / f"covost_v2.{self.src}_{TGT}.tsv"

    @property
    def cvss(self) -> Path:
        return self.root / f"cvss_c_{self.src}_{TGT}_v1.0"

    @property
    def partial(self) -> Path:
        """The folder with word times of finished pairs, removed in a complete corpus."""
        return self.root / "partial"

    @property
    def done(self) -> Path:
        """The mark of a complete corpus, written last."""
        return self.root / "corpus.json"

    def mp3(self, pair: Pair) -> Path:
        """The clip of a pair's source."""
        return self.common_voice / "clips" / f"{pair.utt_id}.mp3"

    def wav(self, pair: Pair) -> Path:
        """The clip of a pair's translation."""
        return self.cvss / pair.split / f"{pair.utt_id}.mp3.wav"

    def word_times(self, lang: str) -> Path:
        """The table of true word times."""
        return self.root / f"word_times.{lang}.jsonl"

    def outputs(self) -> list[Path]:
        """All files and folders that a run writes, the mark of a complete corpus first."""
        times = [self.word_times(lang) for lang in (self.src, TGT)]
        folders = [self.root / COMMON_VOICE, self.cvss, self.root / "text"]
        return [self.done, self.partial, self.covost, *times, *folders]


def write_tables(
    pairs: Sequence[Pair], layout: Layout, voices: Mapping[str, str]
) -> dict[str, Any]:
    """Write all tables and the word times; return counts.

    `voices` are genders by voice. The clips of every pair must have been made.
    """
    records = {
        pair.utt_id: json.loads((layout.partial / f"{pair.utt_id}.json").read_text())
        for pair in pairs
    }
    clips = [VALIDATED]
    covost = [["path", "translation", "split"]]
    for pair in pairs:
        name, voice = f"{pair.utt_id}.mp3", records[pair.utt_id]["voice"]
        client = hashlib.sha512(voice.encode()).hexdigest()
        clips.append([client, name, pair.src_text, "2", "0", "", voices[voice], ""])
        covost.append([name, pair.tgt_text, covost_split(pair)])
    write_rows(layout.common_voice / "validated.tsv", clips)
    write_rows(layout.covost, covost)
    counts: dict[str, Any] = {}
    for split in SPLITS:
        chosen = [pair for pair in pairs if pair.split == split]
        rows = [[f"{pair.utt_id}.mp3", normalise(pair.tgt_text)] for pair in chosen]
        write_rows(layout.cvss / f"{split}.tsv", rows)
        counts[split] = len(chosen)
    for lang in (layout.src, TGT):
        timed = [
            json.dumps({"id": key, "words": record[lang]}, ensure_ascii=False)
            for key, record in records.items()
            if record[lang]
        ]
        write_lines(layout.word_times(lang), timed)
        counts[f"word_times.{lang}"] = len(timed)
    return counts


def covost_split(pair: Pair) -> str:
    """The split of a pair in CoVoST, which has a fifth of train in "train_covost"."""
    is_train = pair.split == "train"
    extended = is_train and int(pair.utt_id.rpartition("_")[2]) % 5 == 4
    return "train_covost" if extended else pair.split


def remove(paths: Iterable[Path]) -> None:
    """Remove files and folders, those that are there."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, by rename, so that it is never half written."""
    with atomic_write(path, "wb") as stream:
        stream.write(data)


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())


def write_lines(path: Path, lines: Iterable[str]) -> None:
    write_text(path, "".join(f"{line}\n" for line in lines))


def write_rows(path: Path, rows: Iterable[Sequence[str]]) -> None:
    write_lines(path, ("\t".join(row) for row in rows))
