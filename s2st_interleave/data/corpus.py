"""CVSS-C, CoVoST 2 and Common Voice v4 as they are distributed, paired by clip name."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SPLITS = {"train": ("train",), "dev": ("dev",), "test": ("test",)}
EXTENDED_TRAIN = ("train", "train_covost")


@dataclass(frozen=True)
class Pair:
    """One utterance of the corpus: a recording and its spoken translation."""

    id: str
    speaker: str
    src_audio: Path
    src_text: str
    tgt_audio: Path
    tgt_text: str


@dataclass(frozen=True)
class Corpus:
    """Where the three parts lie.

    common_voice: `cv-corpus-4-2019-12-10/<src>`; covost: `covost_v2.<src>_en.tsv`;
    cvss: `cvss_c_<src>_en_v1.0`.
    """

    common_voice: Path
    covost: Path
    cvss: Path

    def pairs(self, split: str, *, extended: bool = False) -> list[Pair]:
        """All pairs of a split, sorted by id.

        CVSS names the utterances; CoVoST says to which split they belong; Common Voice
        has recording and transcript. Raises ValueError where they do not fit together.
        """
        wanted = EXTENDED_TRAIN if extended and split == "train" else SPLITS[split]
        covost = {row["path"]: row["split"] for row in read_tsv(self.covost)}
        validated = self.common_voice / "validated.tsv"
        sentences = {row["path"]: row for row in read_tsv(validated)}
        pairs, strangers = [], []
        for clip, tgt_text in self._translations(split).items():
            if clip not in covost or clip not in sentences:
                strangers.append(clip)
            elif covost[clip] in wanted:
                row = sentences[clip]
                pairs.append(
                    Pair(
                        id=clip.removesuffix(".mp3"),
                        speaker=row["client_id"],
                        src_audio=self.common_voice / "clips" / clip,
                        src_text=row["sentence"],
                        tgt_audio=self.cvss / split / f"{clip}.wav",
                        tgt_text=tgt_text,
                    )
                )
        if strangers:
            raise ValueError(
                f"{len(strangers)} clips of {self.cvss / split}.tsv are not in "
                f"{self.covost} or {validated}, first {strangers[0]}. CVSS pairs only "
                "with Common Voice version 4 (cv-corpus-4-2019-12-10)"
            )
        if not pairs:
            raise ValueError(f"{self.cvss / split}.tsv: no utterance of split {split}")
        return sorted(pairs, key=lambda pair: pair.id)

    def _translations(self, split: str) -> dict[str, str]:
        path = self.cvss / f"{split}.tsv"
        found: dict[str, str] = {}
        for number, row in _rows(path):
            if len(row) != 2:
                raise ValueError(f"{path}:{number}: {len(row)} columns, expected 2")
            if row[0] in found:
                raise ValueError(f"{path}:{number}: clip {row[0]} occurs twice")
            found[row[0]] = row[1]
        return found


def read_tsv(path: Path) -> list[dict[str, str]]:
    """Rows of a TSV with header; clips in column `path` must be unique."""
    rows = _rows(path)
    _, header = next(rows, (0, []))
    if "path" not in header:
        raise ValueError(f"{path}:1: no column 'path' in the header")
    table, seen = [], set()
    for number, row in rows:
        if len(row) != len(header):
            raise ValueError(f"{path}:{number}: {len(row)} columns, not {len(header)}")
        named = dict(zip(header, row, strict=True))
        if named["path"] in seen:
            raise ValueError(f"{path}:{number}: clip {named['path']} occurs twice")
        seen.add(named["path"])
        table.append(named)
    return table


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields. No quoting: quotes occur inside sentences; "NA" is a word."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; it is part of the corpus")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(
            stream, delimiter="\t", quoting=csv.QUOTE_NONE, escapechar="\\", strict=True
        )
        for row in reader:
            if row:
                yield reader.line_num, row
