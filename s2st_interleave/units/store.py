"""Units on disk: `units.<side>.{ark,scp}`, int32 vectors in Kaldi's format."""

import mmap
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from s2st_interleave.data.kaldi import read_table, write_table
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.recipe_paths import beside
from s2st_interleave.weights import reading


def write_units(stem: Path, units: Mapping[str, np.ndarray]) -> None:
    """Write `<stem>.ark` and, last, `<stem>.scp`, both sorted by utterance id."""
    write_in_order(stem, ((key, units[key]) for key in sorted(units)))


def write_in_order(stem: Path, units: Iterable[tuple[str, np.ndarray]]) -> None:
    """Write `<stem>.ark` in the order given, and `<stem>.scp` sorted by utterance id."""
    import kaldiio  # which has no types

    ark = stem.with_name(f"{stem.name}.ark")
    offsets = {}
    with atomic_write(ark, "wb") as stream:
        for utterance, each in units:
            stream.write(f"{utterance} ".encode())
            offsets[utterance] = f"{ark}:{stream.tell()}"
            kaldiio.matio.write_array(stream, each.astype(np.int32))
    write_table(stem.with_name(f"{stem.name}.scp"), offsets)


def read_units(stem: Path) -> dict[str, np.ndarray]:
    """int32 (num_units,) by utterance id, through `<stem>.scp`; UserError if broken.

    An archive of numbers that another program wrote gives those, of its own type and shape.
    """
    scp = stem.with_name(f"{stem.name}.scp")
    return {k: _read(place, scp, k) for k, place in read_table(scp).items()}


# How Kaldi's arrays start: binary vectors of integers, other binary ones, text. kaldiio would
# also run a command for a place that ends with "|", and what a pickle (PKL) asks for.
INTEGERS, BINARY, TEXT = b"\0B\4", b"\0B", re.compile(rb"[\s\[\d.-]")
INTEGER = np.dtype([("bytes", "i1"), ("value", "<i4")])
PLACE = re.compile(
    r"(?P<ark>.+?)(:(?P<offset>\d{1,18}))?(\[(?P<first>\d+):(?P<last>\d+)\])?"
)


def _read(place: str, scp: Path, utterance: str) -> np.ndarray:
    """The array at `<ark>:<offset>`, or its rows `[first:last]`, the last one included."""
    where = f"{scp}: {utterance}"
    match = PLACE.fullmatch(place)
    if not match or place.strip()[-1:] == "|":
        raise UserError(f"{where}: '{place}' is no <ark>:<offset>")
    path = beside(match["ark"], scp)
    with (
        reading(path),
        path.open("rb") as file,
        # A map ends where the file does, whatever length a header claims.
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as stream,
    ):
        stream.seek(int(match["offset"] or 0))
        array = _array(stream, f"{where}: {place}")
    rows = slice(int(match["first"]), int(match["last"]) + 1) if match["first"] else ...
    return array[rows]


def _array(stream: mmap.mmap, where: str) -> np.ndarray:
    """The array that starts here; UserError where none does, ValueError for a broken one."""
    head = stream.read(3)
    if head == INTEGERS:
        count = int.from_bytes(stream.read(4), "little")
        numbers = np.frombuffer(stream.read(INTEGER.itemsize * count), INTEGER)
        if len(numbers) != count or not np.all(numbers["bytes"] == 4):
            raise ValueError(f"{where}: not {count} integers")
        return np.ascontiguousarray(numbers["value"], np.int32)
    if not head.startswith(BINARY) and not TEXT.match(head):
        raise UserError(f"{where}: no array of Kaldi starts here")
    stream.seek(-len(head), os.SEEK_CUR)
    import kaldiio

    try:
        return kaldiio.matio.read_kaldi(stream)
    except (AssertionError, TypeError, RuntimeError) as error:
        raise ValueError(f"{where}: {error}") from error
