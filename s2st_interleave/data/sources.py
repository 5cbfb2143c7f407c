"""The recordings that a split is made from: files, or parts that are cut out of files.

They are identified by content: a corpus may be moved, but replaced files are noticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np

from s2st_interleave import digests
from s2st_interleave.data import audio, checks, kaldi
from s2st_interleave.data.archive import Member
from s2st_interleave.data.ark import Held
from s2st_interleave.data.channels import Channels, mono
from s2st_interleave.data.sides import Sides, path_of
from s2st_interleave.errors import UserError
from s2st_interleave.record import digest

NUM_KEPT = 4  # long recordings in memory, from which parts are cut
NO_MEMBERS: Mapping[str, Member] = {}
SLACK_SEC = 0.1  # a part may end this much after its recording: times are rounded
FOLDER = "sources"  # the folder in a data directory that lists its recordings' hashes


@dataclass(frozen=True)
class Cut:
    """A part of a recording."""

    path: Path
    start_sec: float
    end_sec: float  # -1, as in Kaldi: to the recording's end
    where: str  # file and utterance, for messages

    def of(self, samples: np.ndarray) -> np.ndarray:
        """Cut the part out of 16 kHz samples (num_samples, num_channels).

        Raises UserError where it does not lie within them.
        """
        length = len(samples) / audio.SAMPLE_RATE
        end = length if self.end_sec == -1 else self.end_sec
        is_within = self.start_sec < length and end <= length + SLACK_SEC
        if not (is_within and 0 <= self.start_sec < end):
            raise UserError(
                f"{self.where}: {self.start_sec:g}..{end:g} s is not within the "
                f"{length:.2f} s of {self.path}"
            )
        first, last = (round(t * audio.SAMPLE_RATE) for t in (self.start_sec, end))
        part = samples[first:last]
        try:
            checks.check_any(len(part), audio.SAMPLE_RATE)
        except UserError as error:
            raise UserError(
                f"{self.where}: {self.start_sec:g}..{end:g} s: {error}"
            ) from None
        return part


Source = Path | Cut


def file_of(source: Source) -> Path:
    """The file that holds a source."""
    return source.path if isinstance(source, Cut) else source


class Reader:
    """Reads sources at 16 kHz; raises UserError as `audio.load` does.

    A file from which parts are cut is read once for parts that follow each other.
    `longest_sec` limits the sources that are whole files.
    """

    def __init__(self, longest_sec: float) -> None:
        self._longest_sec = longest_sec
        self._lock = Lock()  # without it several threads would read the same long file
        self._kept = lru_cache(NUM_KEPT)(_channels)

    def __call__(self, source: Source | Held, channels: Channels) -> audio.Recording:
        if not isinstance(source, Cut):
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
    """All channels of a file, or the error: returned, so that it is cached as well."""
    try:
        return audio.load_channels(path)
    except UserError as error:
        return error


@dataclass(frozen=True)
class Sources:
    """The sources of a split and their content, by role and utterance id.

    `content` is the sha256 of a file, followed by the times of a part, or "" where there
    is no file.
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
        members: Mapping[str, Member] = NO_MEMBERS,
    ) -> "Sources":
        """Hash the files of `sources` in `nj` threads; `cache` is that of `digests`.

        `members` are files of the corpus's archives, which were hashed before.
        """
        files = {file_of(source) for t in sources.values() for source in t.values()}
        packed = {path: members[str(path)] for path in files if str(path) in members}
        sha256 = digests.digests(files - packed.keys(), cache, nj)
        sha256 |= {path: member.sha256 for path, member in packed.items()}
        content = {
            role: {
                utterance: _content(source, sha256[file_of(source)])
                for utterance, source in table.items()
            }
            for role, table in sources.items()
        }
        return cls(sources, content, languages)

    def fingerprint(self) -> str:
        """A hash of all content, for the record of stage 1."""
        return digest(list(self.content.values()))

    def write(self, directory: Path) -> None:
        """Write the content into a data directory, for `changes` to compare later."""
        data = kaldi.DataDir(directory)
        for role, table in self.content.items():
            path = directory / FOLDER / f"sha256.{data.suffix(role)}"
            kaldi.write_table(path, table)

    def changes(self, directory: Path) -> list[str]:
        """A line for each file that has changed since `directory` was made."""
        lines = []
        folder = directory / FOLDER
        for role, table in self.content.items():
            path = path_of(folder, "sha256.{}", role, self.languages)
            before = kaldi.read_table(path) if path.is_file() else {}
            for utterance, new in table.items():
                old = before.get(utterance, new)
                if old != new:
                    file = file_of(self.sources[role][utterance])
                    lines.append(f"{utterance}: {file} {_change(old, new)}")
        return lines


def _content(source: Source, sha256: str) -> str:
    if sha256 == digests.MISSING or isinstance(source, Path):
        return sha256
    return f"{sha256} {source.start_sec} {source.end_sec}"


def _change(old: str, new: str) -> str:
    if not old:
        return "was missing"
    return "has other content" if new else "is missing"
