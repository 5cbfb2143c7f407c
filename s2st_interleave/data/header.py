"""Reads the length that the header of an audio file promises, and the length that it has.

Lengths are in bytes. libsndfile silently corrects a wrong length, so this module reads it:
the chunk of samples of WAV (RIFF, RIFX, RF64, W64), AIFF and CAF, the headers of AU and NIST
SPHERE, and the last page of Ogg. For other formats only the decoder may know the length.
"""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Literal

from s2st_interleave.data.ark import AudioFile

FORMAT, SAMPLES = b"fmt ", (b"data", b"SSND")
TAGS = (b"ID3", b"TAG", b"APETAGEX")  # stand behind the chunks, without being one
PAGE = b"OggS"
MAX_PAGE = 27 + 255 + 255 * 255  # bytes


@dataclass(frozen=True)
class Promise:
    """Bytes of samples that the header promises, that are there, and that lie behind.

    `promised` is None in a file that was written to a pipe; `behind` belong to no chunk.
    """

    promised: int | None
    there: int
    behind: int = 0


@dataclass(frozen=True)
class _Layout:
    """Positions and sizes, in bytes, of names and sizes in a container made of chunks."""

    start: int = 12
    name: int = 4
    size: int = 4
    order: Literal["little", "big"] = "little"
    counts_itself: bool = False  # the size includes name and size
    align: int = 2

    @property
    def head(self) -> int:
        return self.name + self.size


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    start: int  # position of its content in the file
    size: int


_LAYOUTS = {
    b"RIFF": _Layout(),
    b"RF64": _Layout(),
    b"BW64": _Layout(),
    b"RIFX": _Layout(order="big"),
    b"FORM": _Layout(order="big"),
    b"caff": _Layout(start=8, size=8, order="big", align=1),
    b"riff": _Layout(start=40, name=16, size=8, counts_itself=True, align=8),
}


def promise(path: AudioFile) -> Promise | None:
    """The promise of a file's header; None for other formats, or without samples."""
    with path.open("rb") as stream:
        length = stream.seek(0, 2)
        stream.seek(0)
        magic = stream.read(4)
        if magic == b".snd":
            start, size = (int.from_bytes(stream.read(4), "big") for _ in range(2))
            there = length - start
            if _known(size) is None:
                return Promise(None, there)
            return Promise(size, min(size, there), max(0, there - size))
        if magic == b"NIST":
            return _nist_promise(magic + stream.read(4096), length)
        if magic not in _LAYOUTS:
            return None
        return _chunks_promise(stream, _LAYOUTS[magic], length)


def _chunks_promise(stream: IO[bytes], layout: _Layout, length: int) -> Promise | None:
    long_size = None
    for chunk in _chunks(stream, layout, length, layout.start):
        if chunk.name == b"ds64":  # RF64: the size that four bytes cannot hold
            stream.seek(chunk.start + 8)
            long_size = int.from_bytes(stream.read(8), "little")
        if chunk.name in SAMPLES:
            inner = 8 if chunk.name == b"SSND" else 0
            size = chunk.size if long_size is None else long_size
            there = length - chunk.start - inner
            end = chunk.start + size
            if size == 0 and _starts_chunk(stream, layout, chunk.start, length):
                return Promise(0, 0)
            if _known(size) is None:
                return Promise(None, there)
            behind = _behind(stream, layout, length, end + end % layout.align)
            return Promise(size - inner, min(size - inner, there), behind)
    return None


def _chunks(
    stream: IO[bytes], layout: _Layout, length: int, position: int
) -> Iterator[_Chunk]:
    while position + layout.head <= length:
        stream.seek(position)
        name = stream.read(layout.name)[:4]
        size = int.from_bytes(stream.read(layout.size), layout.order)
        size -= layout.head if layout.counts_itself else 0
        start = position + layout.head
        yield _Chunk(name, start, size)
        position = start + max(size, 0) + -max(size, 0) % layout.align


def _starts_chunk(
    stream: IO[bytes], layout: _Layout, position: int, length: int
) -> bool:
    """Does a chunk start, or the file end, at `position`? Samples look like neither."""
    if position >= length:
        return True
    chunk = next(_chunks(stream, layout, length, position), None)
    return (
        chunk is not None
        and all(32 <= byte < 127 for byte in chunk.name)
        and 0 <= chunk.size <= length - chunk.start
    )


def _behind(stream: IO[bytes], layout: _Layout, length: int, position: int) -> int:
    """Bytes from `position` to the end that are no chunk, no tag and no padding."""
    while position < length and _starts_chunk(stream, layout, position, length):
        chunk = next(_chunks(stream, layout, length, position))
        position = chunk.start + chunk.size + chunk.size % layout.align
    if position >= length:
        return 0
    stream.seek(position)
    rest = stream.read(1 << 16)
    return 0 if rest.startswith(TAGS) or not any(rest) else length - position


