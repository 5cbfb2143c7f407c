"""What the page reads of a stored cell or topline, and of which kind it is.

Files are of text, and edited: what is of another kind is told with its file, by `pending`
as well as by the page, and not as a traceback of the arithmetic behind it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and value == value


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number_or_none(value: Any) -> bool:
    return value is None or _is_number(value)


def _is_text_or_none(value: Any) -> bool:
    return value is None or _is_text(value)


def _is_bounds(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


def _is_columns(value: Any) -> bool:
    """Columns of numbers that are all as long."""
    if not isinstance(value, dict) or not all(
        isinstance(c, list) for c in value.values()
    ):
        return False
    columns = list(value.values())
    return len({len(column) for column in columns}) <= 1 and all(
        _is_number(number) for column in columns for number in column
    )


_SCORE = {
    "asr_bleu": _is_number,
    "ci95": _is_bounds,
    "mos": _is_number_or_none,
    "signature": _is_text,
    "normalizer": _is_text,
    "tokens_seen": _is_number,
    "train_sec": _is_number,
    "hyp": _is_texts,
    "utterance_mos": _is_numbers,
}
_CELL = {
    "identity": _is_text,
    "build": _is_text,
    "wall_sec": _is_number,
    "num_train": _is_number,
    "git": {"hash": _is_text_or_none},
    "train": {"tokens_seen": _is_number, "best": _is_text},
    "scores": {"last": _SCORE, "best": _SCORE},
    "curve": _is_columns,
    "probes": _is_columns,
}
_TOPLINE = {"identity": _is_text, "references": _is_texts}


def read_cell(path: Path) -> dict[str, Any]:
    """A stored cell; UserError where a value is of another kind."""
    return _read(path, _CELL)


def read_topline(path: Path) -> dict[str, Any]:
    """A pair's stored toplines and references; UserError as `read_cell` does."""
    return _read(path, _TOPLINE)


def _read(path: Path, wanted: Mapping[str, Any]) -> dict[str, Any]:
    values = read_json(path)
    _check(values, wanted, f"{path}: ")
    return values


def _check(values: Mapping[str, Any], wanted: Mapping[str, Any], where: str) -> None:
    for name, kind in wanted.items():
        if name not in values:
            continue  # told where it is read
        if isinstance(kind, Mapping) and isinstance(values[name], dict):
            _check(values[name], kind, f"{where}{name}: ")
        elif isinstance(kind, Mapping) or not kind(values[name]):
            raise UserError(f"{where}'{name}' is of another kind; was it edited?")
