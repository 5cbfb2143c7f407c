"""CVSS-C, CoVoST 2 and Common Voice v4 as they are distributed, paired by clip name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.config import nearest
from s2st_interleave.data import tsv
from s2st_interleave.errors import UserError

# Source languages of CoVoST 2, and so of CVSS, by the codes in their file names.
SOURCES = "fr de es ca it ru zh-CN pt fa et mn nl tr ar sv-SE lv sl ta ja id cy".split()
SPLITS = {"train": ("train",), "dev": ("dev",), "test": ("test",)}
EXTENDED_TRAIN = ("train", "train_covost")
# Columns that validated.tsv has had since version 5 or later.
LATER_COLUMNS = {
    "locale",
    "segment",
    "accents",
    "variant",
    "sentence_id",
    "sentence_domain",
}
NEEDED = "CVSS pairs only with Common Voice version 4 (cv-corpus-4-2019-12-10)"


@dataclass(frozen=True)
class Pair:
    """One utterance of a corpus: a recording and its spoken translation."""

    id: str
    speaker: str
    src_audio: Path
    src_text: str
    tgt_audio: Path
    tgt_text: str
    where: str = ""  # file:line, for messages
    fault: str = ""  # why it cannot be used, if its line already says so
    src_lang: str = ""  # what the corpus says of this line's languages, as it says it
    tgt_lang: str = ""


@dataclass(frozen=True)
class Corpus:
    """Where the three parts lie, unpacked.

    common_voice: `cv-corpus-4-2019-12-10/<src>`; covost: `covost_v2.<src>_en.tsv`;
    cvss: `cvss_c_<src>_en_v1.0`.
    """

    common_voice: Path
    covost: Path
    cvss: Path

    @property
    def validated(self) -> Path:
        return self.common_voice / "validated.tsv"

    def pairs(self, split: str, *, extended: bool = False) -> list[Pair]:
        """All pairs of a split, sorted by id.

        CVSS names the utterances; CoVoST says to which split they belong; Common Voice
        has recording and transcript. A clip that a table has twice, with different
        values, carries a fault. Raises UserError where the parts do not fit together.
        """
        check_version(self.validated)
        table = self.cvss / f"{split}.tsv"
        translations = tsv.read(table, "path", ("text",), header=("path", "text"))
        covost = tsv.read(self.covost, "path", ("split",))
        clips = tsv.read(self.validated, "path", ("client_id", "sentence"))
        for part, name in ((covost, self.covost), (clips, self.validated)):
            _check_known(translations.keys(), part, table, name)
        wanted = EXTENDED_TRAIN if extended and split == "train" else SPLITS[split]
        self._check_splits(translations, covost, split)
        pairs = [
            self._pair(split, clip, row, clips[clip], covost[clip])
            for clip, row in translations.items()
            if covost[clip].values[0] in wanted
        ]
        if not pairs:
            raise UserError(f"{table}: no utterance of split {split}")
        return sorted(pairs, key=lambda pair: pair.id)

    def _pair(
        self, split: str, clip: str, row: tsv.Row, source: tsv.Row, covost: tsv.Row
    ) -> Pair:
        table = self.cvss / f"{split}.tsv"
        check_id(clip, f"{table}:{row.line}")
        speaker, sentence = source.values
        faults = [
            f"clip occurs twice: with other values in {path}:{one.line} and {one.twice}"
            for path, one in (
                (table, row),
                (self.validated, source),
                (self.covost, covost),
            )
            if one.twice
        ]
        return Pair(
            id=clip.removesuffix(".mp3"),
            speaker=speaker,
            src_audio=self.common_voice / "clips" / clip,
            src_text=sentence,
            tgt_audio=self.cvss / split / f"{clip}.wav",
            tgt_text=row.values[0],
            where=f"{table}:{row.line}",
            fault=faults[0] if faults else "",
        )

    def _check_splits(
        self, translations: Mapping[str, tsv.Row], covost: Mapping, split: str
    ) -> None:
        """CVSS's train is CoVoST's extended one; dev and test are exactly the same."""
        allowed = EXTENDED_TRAIN if split == "train" else SPLITS[split]
        for clip, row in translations.items():
            (found,) = covost[clip].values
            if found not in allowed:
                raise UserError(
                    f"{self.cvss / split}.tsv:{row.line}: clip {clip} belongs to "
                    f"'{found}' in {self.covost}:{covost[clip].line}, not to {split}"
                )


def check_source(language: str) -> None:
    """Raise UserError unless CVSS has the language, named as in its files."""
    if language not in SOURCES:
        raise UserError(
            f"'{language}' is no source language of CVSS{nearest(language, SOURCES)} "
            f"(it has {' '.join(SOURCES)}; a corpus of your own: egs/own)"
        )


def check_version(validated: Path) -> None:
    """Raise UserError for a validated.tsv that is not of Common Voice 4."""
    _, header = next(tsv.rows(validated), (0, []))
    later = sorted(LATER_COLUMNS.intersection(header))
    if later:
        raise UserError(
            f"{validated} is of a later Common Voice (column '{later[0]}'): clips were "
            f"taken out and sentences changed since. {NEEDED}"
        )


def check_id(name: str, where: str) -> None:
    """Raise UserError for a name that cannot be an utterance id and a file's name."""
    bad = not name or name.startswith(".") or len(name.encode()) > 200
    if bad or any(c.isspace() or c in "/\\\0" for c in name):
        raise UserError(
            f"{where}: {name!r} is no id: 1 to 200 bytes without space, / or \\, and "
            "no dot at the start"
        )


def _check_known(
    clips: Iterable[str], part: Mapping[str, tsv.Row], table: Path, name: Path
) -> None:
    strangers = [clip for clip in clips if clip not in part]
    if strangers:
        other = next(iter(part), "nothing")
        raise UserError(
            f"{len(strangers)} clips of {table} are not in {name}, first {strangers[0]} "
            f"(there it has {other} and others). {NEEDED}"
        )
