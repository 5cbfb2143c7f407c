"""CVSS-C, CoVoST 2 and Common Voice v4 as they are distributed, paired by clip name.

A row of CVSS has a fault if it is not in CoVoST or not in Common Voice's validated.tsv,
has more or fewer columns than the header, a name that cannot be an id, contradicts
itself, or (in train) is of CoVoST's dev or test. Train drops it with that reason. In dev
and test a row that is not in CoVoST stays, as CVSS's own table gives the split; a row that
is not in validated.tsv stays with silence for its recording; other faults are errors.

The whole corpus is refused if a table is missing, is not UTF-8, lacks a column or is of a
later Common Voice, if half of the rows or more are not in one of the other tables, or if
CoVoST has a clip of dev or test in another split.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from s2st_interleave.config import nearest
from s2st_interleave.data import tsv
from s2st_interleave.data.kaldi import NO_AUDIO
from s2st_interleave.data.sources import Source
from s2st_interleave.data.text import visible_only
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
MANY = 0.5  # if this share of rows is in no other table, that is of another version
NEEDED = "CVSS pairs only with Common Voice version 4 (cv-corpus-4-2019-12-10)"

Tables = Mapping[Path, Mapping[str, tsv.Row]]  # by clip


@dataclass(frozen=True)
class Speech:
    """One side of an utterance: a recording and its text.

    With a `fault` train drops the utterance; dev and test keep it, with silence if the
    fault begins with NO_AUDIO. `language` is the corpus's own word for the language, and
    mostly "", and `language_where` the place that says it, if not that of the utterance.
    """

    audio: Source
    text: str
    fault: str = ""
    language: str = ""
    language_where: str = ""


@dataclass(frozen=True)
class Utterance:
    """One utterance of a corpus, such as a recording and its spoken translation.

    `sides` are by role. `where` is file and line, for messages. With a `fault` it cannot be
    used in any split.
    """

    id: str
    speaker: str
    sides: Mapping[str, Speech]
    where: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Corpus:
    """The folders and the file of the three parts.

    common_voice: `cv-corpus-4-2019-12-10/<src>`; covost: `covost_v2.<src>_en.tsv`;
    cvss: `cvss_c_<src>_en_v1.0`. `audio` says where the recordings of a folder of tables
    are, if not there: in an archive, whose paths are those of a folder.
    """

    common_voice: Path
    covost: Path
    cvss: Path
    audio: Mapping[Path, Path] = field(default_factory=dict)

    @property
    def validated(self) -> Path:
        return self.common_voice / "validated.tsv"

    def pairs(self, split: str, *, extended: bool = False) -> list[Utterance]:
        """All pairs of a split, sorted by id, those with a fault as well.

        CVSS names the utterances; CoVoST says to which split they belong; Common Voice
        has recording and transcript. Raises UserError where the parts do not fit
        together as a whole.
        """
        check_version(self.validated)
        table = self.cvss / f"{split}.tsv"
        read = partial(tsv.read, key="path", lenient=True)
        tables = {
            table: read(table, columns=("text",), header=("path", "text")),
            self.validated: read(self.validated, columns=("client_id", "sentence")),
            self.covost: read(self.covost, columns=("split",)),
        }
        for other in (self.covost, self.validated):
            _check_version_by(tables[table], table, tables[other], other)
        others = set(EXTENDED_TRAIN) - set(SPLITS["train"]) if not extended else set()
        pairs = [
            self._pair(split, clip, tables)
            for clip in tables[table]
            if split != "train" or self._split(clip, tables) not in others
        ]
        if not pairs:
            raise UserError(f"{table}: no utterance of split {split}")
        _check_ids(pairs)
        return sorted(pairs, key=lambda pair: pair.id)

    def _pair(self, split: str, clip: str, tables: Tables) -> Utterance:
        table = self.cvss / f"{split}.tsv"
        row = tables[table][clip]
        where = f"{table}:{row.line}"
        source = tables[self.validated].get(clip)
        is_known = source is not None and not source.fault
        speaker, sentence = source.values if source and is_known else (clip, "")
        fault = self._fault(split, clip, where, tables)
        name = "" if fault else clip  # a clip with a fault may be no name of a file
        clips = self._audio(self.common_voice) / "clips"
        spoken = self._audio(self.cvss) / split
        source_fault = self._missing(clip, tables)
        return Utterance(
            id="_".join(clip.removesuffix(".mp3").split()) or f"line_{row.line}",
            speaker=speaker,
            sides={
                "src": Speech(clips / name, sentence, source_fault),
                "tgt": Speech(spoken / f"{name}.wav", row.values[0]),
            },
            where=where,
            fault=fault,
        )

    def _audio(self, folder: Path) -> Path:
        return self.audio.get(folder, folder)

    def _fault(self, split: str, clip: str, where: str, tables: Tables) -> str:
        """The reason why a row of CVSS cannot be used in any split; "": it can."""
        row = tables[self.cvss / f"{split}.tsv"][clip]
        if row.fault:
            return f"wrong number of columns: {row.fault}"
        if reason := no_id(clip):
            return f"no id: {where}: {reason}"
        rows = ((path, table[clip]) for path, table in tables.items() if clip in table)
        for path, other in rows:
            if other.twice:
                lines = f"{path}:{other.line} and {other.twice}"
                return f"clip occurs twice: with other values in {lines}"
        source = tables[self.validated].get(clip)
        speaker = source.values[0] if source and not source.fault else clip
        if source and not is_speaker(speaker):
            line = f"{self.validated}:{source.line}"
            return f"no speaker: {line}: client_id {speaker!r} is empty or has a space"
        # CVSS's train is CoVoST's extended train; dev and test are the same in both.
        allowed = EXTENDED_TRAIN if split == "train" else SPLITS[split]
        of_covost = self._split(clip, tables)
        if of_covost is None or of_covost in allowed:
            return ""
        line = f"{self.covost}:{tables[self.covost][clip].line}"
        reason = (
            f"{where}: clip {clip} belongs to '{of_covost}' in {line}, not to {split}"
        )
        if split != "train":
            raise UserError(reason)
        return f"of another split: {reason}"

    def _missing(self, clip: str, tables: Tables) -> str:
        """The fault of a clip that is not in one of the other tables; "": it is in both."""
        for path, name in (
            (self.validated, f"{NO_AUDIO}, not in Common Voice"),
            (self.covost, "not in CoVoST"),
        ):
            row = tables[path].get(clip)
            if row is None:
                return f"{name}: {path} has no {clip}"
            if row.fault:
                return f"{name}: {row.fault}"
        return ""

    def _split(self, clip: str, tables: Tables) -> str | None:
        """The split that CoVoST gives to a clip; None where it has none."""
        row = tables[self.covost].get(clip)
        return row.values[0] if row and not row.fault else None


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


def no_id(name: str) -> str:
    """The reason why a name cannot be an utterance id and a file's name; "": it can."""
    bad = not name or name.startswith(".") or len(name.encode()) > 200
    if bad or any(c.isspace() or c in "/\\" for c in name):
        return (
            f"{name!r} is no id: 1 to 200 bytes without space, / or \\, and no dot at "
            "the start"
        )
    if name == "__metadata__":
        return (
            f"{name!r} is no id: safetensors, which holds units by id, keeps this name"
        )
    if name != visible_only(name) or any(unicodedata.category(c) == "Cc" for c in name):
        return f"{name!a} is no id: it holds characters that cannot be seen"
    return ""


