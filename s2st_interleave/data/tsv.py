"""Tab-separated files as corpora ship them, by key; errors name file and line."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.errors import UserError
from s2st_interleave.text_file import read_lines


@dataclass(frozen=True)
class Row:
    """The asked-for columns of one line; `twice` is a later line that contradicts it."""

    line: int
    values: tuple[str, ...]
    twice: int = 0  # 0: none


def read(
    path: Path, key: str, columns: tuple[str, ...], *, header: tuple[str, ...] = ()
) -> dict[str, Row]:
    """Rows by the column `key`; `header` names the columns of a file without one.

    A key that occurs twice with the same values is one row; with other values the first
    stays and is marked. Raises UserError for a column or a field that is missing.
    """
    lines = rows(path)
    names = list(header) or next(lines, (0, []))[1]
    for name in (key, *columns):
        if name not in names:
            raise UserError(f"{path}:1: no column '{name}' in the header")
    places = [names.index(name) for name in columns]
    table: dict[str, Row] = {}
    for number, fields in lines:
        if len(fields) != len(names):
            raise UserError(f"{path}:{number}: {len(fields)} columns, not {len(names)}")
        name = fields[names.index(key)]
        values = tuple(fields[place] for place in places)
        first = table.setdefault(name, Row(number, values))
        if first.values != values:
            table[name] = Row(first.line, first.values, twice=number)
    return table


def rows(path: Path, *, escape: str | None = "\\") -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every line that has some.

    No quoting: quotes occur inside sentences. `escape` takes the sense from what follows
    it, None: nothing does. "NA" is a word. BOM and CRLF, which editors add, are no part
    of a field.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; it is part of the corpus")
    reader = csv.reader(
        (text.replace("\r", " ") + "\n" for _, text in read_lines(path)),
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
