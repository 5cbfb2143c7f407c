"""The units of an utterance, partitioned into runs of words and what lies between."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from s2st_interleave.data.text import join
from s2st_interleave.errors import UserError


class Segment(NamedTuple):
    """Units [start_unit, end_unit), and the words that replace them, or none."""

    start_unit: int
    end_unit: int
    words: range


@dataclass(frozen=True)
class Side:
    """The units and words of one side of an utterance.

    units: int32 (num_units,); words: as they stand in the transcript; spans: int32
    (num_words, 2), half-open, rising, not overlapping, within the units.
    """

    units: np.ndarray
    words: tuple[str, ...]
    spans: np.ndarray

    @property
    def text(self) -> str:
        return join(self.words)


def to_unit_spans(
    times: Sequence[tuple[float, float]], unit_sec: float, num_units: int
) -> np.ndarray:
    """Turn word times in seconds into int32 (num_words, 2) of half-open unit spans.

    `unit_sec` is the length of a unit in seconds. Borders are rounded to the nearest
    unit; where two words share a border it falls on one unit for both. A span is never
    empty unless there are fewer units than words.
    """
    spans = np.zeros((len(times), 2), dtype=np.int32)
    floor = 0
    for index, (start_sec, end_sec) in enumerate(times):
        left = len(times) - index - 1  # words still to come want a unit each
        start = max(floor, min(round(start_sec / unit_sec), num_units - left - 1))
        end = max(start + 1, min(round(end_sec / unit_sec), num_units - left))
        spans[index] = min(start, num_units), min(end, num_units)
        floor = int(spans[index, 1])
    return spans


def uniform_spans(num_words: int, num_units: int) -> np.ndarray:
    """Equal intervals in place of an alignment (paper Table 3).

    They are int32 (num_words, 2), half-open, where the paper's include their end:
    a_i = i * floor(M/N), b_i = (i+1) * floor(M/N) - 1, i from 0. The units that remain, all
    of them where there are fewer than words, stand behind the last word at every ratio.
    """
    width = num_units // num_words if num_words else 0
    starts = np.arange(num_words, dtype=np.int32) * width
    return np.stack([starts, starts + width], axis=1).astype(np.int32)


def segment_units(
    num_units: int, spans: np.ndarray, replaced: np.ndarray
) -> list[Segment]:
    """Partition 0..num_units into runs of replaced words and the units between them.

    spans: int (num_words, 2), as `check_spans` wants them; replaced: bool (num_words,). A
    run is maximal and has the gaps inside it; other words and gaps stay units.
    """
    segments, position, borders = [], 0, spans.tolist()
    for run in _RUN.finditer(replaced.tobytes()):
        words = range(*run.span())
        start, end = borders[words[0]][0], borders[words[-1]][1]
        if start > position:
            segments.append(Segment(position, start, _NO_WORDS))
        segments.append(Segment(start, end, words))
        position = end
    if position < num_units:
        segments.append(Segment(position, num_units, _NO_WORDS))
    return segments


_RUN = re.compile(b"\x01+")  # bytes of a bool array
_NO_WORDS = range(0)


def check_spans(num_units: int, spans: np.ndarray) -> None:
    """Raise UserError where spans overlap, run backwards or leave the utterance."""
    position = 0
    for word, (start, end) in enumerate(spans.tolist()):
        if not position <= start <= end <= num_units:
            raise UserError(
                f"word {word} spans units {start}..{end} after {position}, "
                f"of {num_units} units in all"
            )
        position = end
