"""A bad input as a line of a table: what a reader is given, and what comes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Reads:
    """The input is read after all, and means `value`."""

    value: Any


Content = bytes | str | Mapping[str, bytes | str] | Callable[[], bytes]
# A telling name, the content of the reader's file, or of several by their names, and the
# part of the error's line that names file, line or utterance, or what to do.
Row = tuple[str, Content, str | Reads]


@dataclass(frozen=True)
class Reader:
    """A function that a stage reads the file `name` with, and what it is given."""

    name: str
    read: Callable[[Path], Any]
    rows: list[Row]


def write(content: Content, name: str) -> None:
    """Write the files of a row into the current folder."""
    content = content() if callable(content) else content
    for path, text in (
        content if isinstance(content, Mapping) else {name: content}
    ).items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(text.encode() if isinstance(text, str) else text)