def is_speaker(name: str) -> bool:
    """Whether a name can be that of a speaker in utt2spk and spk2utt."""
    return bool(name) and not any(map(str.isspace, name))


def check_id(name: str, where: str) -> None:
    """Raise UserError for a name that cannot be an utterance id and a file's name."""
    if reason := no_id(name):
        raise UserError(f"{where}: {reason}")


def _check_ids(pairs: Iterable[Utterance]) -> None:
    """Raise UserError for two clips whose names make the same id, such as c and c.mp3."""
    places: dict[str, str] = {}
    for pair in pairs:
        if pair.id in places:
            raise UserError(
                f"{pair.where}: its clip has the id {pair.id}, as that of "
                f"{places[pair.id]} has: rename one of the two clips in all tables"
            )
        places[pair.id] = pair.where


def _check_version_by(
    clips: Mapping[str, tsv.Row],
    table: Path,
    others: Mapping[str, tsv.Row],
    other: Path,
) -> None:
    """Raise UserError if so many clips are missing that the tables do not fit together."""
    missing = [clip for clip in clips if clip not in others]
    if missing and len(missing) >= MANY * len(clips):
        raise UserError(
            f"{len(missing)} of {len(clips)} clips of {table} are not in {other}, first "
            f"{missing[0]} (there it has {next(iter(others), 'nothing')} and others). "
            f"{NEEDED}"
        )
