"""Reads tab-separated files of corpora, by key; errors name file and line."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from s2st_interleave.errors import UserError
from s2st_interleave.text_file import read_lines


@dataclass(frozen=True)
class Row:
    """The asked-for columns of one line; `twice` is a later line that contradicts it."""

    line: int
    values: tuple[str, ...]
    twice: int = 0  # 0: none
    fault: str = ""  # says that the line has more or fewer columns than the header


def read(
    path: Path,
    key: str,
    columns: tuple[str, ...],
    *,
    header: tuple[str, ...] = (),
    lenient: bool = False,
) -> dict[str, Row]:
    """Rows by the column `key`; `header` names the columns of a file without one.

    A key that occurs twice with the same values is one row; with other values the first row
    stays, and its `twice` is the line of the other. Raises UserError for a missing column,
    and for a line with more or fewer columns than the header. `lenient` keeps such a line
    with a fault, under its key, or as "line <number>" where that is missing.
    """
    lines = rows(path)
    names = list(header) or next(lines, (0, []))[1]
    for name in (key, *columns):
        if name not in names:
            raise UserError(f"{path}:1: no column '{name}' in the header")
    table: dict[str, Row] = {}
    for number, fields in lines:
        fault = ""
        if len(fields) != len(names):
            fault = f"{path}:{number}: {len(fields)} columns, not {len(names)}"
        if fault and not lenient:
            raise UserError(fault)
        known = dict(zip(names, fields, strict=False))
        name = known.get(key, f"line {number}")
        values = tuple(known.get(column, "") for column in columns)
        first = table.setdefault(name, Row(number, values, fault=fault))
        if first.values != values:
            table[name] = replace(first, twice=number)
    return table


def rows(path: Path, *, escape: str | None = "\\") -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every line that is not empty.

    Quotes are read as text: they occur inside sentences. `escape` takes a tab after it as
    text, and ends no line; None: there is no such character. BOM and CRLF, which editors
    add, are no part of a field. Raises UserError, naming file and line, for a line that csv
    cannot read.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; it is part of the corpus")
    reader = csv.reader(
        (_line(text.replace("\r", " "), escape) for _, text in read_lines(path)),
        delimiter="\t",
        quoting=csv.QUOTE_NONE,
        escapechar=escape,
        strict=True,
    )
    try:
        for row in reader:
            if any(row):
                yield reader.line_num, row
    except csv.Error as error:
        raise UserError(f"{path}:{reader.line_num}: {error}") from None


def _line(text: str, escape: str | None) -> str:
    """A line for csv, which would join it with the next one if its end were escaped."""
    bare = text.rstrip(escape) if escape else text
    is_escaped = (len(text) - len(bare)) % 2
    return f"{text}{escape if is_escaped else ''}\n"
