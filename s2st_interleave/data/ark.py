"""Recordings in Kaldi archives: `wav.3.ark:12345` is the one that starts at that byte.

An archive is an id, a space and a recording, over and over. A recording is a WAV as
Kaldi's wav-copy writes it, or, as kaldiio and ESPnet write other formats, the word AUDIO,
a length (the number of its bytes in one byte, then the bytes, the lowest first) and a file
of audio of that length. Stage 1 writes the latter, with FLACs.

A `Path` may name a file or such a place; the functions of this module read both.
"""

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from s2st_interleave.errors import UserError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

AUDIO = b"AUDIO"
RIFF = {b"RIFF": False, b"RIFX": True}  # are the highest bytes of a number first?
UNKNOWN = range(0x7F000000, 0x100000000)  # lengths that sox and others write to a pipe
LONGEST_ID = 1000  # bytes
REMEDY = "fetch or make the archive again"


@dataclass(frozen=True)
class Held:
    """A file of audio that is in memory; `name` says in messages where it is from."""

    name: str
    content: bytes

    def __str__(self) -> str:
        return self.name

    def open(self, mode: str = "rb") -> BinaryIO:
        """The content as an open file."""
        return io.BytesIO(self.content)


AudioFile = Path | Held


def split(place: str) -> tuple[str, int | None]:
    """The archive and the offset that a place names; the offset of a file is None.

    A file whose own name ends like a place is a file, unless it would be an archive.

    >>> split("dump/wav.3.ark:12345"), split("talk.flac")
    (('dump/wav.3.ark', 12345), ('talk.flac', None))
    """
    path, _, offset = place.rpartition(":")
    if not path or not (offset.isascii() and offset.isdigit()):
        return place, None
    if not path.endswith(".ark") and os.path.isfile(place):
        return place, None
    return path, int(offset)


def whole(path: AudioFile) -> AudioFile:
    """The file of `path`; a recording in an archive is read into memory.

    Raises UserError, without the place's name, where the archive has no whole recording.
    """
    if isinstance(path, Held) or split(str(path))[1] is None:
        return path
    with _entry(path) as (stream, start, size):
        stream.seek(start)
        return Held(str(path), stream.read(size))


@contextmanager
def opened(path: AudioFile) -> Iterator[BinaryIO]:
    """The bytes of a recording as an open file; no more of an archive is read than asked.

    Raises OSError or UserError where there is none.
    """
    if isinstance(path, Held) or split(str(path))[1] is None:
        with path.open("rb") as stream:
            yield stream
    else:
        with _entry(path) as (archive, start, size):
            yield cast(BinaryIO, _Window(archive, start, size))


def size(path: Path) -> int:
    """Bytes of the file of audio; OSError or UserError where there is none."""
    if split(str(path))[1] is None:
        return path.stat().st_size
    with _entry(path) as (_, _, count):
        return count


def is_there(path: Path) -> bool:
    """Is there something at `path`: a file, a folder, or a recording in an archive?"""
    archive, offset = split(str(path))
    if offset is None:
        return path.exists()
    return os.path.isfile(archive)


def sha256(path: Path) -> str:
    """Digest of the file of audio, which is the same inside and outside of an archive."""
    digest = hashlib.sha256()
    with opened(path) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def head(length: int) -> bytes:
    """What stands in an archive before a file of audio of `length` bytes."""
    count = -(-length.bit_length() // 8)
    return AUDIO + bytes([count]) + length.to_bytes(count, "little")


def entries(archive: Path) -> Iterator[tuple[str, int]]:
    """Ids and offsets of the recordings of an archive, up to the first that is not whole."""
    with archive.open("rb") as stream:
        end, position = os.fstat(stream.fileno()).st_size, 0
        while position < end:
            stream.seek(position)
            name, space, _ = stream.read(LONGEST_ID).partition(b" ")
            try:
                utterance, offset = name.decode(), position + len(name) + 1
                start, count = _extent(stream, offset, end)
            except (UnicodeDecodeError, UserError):
                return
            if not space:
                return
            yield utterance, offset
            position = start + count


@contextmanager
def _entry(path: Path) -> Iterator[tuple[io.FileIO, int, int]]:
    """The open archive of a place, and where the file of audio starts and its bytes."""
    archive, offset = split(str(path))
    if not os.path.isfile(archive):
        raise UserError(f"no such archive: {REMEDY}")
    with open(archive, "rb", buffering=0) as stream:
        end = os.fstat(stream.fileno()).st_size
        yield (stream, *_extent(stream, offset or 0, end))


def _extent(stream: IO[bytes] | io.FileIO, offset: int, end: int) -> tuple[int, int]:
    """Where the file of audio that is stored at `offset` starts, and its bytes."""
    if offset >= end:
        raise UserError(f"the archive ends before, at byte {end}: {REMEDY}")
    stream.seek(offset)
    first = stream.read(16)
    if first.startswith(AUDIO) and 0 < int.from_bytes(first[5:6], "little") <= 8:
        start = offset + 6 + first[5]
        count = int.from_bytes(first[6 : start - offset], "little")
    elif first[:4] in RIFF:
        length = int.from_bytes(first[4:8], "big" if RIFF[first[:4]] else "little")
        if not length or length in UNKNOWN:
            raise UserError(
                "a WAV without its length in an archive: copy it (wav-copy)"
            )
        start, count = offset, length + 8
    else:
        raise UserError(
            "no recording starts at this byte of the archive (WAV, or AUDIO of kaldiio): "
            f"is the offset that of another version of it? {REMEDY}"
        )
    if start + count > end:
        there = max(0, end - start)
        raise UserError(
            f"the archive breaks off after {there} of {count} bytes: {REMEDY}"
        )
    return start, count


class _Window(io.RawIOBase):
    """A part of an open file, read and sought in like a file of its own."""

    def __init__(self, stream: io.FileIO, start: int, count: int) -> None:
        self._stream, self._start, self._count, self._at = stream, start, count, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, (0, self._at, self._count)[whence] + offset)
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer).cast("B")[: max(0, self._count - self._at)]
        self._stream.seek(self._start + self._at)
        count = self._stream.readinto(room) or 0
        self._at += count
        return count
