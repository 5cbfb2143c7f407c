"""Tells quotes that a program has put around the fields of a table from those of a text.

The decision is taken for a whole column. Its quotes are a program's if no field speaks
against it, by a quote at its start but none at its end or by a single one inside, and if
one of these holds:

- the column's name in the header is in quotes: pandas, csv or R that quote every text;
- each of its fields is in quotes, and there are ten or more, or the whole file is so;
- a field has a doubled quote inside, `"a ""b"" c"`: csv, pandas, Excel;
- the fields in quotes are those with a comma, three or more: Excel.

Otherwise they belong to the text: `"Adeus", said he`, or a sentence that is a quotation.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from s2st_interleave.errors import UserError

DOUBLED = re.compile(r'"((?:[^"]|"")*)"')
ESCAPED = re.compile(r'"((?:[^"\\]|\\.)*)"')  # R's write.table
MANY_FIELDS, MANY_COMMAS = 10, 3

Rows = list[tuple[int, list[str]]]


def bare(field: str, style: re.Pattern[str] = DOUBLED) -> str:
    """A field without the quotes around it, and with those inside of it unescaped."""
    if field[:1] != '"' or not style.fullmatch(field):
        return field
    inner = field[1:-1]
    if style is DOUBLED:
        return inner.replace('""', '"')
    return re.sub(r"\\(.)", r"\1", inner)


def without_quotes(path: Path, header: Sequence[str], rows: Rows) -> Rows:
    """Rows of `path` without a program's quotes; prints the columns that have quotes.

    Rows are line number and fields, as many as the header has. Raises UserError for a
    field whose quotes are not well-formed in a column whose header is in quotes.
    """
    whole_file = all(_is_quoted(field) for _, row in rows for field in row)
    columns = []
    for place, name in enumerate(header):
        fields = [row[place] for _, row in rows]
        unsound = [n for n, row in rows if not _is_sound(row[place], DOUBLED)]
        style = _style(fields, is_sure=whole_file or _is_quoted(name))
        if style:
            fields = [bare(field, style) for field in fields]
            print(f"{path}: column {bare(name)} is in quotes, they are taken off")
        elif _is_quoted(name) and unsound:
            raise UserError(
                f"{path}:{unsound[0]}: column {bare(name)} is in quotes by its header, "
                "this field is not rightly so: a quote inside is written twice"
            )
        elif any(_is_quoted(field) for field in fields):
            print(f"{path}: column {bare(name)} has quotes of its own, they stay")
        columns.append(fields)
    numbers = [number for number, _ in rows]
    return list(zip(numbers, map(list, zip(*columns, strict=True)), strict=True))


def _style(fields: Sequence[str], *, is_sure: bool) -> re.Pattern[str] | None:
    """The style in which a program has quoted a column; None: it has not."""
    quoted = [field for field in fields if _is_quoted(field)]
    commas = [field for field in fields if "," in field]
    doubled = any('""' in field[1:-1] for field in quoted)
    by_comma = len(commas) >= MANY_COMMAS and quoted == commas
    everywhere = len(fields) >= MANY_FIELDS and len(quoted) == len(fields)
    if not (is_sure or doubled or by_comma or everywhere):
        return None
    for style in (DOUBLED, ESCAPED) if is_sure else (DOUBLED,):
        if all(_is_sound(field, style) for field in fields):
            return style if quoted else None
    return None


def _is_quoted(field: str) -> bool:
    return len(field) > 1 and field[0] == field[-1] == '"'


def _is_sound(field: str, style: re.Pattern[str]) -> bool:
    return field[:1] != '"' or style.fullmatch(field) is not None
