"""Where stage 1 keeps 16 kHz audio: a FLAC an utterance, or Kaldi archives of FLACs.

Archives are for corpora of which single files would be too many for a file system. They
are cut by the number of recordings, in an order that the corpus gives, and each appears by
rename: what they hold depends neither on the number of jobs nor on what was done before.
Archives of an interrupted run are read, and those that are as they should be are left.
A recording whose utterance is dropped for another side stays in its archive, unlisted.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Protocol

from s2st_interleave.data import ark, proof
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write

PART = 2000  # recordings in an archive: 140 MB where they are of 4.5 s
ARK = re.compile(r"wav\.[0-9]+\.ark")

Audio = bytes | Path  # a FLAC, or the place where it lies already


class Store(Protocol):
    """A folder for the recordings of one side; places are those of ark.py."""

    def place(self, utterance: str) -> Path | None:
        """Where audio of an utterance may lie already; its proof says whether it does."""
        ...

    def keeps(self, place: Path, part: int) -> bool:
        """May a recording of a part (1, 2 ...) stay where it is?"""
        ...

    def write(self, part: int, audio: Iterable[tuple[str, Audio]]) -> dict[str, Path]:
        """Write the recordings of a part, by utterance, and return their places."""
        ...


class Flacs:
    """A FLAC an utterance, which one can open by a double click."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place(self, utterance: str) -> Path | None:
        return self._folder / f"{utterance}.flac"

    def keeps(self, place: Path, part: int) -> bool:
        return True

    def write(self, part: int, audio: Iterable[tuple[str, Audio]]) -> dict[str, Path]:
        places = {}
        for utterance, flac in audio:
            places[utterance] = path = self._folder / f"{utterance}.flac"
            if isinstance(flac, bytes):
                with atomic_write(path, "wb") as stream:
                    stream.write(flac)
        return places


class Arks:
    """Archives `wav.1.ark`, `wav.2.ark` ... of PART recordings each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        names = (path for path in folder.glob("*.flac"))
        self._places = {path.stem: path for path in names}  # of the other kind of store
        for archive in archives(folder):
            for utterance, offset in ark.entries(archive):
                self._places[utterance] = Path(f"{archive}:{offset}")

    def place(self, utterance: str) -> Path | None:
        return self._places.get(utterance)

    def keeps(self, place: Path, part: int) -> bool:
        return ark.split(str(place))[0] == str(self._ark(part))

    def write(self, part: int, audio: Iterable[tuple[str, Audio]]) -> dict[str, Path]:
        path, rest = self._ark(part), iter(audio)
        before = _places(path)
        same: dict[str, Path] = {}
        for expected in before:
            item = next(rest, None)
            if item != expected:
                rest = chain([item] if item else [], rest)
                break
            same[expected[0]] = expected[1]
        item = next(rest, None)
        if item is None and len(same) == len(before) and _is_whole(path, before):
            return same
        if item is None and not same:
            path.unlink(missing_ok=True)
            return {}
        with atomic_write(path, "wb") as stream:
            items = chain(same.items(), [item] if item else [], rest)
            offsets = dict(_written(stream, items))
        return {k: Path(f"{path}:{offset}") for k, offset in offsets.items()}

    def _ark(self, part: int) -> Path:
        return self._folder / f"wav.{part}.ark"


STORES = {"flac": Flacs, "ark": Arks}


def archives(folder: Path) -> list[Path]:
    """The archives of a folder, sorted by name."""
    return sorted(path for path in folder.glob("wav.*.ark") if ARK.fullmatch(path.name))


def remove_others(folders: Iterable[Path], places: Iterable[Path]) -> int:
    """Remove audio of stage 1 that is at none of `places`; return the number of files."""
    used = {ark.split(str(place))[0] for place in places}
    count = 0
    for folder in folders:
        ours = [p for p in folder.glob("*.flac") if str(p) not in used]
        ours = [p for p in ours if proof.is_ours(p)]
        for archive in archives(folder):
            first = next(ark.entries(archive), ("", 0))
            if str(archive) not in used and proof.is_ours(
                Path(f"{archive}:{first[1]}")
            ):
                ours.append(archive)
        ours += folder.glob(".wav.*.ark.*.tmp")  # of a run that was killed
        for path in ours:
            path.unlink()
        count += len(ours)
    return count


def _places(archive: Path) -> list[tuple[str, Path]]:
    if not archive.is_file():
        return []
    return [(name, Path(f"{archive}:{at}")) for name, at in ark.entries(archive)]


def _is_whole(archive: Path, places: list[tuple[str, Path]]) -> bool:
    """Does nothing follow the last recording of an archive?"""
    if not places:
        return not archive.is_file()
    _, place = places[-1]
    last = ark.split(str(place))[1] or 0
    size = ark.size(place)
    return archive.stat().st_size == last + len(ark.head(size)) + size


def _written(
    stream: IO[bytes], audio: Iterable[tuple[str, Audio]]
) -> Iterator[tuple[str, int]]:
    """Write recordings one after another; yields utterances and offsets."""
    for utterance, flac in audio:
        held = flac if isinstance(flac, bytes) else ark.whole(flac)
        if isinstance(held, Path):
            raise UserError(f"{held}: not in an archive")
        content = held if isinstance(held, bytes) else held.content
        stream.write(f"{utterance} ".encode())
        yield utterance, stream.tell()
        stream.write(ark.head(len(content)))
        stream.write(content)
