"""Reads text files of users: UTF-8, or an error that names file and line."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from s2st_interleave.errors import UserError

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """The text of a file, lines ended by line feeds; UserError where it is not UTF-8."""
    return "".join(f"{text}\n" for _, text in read_lines(path))


def read_paragraph(path: Path | None) -> str:
    """The words of a file as one paragraph, as lines may end anywhere; "" for no file."""
    return " ".join(read_text(path).split()) if path else ""


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line, without its ending; UserError if it is not UTF-8.

    Only a line feed, with or without a carriage return, ends a line: Unicode's other line
    ends occur inside sentences. A byte order mark, which editors add, is left out. A NUL is
    in no text, and is an error as well. So is a file that has carriage returns alone.
    """
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                reason = f"{error.reason}, byte {error.start}"
                if number == 1 and line.startswith(UTF_16):
                    reason = "it begins as UTF-16 does"
                raise UserError(
                    f"{path}:{number}: not UTF-8 ({reason}): save the file as UTF-8"
                ) from None
            if number == 1:
                text = text.removeprefix("\ufeff")
                if not text.endswith("\n") and "\r" in text.rstrip("\r"):
                    raise UserError(
                        f"{path}: its lines end in carriage returns alone: save it with "
                        "line feeds"
                    )
            if "\0" in text:
                raise UserError(
                    f"{path}:{number}: no text, it holds a NUL byte: is the file damaged, "
                    "or saved as UTF-16? Save it as UTF-8"
                )
            yield number, text.rstrip("\r\n")
