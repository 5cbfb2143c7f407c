"""Columns of a dump: arrays that grow while they are written, read through memory maps."""

import contextlib
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.weights import reading

REMEDY = "rerun stage 5"
Bytes = mmap.mmap | bytes  # of a text file that is mapped into memory, or of none


class ArrayWriter:
    """Writes an .npy file of rows that come in pieces, which are not kept in memory."""

    def __init__(self, stream: IO[bytes], dtype: type[np.integer], width: int = 0):
        """`width` is the number of columns of a row; 0: a row is one number."""
        self._stream, self._dtype = stream, np.dtype(dtype)
        self._row_shape = (width,) if width else ()
        self.num_rows = 0
        self._write_header()

    def append(self, rows: np.ndarray) -> None:
        array = np.ascontiguousarray(rows, dtype=self._dtype)
        self._stream.write(array.reshape(-1, *self._row_shape).tobytes())
        self.num_rows += len(rows)

    def close(self) -> None:
        self._stream.seek(0)
        self._write_header()

    def _write_header(self) -> None:
        """numpy leaves room in it for the digits of any number of rows."""
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self.num_rows, *self._row_shape),
        }
        np.lib.format.write_array_header_1_0(self._stream, header)


@contextlib.contextmanager
def array_writer(
    path: Path, dtype: type[np.integer], width: int = 0
) -> Iterator[ArrayWriter]:
    """An array that appears as a file when all of its rows are written."""
    with atomic_write(path, "wb") as stream:
        writer = ArrayWriter(stream, dtype, width)
        yield writer
        writer.close()


def read_array(path: Path, dtype: type[np.integer], width: int = 0) -> np.ndarray:
    """Map what ArrayWriter wrote into memory; UserError where the file is broken."""
    with reading(path, REMEDY):
        array = np.load(path, mmap_mode="r")
    is_array = isinstance(array, np.ndarray)  # an archive of several is opened as well
    more = (width,) if width else ()
    if (
        not is_array
        or not array.ndim
        or array.shape[1:] != more
        or array.dtype != dtype
    ):
        raise UserError(f"{path} is broken: {REMEDY}")
    return np.asarray(array)  # slices of a plain array cost a tenth of a memmap's


def read_bytes(path: Path) -> Bytes:
    """Map a file of text into memory; an empty file cannot be mapped."""
    with path.open("rb") as stream:
        if not path.stat().st_size:
            return b""
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
