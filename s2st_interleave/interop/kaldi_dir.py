"""Reads data directories of Kaldi and ESPnet: wav.scp, text, utt2spk, segments."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from s2st_interleave.data.sources import Cut, Source, file_of
from s2st_interleave.errors import UserError
from s2st_interleave.interop.ids import match_ids
from s2st_interleave.text_file import read_lines

T = TypeVar("T")
SPEAKERS, LANGUAGES = "utt2spk", "utt2lang"


@dataclass(frozen=True)
class Table(Generic[T]):
    """The values of a file by id, and the faults of some of its ids."""

    path: Path
    values: dict[str, T]
    faults: dict[str, str]

    def ids(self) -> set[str]:
        """All ids of the file."""
        return self.values.keys() | self.faults.keys()

    def renamed(self, ids: Collection[str]) -> "Table[T]":
        """The table with `ids` in place of names like them: see interop/ids.py."""
        names = {name: k for k, name in match_ids(self.ids(), ids).names.items()}
        values = {names.get(k, k): value for k, value in self.values.items()}
        faults = {names.get(k, k): fault for k, fault in self.faults.items()}
        return Table(self.path, values, faults)


@dataclass(frozen=True)
class KaldiDir:
    """One side of a directory: its files `<name>.<role>`, `<name>.<language>` or `<name>`.

    The first that exists counts, so that a side may be part of an ESPnet directory of two
    sides or a Kaldi directory of its own.
    """

    path: Path
    role: str
    language: str

    def file(self, name: str) -> Path:
        """The path of a side's file, such as wav.scp."""
        paths = (self.path / f"{name}.{end}" for end in (self.role, self.language))
        return next((path for path in paths if path.is_file()), self.path / name)

    def inputs(self) -> list[Path]:
        """All files that are read."""
        names = ("wav.scp", "text", "segments", SPEAKERS, LANGUAGES)
        return [path for path in map(self.file, names) if path.is_file()]

    def texts(self) -> Table[str]:
        """Transcripts by utterance id."""
        return read(self.file("text"))

    def speakers(self) -> Table[str]:
        """Speakers by utterance id; empty without utt2spk."""
        path = self.file(SPEAKERS)
        return read(path) if path.is_file() else Table(path, {}, {})

    def languages(self) -> Table[str]:
        """Languages by utterance id; empty without utt2lang, or if two sides share it."""
        path = self.file(LANGUAGES)
        shared = path.name == LANGUAGES and self.file("wav.scp").name != "wav.scp"
        is_own = path.is_file() and not shared
        return read(path) if is_own else Table(path, {}, {})

    def audio(self) -> Table[Source]:
        """The recording of each utterance: a file, or a part of one by `segments`."""
        recordings = self._recordings()
        path = self.file("segments")
        if not path.is_file():
            return recordings
        lines = read(path)
        cuts: Table[Source] = Table(path, {}, dict(lines.faults))
        for utterance, value in lines.values.items():
            cut = _cut(f"{path}: utterance {utterance}", value, recordings)
            if isinstance(cut, Cut):
                cuts.values[utterance] = cut
            else:
                cuts.faults.setdefault(utterance, cut)
        return cuts

    def _recordings(self) -> Table[Source]:
        """The recordings in wav.scp: files, or `<archive>:<offset>`; a pipe is a fault."""
        lines = read(self.file("wav.scp"))
        paths: Table[Source] = Table(lines.path, {}, dict(lines.faults))
        for name, value in lines.values.items():
            if reason := _no_file(value):
                paths.faults.setdefault(name, f"{lines.path}: {name} {reason}")
            else:
                paths.values[name] = Path(value)
        return paths


def _no_file(value: str) -> str:
    """The reason why a value of wav.scp is no file of audio; "": it may be one."""
    if value.endswith("|") or value.startswith("|"):
        return (
            f"is a pipe ('{value}'), which is not run: write its audio to files first "
            "(Kaldi: wav-copy, ESPnet: format_wav_scp.sh)"
        )
    if re.search(r":\d+\[.*\]$", value):
        return (
            f"is a part of a recording ('{value}'): a file `segments` may say its times"
        )
    return "" if value else "has no file"


def _cut(where: str, value: str, recordings: Table[Source]) -> Cut | str:
    """The part of a recording that a line of `segments` names, or the line's fault."""
    try:
        recording, start, end = value.split()
        times = float(start), float(end)
    except ValueError:
        return f"{where}: '{value}' is no '<recording> <start> <end>'"
    if recording in recordings.faults:
        return recordings.faults[recording]
    if recording not in recordings.values:
        return f"{where}: recording {recording} is not in {recordings.path}"
    return Cut(file_of(recordings.values[recording]), *times, where)


def read(path: Path) -> Table[str]:
    """Values by id from `<id> <value>` lines with any white space between.

    An id that occurs twice is a fault. Raises UserError for a line without an id.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; a Kaldi data directory has it")
    table: Table[str] = Table(path, {}, {})
    for number, line in read_lines(path):
        name, *value = line.strip().split(maxsplit=1) or [""]
        if not name:
            raise UserError(f"{path}:{number}: line without an id")
        if name in table.values:
            table.faults[name] = f"{path}:{number}: {name} occurs twice"
        table.values.setdefault(name, value[0] if value else "")
    return table
