"""What the page reads of a stored cell or topline, and of which type it is.

Files are of text, and edited: what is missing or of another type is told with its file, by
`pending` as well as by the page, and not as a traceback of the arithmetic behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2st_interleave import typed_json
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json


@dataclass(frozen=True)
class _Recogniser:
    backend: str
    model: str


@dataclass(frozen=True)
class _Score:
    asr_bleu: float
    ci95: tuple[float, float]
    mos: float | None
    signature: str
    normalizer: str
    system: str
    checkpoint: str
    seed: int
    num_utterances: int
    num_missing: int
    src_wer: float | None
    text_bleu: float | None
    asr: _Recogniser
    tokens_seen: float
    train_sec: float
    hyp: Mapping[str, str]
    utterance_mos: Mapping[str, float]


@dataclass(frozen=True)
class _Scores:
    last: _Score
    best: _Score


@dataclass(frozen=True)
class _Trained:
    tokens_seen: float
    best: str


@dataclass(frozen=True)
class _Git:
    hash: str | None


@dataclass(frozen=True)
class _Cell:
    build: str
    wall_sec: float
    num_train: int
    git: _Git
    train: _Trained
    scores: _Scores
    curve: Mapping[str, list[float]]
    probes: Mapping[str, list[float]]


@dataclass(frozen=True)
class _Topline:
    references: Mapping[str, str]


def read_cell(path: Path) -> dict[str, Any]:
    """A stored cell; UserError where a value is missing or of another type."""
    values = read_json(path)
    cell = typed_json.read(_Cell, values, str(path), others=True)
    for name, columns in (("curve", cell.curve), ("probes", cell.probes)):
        if len({len(column) for column in columns.values()}) > 1:
            raise UserError(
                f"{path}: {name}: columns of unequal length; was it edited?"
            )
    return values


def read_topline(path: Path) -> dict[str, Any]:
    """A pair's stored toplines and references; UserError as `read_cell` does."""
    values = read_json(path)
    typed_json.read(_Topline, values, str(path), others=True)
    return values
