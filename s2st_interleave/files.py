"""Files that appear whole or not at all, and JSON whose errors name file and key."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, TypeVar, get_type_hints

from s2st_interleave.errors import UserError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

TEMPORARY = re.compile(r"\..+\.\d+\.tmp")  # of atomic_write: .<name>.<process>.tmp
LONGEST = 200  # bytes of a name in a temporary one; a file system takes 255
_swept: set[Path] = set()  # folders in which this process has looked for left ones


@contextlib.contextmanager
def atomic_write(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file for writing; it appears under its name, by rename, when all is written.

    After an error the file is as it was before. Its content is on disk before it has its
    name, so that a power cut leaves the one or the other file, never an empty one. What a
    process that was killed has left in the folder is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    temporary = path.with_name(f".{_short(path.name)}.{os.getpid()}.tmp")
    try:
        with _opened(temporary, mode) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.errno and error.filename in (None, str(temporary)):
            error.filename, error.filename2 = str(path), None  # for people
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _short(name: str) -> str:
    """The name, or a digest of one that leaves no room for a few characters more."""
    content = os.fsencode(name)
    return name if len(content) <= LONGEST else hashlib.sha256(content).hexdigest()


def _opened(temporary: Path, mode: str) -> IO[Any]:
    """A new file, locked as long as it is open, by which others know that it is used."""
    while True:
        stream = temporary.open(mode, encoding=None if "b" in mode else "utf-8")
        with contextlib.suppress(OSError):  # the file system may have no locks
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(stream.fileno()).st_nlink:
            return stream
        stream.close()  # another process has swept it before it was locked


def _sweep(folder: Path) -> None:
    """Remove temporary files whose process is gone; looks once into each folder."""
    if folder in _swept:
        return
    _swept.add(folder)
    with os.scandir(folder) as entries:
        left = [Path(e.path) for e in entries if TEMPORARY.fullmatch(e.name)]
    for path in left:
        # Without locks nobody knows whether it is used: it stays.
        with contextlib.suppress(OSError), path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def sync(path: Path) -> None:
    """Have a file's content, or the names in a folder, on disk, whatever happens next."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # of a file system that syncs no folders
            raise
    finally:
        os.close(descriptor)


def sync_tree(directory: Path) -> None:
    """Have all of a folder on disk: contents first, then names, its own last.

    What is there already costs next to nothing.
    """
    for folder, _, names in os.walk(directory, topdown=False):
        for name in names:
            sync(Path(folder, name))
        sync(Path(folder))
    sync(directory.parent)


def remove_tree(path: Path) -> None:
    """Remove a folder, if there is one; of a link to a folder the link alone."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, by rename."""
    with atomic_write(path) as stream:
        json.dump(value, stream, indent=1, ensure_ascii=False)
        stream.write("\n")


class _Object(dict[str, Any]):
    """An object of a JSON file; asking for a missing key raises UserError with the file."""

    where: str

    def __missing__(self, key: str) -> NoReturn:
        raise UserError(f"{self.where}: no '{key}' in it; was it edited?")


def parse_json(text: bytes | str, where: str, **how: Any) -> Any:
    """The value of a JSON text; UserError, naming `where` it is from, where it is none."""
    try:
        return json.loads(text, **how)
    except ValueError as error:
        raise UserError(f"{where}: not JSON: {error}") from None
    except RecursionError:
        raise UserError(
            f"{where}: brackets within brackets, too deep to read"
        ) from None


def _object(text: bytes, where: str) -> dict[str, Any]:
    def make(pairs: list[tuple[str, Any]]) -> _Object:
        content = _Object(pairs)
        content.where = where
        return content

    value = parse_json(text, where, object_pairs_hook=make)
    if not isinstance(value, dict):
        raise UserError(f"{where}: no JSON object")
    return value


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; UserError naming the file where it holds none."""
    return _object(path.read_bytes(), str(path))


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file, one a line; UserError names the line that holds none."""
    return list(json_lines(path))


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """As `read_json_lines`, but only one object is in memory."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            yield _object(line, f"{path}:{number}")


def read_as(cls: type[T], path: Path) -> T:
    """A dataclass from a JSON file; UserError unless its keys are exactly the fields.

    Fields are numbers or texts, and a whole number may stand for a float.
    """
    values = read_json(path)
    names = [field.name for field in fields(cls)]
    for name in (*(n for n in names if n not in values), *values):
        if (name in values) != (name in names):
            fault = "not known" if name in values else "missing"
            raise UserError(f"{path}: '{name}' is {fault}; was it edited?")
    for name, wanted in get_type_hints(cls).items():
        if type(values[name]) not in ((int, float) if wanted is float else (wanted,)):
            raise UserError(
                f"{path}: '{name}' is {values[name]!r}, wants {wanted.__name__}; was it edited?"
            )
    return cls(**values)


def file_digest(path: Path) -> str:
    """sha256 of a file's content, in hexadecimal."""
    return _digest(path)


def read_digest(path: Path) -> str:
    """As `file_digest`, and the file is read whatever `digests_by` says."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


_digest: Callable[[Path], str] = read_digest


@contextlib.contextmanager
def digests_by(known: Callable[[Path], str]) -> Iterator[None]:
    """Inside, `file_digest` asks `known`, which may remember what it has read."""
    global _digest
    before, _digest = _digest, known
    try:
        yield
    finally:
        _digest = before
