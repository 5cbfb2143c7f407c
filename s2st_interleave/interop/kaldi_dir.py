"""Data directories of Kaldi and ESPnet: wav.scp, text, utt2spk, segments."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from s2st_interleave.data.sources import Cut, Source
from s2st_interleave.errors import UserError
from s2st_interleave.interop.ids import match_ids
from s2st_interleave.text_file import read_lines

T = TypeVar("T")
SPEAKERS, LANGUAGES = "utt2spk", "utt2lang"


@dataclass(frozen=True)
class Table(Generic[T]):
    """What a file says by id, and what is wrong with what it says of some."""

    path: Path
    values: dict[str, T]
    faults: dict[str, str]

    def ids(self) -> set[str]:
        return self.values.keys() | self.faults.keys()

    def renamed(self, ids: Collection[str]) -> "Table[T]":
        """With `ids` in place of names that differ by a folder or endings of audio."""
        names = {name: k for k, name in match_ids(self.ids(), ids).names.items()}
        values = {names.get(k, k): value for k, value in self.values.items()}
        faults = {names.get(k, k): fault for k, fault in self.faults.items()}
        return Table(self.path, values, faults)


@dataclass(frozen=True)
class KaldiDir:
    """One side: `<name>.<role>` or `<name>.<language>` where they are, else `<name>`.

    So both an ESPnet directory of two sides and two Kaldi directories are read.
    """

    path: Path
    role: str
    language: str

    def file(self, name: str) -> Path:
        own = (self.path / f"{name}.{end}" for end in (self.role, self.language))
        return next((path for path in own if path.is_file()), self.path / name)

    def inputs(self) -> list[Path]:
        names = ("wav.scp", "text", "segments", SPEAKERS, LANGUAGES)
        return [path for path in map(self.file, names) if path.is_file()]

    def texts(self) -> Table[str]:
        return read(self.file("text"))

    def speakers(self) -> Table[str]:
        path = self.file(SPEAKERS)
        return read(path) if path.is_file() else Table(path, {}, {})

    def languages(self) -> dict[str, str]:
        """What utt2lang says; nothing where it is another side's beside this one."""
        path = self.file(LANGUAGES)
        shared = path.name == LANGUAGES and self.file("wav.scp").name != "wav.scp"
        return dict(read(path).values) if path.is_file() and not shared else {}

    def audio(self) -> Table[Source]:
        """Of each utterance its file, or the part of one that is its segment."""
        recordings = self._recordings()
        path = self.file("segments")
        if not path.is_file():
            return recordings
        lines = read(path)
        found: Table[Source] = Table(path, {}, dict(lines.faults))
        for utterance, value in lines.values.items():
            cut = _cut(f"{path}: utterance {utterance}", value, recordings)
            if isinstance(cut, Cut):
                found.values[utterance] = cut
            else:
                found.faults.setdefault(utterance, cut)
        return found

    def _recordings(self) -> Table[Source]:
        """Plain paths; a pipe, which is a program to be run, or an ark is a fault."""
        lines = read(self.file("wav.scp"))
        found: Table[Source] = Table(lines.path, {}, dict(lines.faults))
        for name, value in lines.values.items():
            if why := _no_file(value):
                found.faults.setdefault(name, f"{lines.path}: {name} {why}")
            else:
                found.values[name] = Path(value)
        return found


def _no_file(value: str) -> str:
    """Why a value of wav.scp is no file that can be read as audio; "": it may be one."""
    if value.endswith("|"):
        return (
            f"is a pipe ('{value}'), which is not run: write its audio to files first "
            "(Kaldi: wav-copy, ESPnet: format_wav_scp.sh)"
        )
    if re.search(r"\.ark:\d+$", value):
        return "lies in an ark, wants a file of audio"
    return "" if value else "has no file"


def _cut(where: str, value: str, recordings: Table[Source]) -> Cut | str:
    """The segment that a line says, or why it is none."""
    try:
        recording, start, end = value.split()
        times = float(start), float(end)
    except ValueError:
        return f"{where}: '{value}' is no '<recording> <start> <end>'"
    if recording in recordings.faults:
        return recordings.faults[recording]
    if recording not in recordings.values:
        return f"{where}: recording {recording} is not in {recordings.path}"
    return Cut(Path(recordings.values[recording]), *times, where)


def read(path: Path) -> Table[str]:
    """`<id> <value>` lines with any white space between; of an id the first one."""
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
