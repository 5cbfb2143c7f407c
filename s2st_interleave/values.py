"""Converts the text of an option to a value of its type, or says what the type allows."""

import difflib
import math
import re
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2st_interleave.yaml_text import NUMBER, WHOLE

MOST_DIGITS = 18  # of an integer, so that it fits 64 bits


class Device(str):
    """An option's value that names the device of a model.

    >>> Device("cuda:1")
    'cuda:1'
    """

    def __new__(cls, text: str) -> "Device":
        if not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]+)?", text):
            meant = re.fullmatch(r"(?i)(gpu|cuda|nvidia|rocm)(:?[0-9]+)?", text)
            hint = "; did you mean 'cuda'?" if meant else ""
            raise ValueError(f"auto, cpu, cuda, or cuda:1 for the second GPU{hint}")
        return super().__new__(cls, text)


@dataclass(frozen=True)
class Range:
    """The numbers that an option may have; None: no bound on that side."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, number: float) -> bool:
        return (
            (self.minimum is None or number >= self.minimum)
            and (self.maximum is None or number <= self.maximum)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
        )

    def __str__(self) -> str:
        """The bounds in words, for messages and help.

        >>> str(Range(minimum=0, below=1))
        'at least 0 and less than 1'
        """
        bounds = {
            "at least": self.minimum,
            "more than": self.above,
            "at most": self.maximum,
            "less than": self.below,
        }
        return " and ".join(f"{k} {v}" for k, v in bounds.items() if v is not None)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an error message: the name in `known` most like `name`; "" for none."""
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{match[0]}'?" if match else ""


def converted(value: Any, hint: Any) -> Any:
    """Convert a scalar's text, None (an empty value) or a list to the type `hint`.

    An empty value becomes "" for text, () for a list and None for an optional type.
    Raises ValueError whose message says what is wanted.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if is_optional(hint):
        if value in (None, "", "none"):
            return None
        return converted(value, next(a for a in arguments if a is not type(None)))
    if origin is tuple:
        items = words(value or "", arguments[0]) if _is_text(value) else value
        if not isinstance(items, list):
            raise ValueError("a list, or words with spaces between them")
        return tuple(converted(item, arguments[0]) for item in items)
    if not _is_text(value):
        raise ValueError("one value")
    text = value or ""
    if origin is typing.Literal and text not in arguments:
        raise ValueError(f"one of {', '.join(arguments)}{nearest(text, arguments)}")
    if origin is typing.Literal:
        return text
    if not text and hint is not str:
        raise ValueError("a value, and there is none")
    read: dict[Any, Callable[[str], Any]] = {int: whole, float: number, bool: switch}
    return read.get(hint, hint)(text)


def is_optional(hint: Any) -> bool:
    """Is the type a union, which here is always of one type and None?"""
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def switch(text: str) -> bool:
    """The boolean that `text` is; ValueError for anything but true and false."""
    if text not in ("true", "false"):
        raise ValueError("true or false")
    return text == "true"


def whole(text: str) -> int:
    """The integer that `text` is; ValueError for anything else.

    >>> whole("010"), whole("-3")
    (10, -3)
    """
    if re.fullmatch(WHOLE, text):
        if len(text) > MOST_DIGITS:
            raise ValueError(f"an integer of at most {MOST_DIGITS} digits")
        return int(text)
    is_whole = re.fullmatch(NUMBER, text) and float(text).is_integer()
    raise ValueError("an integer" + (f": {int(float(text))}" if is_whole else ""))


def number(text: str) -> float:
    """The finite number that `text` is; ValueError for anything else.

    >>> number("1e-3"), number("32")
    (0.001, 32.0)
    """
    if not re.fullmatch(NUMBER, text) or math.isinf(float(text)):
        raise ValueError("a number")
    return float(text)


def words(text: str, hint: Any) -> list[str]:
    """Split `text` at its spaces, unless it is a path that exists, with spaces in it."""
    is_path = hint is Path and text.strip() and Path(text).exists()
    return [text] if is_path else text.split()
