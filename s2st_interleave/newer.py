"""Says in names and dates what has changed of a stage's inputs since it was made."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from s2st_interleave import promises
from s2st_interleave.promises import DONE, OPEN, and_more

_HASH = re.compile(r"[0-9a-f]{64}")


def is_hash(value: object) -> bool:
    """Whether a recorded input is a hash, which tells a reader nothing, or a text."""
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def date(path: Path) -> str:
    """When a file was changed last, to the minute, in local time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))


def input_line(
    key: str,
    old: str | None,
    new: str | None,
    path: Path | None,
    before: Mapping[str, Any],
    now: Mapping[str, Any],
) -> str:
    """What has become of an input: another path, another text, or another content.

    `path` is where it lies now, None where it is no file; `before` and `now` are records
    of the stage (record.py).
    """
    there = _path_before(path, before, now)
    if path is not None and new is None:
        return f"input {key}: {path} was read, is not any more"
    if path is not None and old is None:
        return f"input {key}: {path} is read, was not before"
    if path is not None and old is not None and not is_hash(old):
        return f"input {key}: was {old}, is {path}"
    if there is not None and there != path:
        return f"input {key}: was {there}, is {path}"
    if is_hash(old) and is_hash(new):
        place = f": {path}" if path is not None else ""
        return f"input {key}{place} has changed"
    return f"input {key}: was {_text(old)}, is {_text(new)}"


def _text(value: str | None) -> str:
    return "a file or folder" if is_hash(value) else str(value)


def _path_before(
    path: Path | None, before: Mapping[str, Any], now: Mapping[str, Any]
) -> Path | None:
    """Where the input lay when the stage was made, by the options that hold its path."""
    if path is None:
        return None
    for name, value in now.get("paths", {}).items():
        earlier = _listed(before.get("paths", {}).get(name))
        for number, folder in enumerate(_listed(value)):
            if path.is_relative_to(folder) and number < len(earlier):
                return Path(earlier[number]) / path.relative_to(folder)
    return path


def _listed(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(each) for each in value] if isinstance(value, list | tuple) else []


def paths_of(record: Mapping[str, Any]) -> list[Path]:
    """All paths among the options of a record."""
    values = record.get("paths", {}).values()
    return [Path(each) for value in values for each in _listed(value)]


def newer_files(path: Path, directory: Path, *, only_files: bool = False) -> list[str]:
    """A line about each file of `path` that is newer than the record of `directory`.

    A directory of a stage counts with its outputs, another folder with the files in it.
    Where none is newer a line says what else is known of a folder, unless `only_files`.
    """
    made = _made(directory)
    if made is None or not path.exists():
        return []
    files = [p for p in _files(path) if p.stat().st_mtime > made]
    lines = [f"{file} changed on {date(file)}" for file in files[:MOST_NAMED]]
    if lines and len(files) > MOST_NAMED:
        lines[-1] += and_more(len(files) - MOST_NAMED)
    if not files and path.is_dir() and not only_files:
        lines = [_otherwise(path, made)]
    return lines


MOST_NAMED = 3


def _made(directory: Path) -> float | None:
    """Seconds at which the record of a directory was written; None without one."""
    records = (directory / name for name in (DONE, OPEN))
    return next((r.stat().st_mtime for r in records if r.is_file()), None)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif (path / DONE).is_file():
        yield from promises.own_files(path)
    else:
        yield from sorted(p for p in path.iterdir() if p.is_file())


def _otherwise(path: Path, made: float) -> str:
    """What is known of a folder that has changed although no file of it is newer."""
    if (path / DONE).is_file() and (path / DONE).stat().st_mtime > made:
        return f"{path} was made anew on {date(path / DONE)}"
    if os.stat(path).st_mtime > made:
        return f"files were added to {path}, removed or renamed on {date(path)}"
    return f"no file of {path} is newer: it was put in another one's place"
