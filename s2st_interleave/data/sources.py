"""What the audio of a split is made from: files, or parts that are cut out of files.

They count by content: a corpus that lies elsewhere is the same, one whose files were
replaced is another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np

from s2st_interleave import digests
from s2st_interleave.data import audio, kaldi
from s2st_interleave.data.channels import Channels, mono
from s2st_interleave.data.sides import Sides, path_of
from s2st_interleave.errors import UserError
from s2st_interleave.record import digest

NUM_KEPT = 4  # recordings in memory, of those that parts are cut from
SLACK_SEC = 0.1  # by which a part may leave its recording: times are rounded
FOLDER = "sources"  # in a data directory: what its audio was made from


@dataclass(frozen=True)
class Cut:
    """A part of a recording."""

    path: Path
    start_sec: float
    end_sec: float  # below 0: to the recording's end
    where: str  # for messages

    def of(self, samples: np.ndarray) -> np.ndarray:
        """The part of 16 kHz samples (num_samples, num_channels).

        Raises UserError where it leaves them.
        """
        length = len(samples) / audio.SAMPLE_RATE
        end = length if self.end_sec < 0 else self.end_sec
        if not 0 <= self.start_sec < end <= length + SLACK_SEC:
            raise UserError(
                f"{self.where}: {self.start_sec:g}..{end:g} s is not within the "
                f"{length:.2f} s of {self.path}"
            )
        first, last = (round(t * audio.SAMPLE_RATE) for t in (self.start_sec, end))
        return samples[first:last]


Source = Path | Cut


def file_of(source: Source) -> Path:
    return source.path if isinstance(source, Cut) else source


class Reader:
    """16 kHz recordings of sources; raises UserError as `audio.load` does.

    A file that parts are cut from is read once for parts that follow each other.
    """

    def __init__(self, longest_sec: float) -> None:
        self._longest_sec = longest_sec  # of a source that is a file of its own
        self._lock = Lock()  # several threads would read the same long file
        self._kept = lru_cache(NUM_KEPT)(_channels)

    def __call__(self, source: Source, channels: Channels) -> audio.Recording:
        if isinstance(source, Path):
            longest = self._longest_sec
            return audio.load(source, channels=channels, longest_sec=longest)
        with self._lock:
            whole = self._kept(source.path)
        if isinstance(whole, UserError):
            raise whole
        try:
            return audio.Recording(*mono(source.of(whole), channels))
        except UserError as error:
            raise UserError(f"{source.path}: {error}") from None


def _channels(path: Path) -> np.ndarray | UserError:
    """All channels of a file, or why it cannot be read: hours are not read twice."""
    try:
        return audio.load_channels(path)
    except UserError as error:
        return error


@dataclass(frozen=True)
class Sources:
    """The sources of a split and what they hold, by role and utterance id.

    `content` is the sha256 of a file, with the times where only a part of it is meant,
    and empty where there is no file.
    """

    sources: Mapping[str, Mapping[str, Source]]
    content: Mapping[str, Mapping[str, str]]
    languages: Sides

    @classmethod
    def look(
        cls,
        sources: Mapping[str, Mapping[str, Source]],
        languages: Sides,
        cache: Path,
        nj: int,
    ) -> "Sources":
        files = {file_of(one) for table in sources.values() for one in table.values()}
        found = digests.digests(files, cache, nj)
        content = {
            role: {k: _content(one, found[file_of(one)]) for k, one in table.items()}
            for role, table in sources.items()
        }
        return cls(sources, content, languages)

    def fingerprint(self) -> str:
        return digest(list(self.content.values()))

    def write(self, directory: Path) -> None:
        """Keep what a data directory is made from, to say later what has changed."""
        data = kaldi.DataDir(directory)
        for role, table in self.content.items():
            path = directory / FOLDER / f"sha256.{data.suffix(role)}"
            kaldi.write_table(path, table)

    def changes(self, directory: Path) -> list[str]:
        """A line for each file that is not what `directory` was made from."""
        lines = []
        folder = directory / FOLDER
        for role, table in self.content.items():
            path = path_of(folder, "sha256.{}", role, self.languages)
            before = kaldi.read_table(path) if path.is_file() else {}
            for utterance, now in table.items():
                was = before.get(utterance, now)
                if was != now:
                    file = file_of(self.sources[role][utterance])
                    lines.append(f"{utterance}: {file} {_what(was, now)}")
        return lines


def _content(source: Source, sha256: str) -> str:
    if sha256 == digests.MISSING or isinstance(source, Path):
        return sha256
    return f"{sha256} {source.start_sec} {source.end_sec}"


def _what(was: str, now: str) -> str:
    if not was:
        return "was missing"
    return "has other content" if now else "is missing"
