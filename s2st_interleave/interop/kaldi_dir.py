"""Data directories of Kaldi and ESPnet: wav.scp, text, utt2spk, segments."""

import re
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.data.sources import Cut, Source
from s2st_interleave.errors import UserError

SPEAKERS = "utt2spk"


@dataclass(frozen=True)
class Segment:
    recording: str
    start_sec: float
    end_sec: float  # below 0: to the recording's end


@dataclass(frozen=True)
class KaldiDir:
    """One language: `<name>.<language>` where there is such a file, else `<name>`.

    So both an ESPnet directory of two languages and two Kaldi directories are read.
    """

    path: Path
    language: str

    def file(self, name: str) -> Path:
        own = self.path / f"{name}.{self.language}"
        return own if own.is_file() else self.path / name

    def inputs(self) -> list[Path]:
        names = ("wav.scp", "text", "segments", SPEAKERS)
        return [path for path in map(self.file, names) if path.is_file()]

    def texts(self) -> dict[str, str]:
        return read(self.file("text"))

    def speakers(self) -> dict[str, str]:
        path = self.file(SPEAKERS)
        return read(path) if path.is_file() else {}

    def recordings(self) -> dict[str, Path]:
        """Plain paths; UserError for a pipe, which is a program to be run, or an ark."""
        path = self.file("wav.scp")
        table = {}
        for name, value in read(path).items():
            where = f"{path}: {name}"
            if value.endswith("|"):
                raise UserError(
                    f"{where} is a pipe ('{value}'), which is not run: write its audio "
                    "to files first (Kaldi: wav-copy, ESPnet: format_wav_scp.sh)"
                )
            if re.search(r"\.ark:\d+$", value):
                raise UserError(f"{where} lies in an ark, wants a file of audio")
            if not value:
                raise UserError(f"{where} has no file")
            table[name] = Path(value)
        return table

    def segments(self) -> dict[str, Segment]:
        """By utterance id; empty where recordings are utterances."""
        path = self.file("segments")
        if not path.is_file():
            return {}
        found = {}
        for utterance, value in read(path).items():
            try:
                recording, start, end = value.split()
                found[utterance] = Segment(recording, float(start), float(end))
            except ValueError:
                raise UserError(
                    f"{path}: utterance {utterance}: '{value}' is no '<recording> "
                    "<start> <end>'"
                ) from None
        return found

    def audio(self) -> dict[str, Source]:
        """Of each utterance its file, or the part of one that is its segment."""
        recordings, segments = self.recordings(), self.segments()
        if not segments:
            return dict(recordings)
        found: dict[str, Source] = {}
        for utterance, one in segments.items():
            where = f"{self.file('segments')}: utterance {utterance}"
            if one.recording not in recordings:
                raise UserError(
                    f"{where}: recording {one.recording} is not in {self.file('wav.scp')}"
                )
            path = recordings[one.recording]
            found[utterance] = Cut(path, one.start_sec, one.end_sec, where)
        return found


def read(path: Path) -> dict[str, str]:
    """`<id> <value>` lines with any white space between; duplicates are errors."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; a Kaldi data directory has it")
    table: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        for number, line in enumerate(stream, 1):
            name, *value = line.strip().split(maxsplit=1) or [""]
            if not name:
                raise UserError(f"{path}:{number}: line without an id")
            if name in table:
                raise UserError(f"{path}:{number}: {name} occurs twice")
            table[name] = value[0] if value else ""
    return table
