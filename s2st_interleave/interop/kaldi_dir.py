"""Data directories of Kaldi and ESPnet: wav.scp, text, utt2spk, segments."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.data import audio
from s2st_interleave.data.corpus import check_id
from s2st_interleave.errors import UserError

SPEAKERS, LANGUAGES = "utt2spk", "utt2lang"


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
        names = ("wav.scp", "text", "segments", SPEAKERS, LANGUAGES)
        return [path for path in map(self.file, names) if path.is_file()]

    def texts(self) -> dict[str, str]:
        return read(self.file("text"))

    def speakers(self) -> dict[str, str]:
        path = self.file(SPEAKERS)
        return read(path) if path.is_file() else {}

    def languages(self) -> dict[str, str]:
        """What utt2lang says; nothing where it is another language's beside this one."""
        path = self.file(LANGUAGES)
        shared = path.name == LANGUAGES and self.file("wav.scp").name != "wav.scp"
        return read(path) if path.is_file() and not shared else {}

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

    def audio(self, folder: Path) -> dict[str, Path]:
        """A file of audio for each utterance; segments are cut into `folder`."""
        recordings, segments = self.recordings(), self.segments()
        if not segments:
            return recordings
        of_recording: dict[str, dict[str, Segment]] = {}
        for utterance, one in segments.items():
            check_id(utterance, str(self.file("segments")))
            if one.recording not in recordings:
                raise UserError(
                    f"{self.file('segments')}: utterance {utterance}: recording "
                    f"{one.recording} is not in {self.file('wav.scp')}"
                )
            of_recording.setdefault(one.recording, {})[utterance] = one
        found = {}
        for name, parts in sorted(of_recording.items()):
            found |= _cut(recordings[name], parts, folder / self.language)
        return found


def _cut(path: Path, parts: Mapping[str, Segment], folder: Path) -> dict[str, Path]:
    """16 kHz FLACs of the segments; UserError for one that leaves its recording."""
    samples = audio.read(path)
    length = len(samples) / audio.SAMPLE_RATE
    found = {}
    for utterance, one in parts.items():
        end = length if one.end_sec < 0 else one.end_sec
        if not 0 <= one.start_sec < end <= length + 0.1:
            raise UserError(
                f"segments: utterance {utterance}: {one.start_sec:g}..{end:g} s is not "
                f"within the {length:.2f} s of {path}"
            )
        first, last = (round(t * audio.SAMPLE_RATE) for t in (one.start_sec, end))
        found[utterance] = folder / f"{utterance}.flac"
        audio.write(found[utterance], samples[first:last])
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