def _known(size: int) -> int | None:
    """`size`; None for 0, -1 and 2 GB, which sox and arecord write into a pipe."""
    unknown = (
        size == 0
        or 0x7F000000 <= size <= 0x80000100
        or 0xFFFF0000 <= size <= 0xFFFFFFFF
        or size >= 1 << 62
    )
    return None if unknown else size


def _nist_promise(head: bytes, length: int) -> Promise | None:
    names = (b"sample_count", b"channel_count", b"sample_n_bytes")
    counts = [re.search(name + rb" -i (\d+)", head) for name in names]
    first_line = head.split(b"\n")[1:2]
    if not all(counts) or not first_line or not first_line[0].strip().isdigit():
        return None
    count, channels, width = (int(match[1]) for match in counts if match)
    return Promise(count * channels * width, length - int(first_line[0]))


def completed(path: AudioFile) -> io.BytesIO | None:
    """A WAV that was written to a pipe, with its size filled in; None for other formats.

    The whole file is read into memory: callers check its length before.
    """
    with path.open("rb") as stream:
        data = stream.read()
    if data[:4] not in (b"RIFF", b"RF64", b"BW64"):
        return None
    layout, form = _LAYOUTS[data[:4]], b""
    for chunk in _chunks(io.BytesIO(data), layout, len(data), layout.start):
        if chunk.name == FORMAT:
            form = data[chunk.start : chunk.start + chunk.size]
        if chunk.name == b"data":
            samples = data[chunk.start :]
            body = b"WAVE" + _chunk(FORMAT, form) + _chunk(b"data", samples)
            return io.BytesIO(_chunk(b"RIFF", body))
    return None


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content


def ends(path: AudioFile) -> bool:
    """Does an Ogg file end with a whole page that is marked as the last?"""
    with path.open("rb") as stream:
        length = stream.seek(0, 2)
        stream.seek(max(0, length - 2 * MAX_PAGE))
        tail = stream.read()
    start = tail.rfind(PAGE)
    if start < 0 or len(tail) < start + 27:
        return False
    table = tail[start + 27 : start + 27 + tail[start + 26]]
    end = start + 27 + len(table) + sum(table)
    is_last = bool(tail[start + 5] & 4)
    return is_last and len(table) == tail[start + 26] and end <= len(tail)


# A FLAC begins with its name and a block of 34 bytes, which may be its last of this kind.
_FLAC_START = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")


def is_chained(path: AudioFile) -> bool:
    """Do other recordings follow in an Ogg or FLAC? Decoders read the first alone."""
    with path.open("rb") as stream:
        magic = stream.read(4)
        if magic == b"fLaC":
            return len(_FLAC_START.findall(magic + stream.read())) > 1
        return magic == PAGE and _begins_twice(stream)


def _begins_twice(stream: IO[bytes]) -> bool:
    """Does a first page of an Ogg stand behind one that is not the first of its stream?"""
    position, begun = 0, False
    while True:
        stream.seek(position)
        head = stream.read(27)
        if len(head) < 27 or not head.startswith(PAGE):
            return False
        is_first = bool(head[5] & 2)
        if is_first and begun:
            return True
        begun = begun or not is_first
        table = stream.read(head[26])
        position += 27 + len(table) + sum(table)


def flac_sum(path: AudioFile) -> tuple[bytes, int] | None:
    """MD5 of a FLAC's samples and their bits; None where its header has no MD5."""
    with path.open("rb") as stream:
        head = stream.read(42)
    if head[:4] != b"fLaC" or len(head) < 42 or not any(head[26:42]):
        return None
    return head[26:42], ((head[20] & 1) << 4 | head[21] >> 4) + 1


def mp3_says_its_length(path: AudioFile) -> bool:
    """Does the first frame of an MP3 hold an encoder's note about all others?"""
    with path.open("rb") as stream:
        head = stream.read(10)
        if head[:3] == b"ID3":  # a tag before the frame; its size has 7 bits a byte
            size = sum(byte << 7 * (3 - i) for i, byte in enumerate(head[6:10]))
            stream.seek(10 + size)
        else:
            stream.seek(0)
        frame = stream.read(64)
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))


def text_of(path: AudioFile) -> str:
    """The first words of a file of text, such as a web page; "" for any other file."""
    with path.open("rb") as stream:
        head = stream.read(64)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return ""
    text = " ".join(text.split())
    return text[:40] if text.isprintable() else ""
