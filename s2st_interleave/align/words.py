"""Words with their times, and how token times become borders between words."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from s2st_interleave.artifact import atomic_write
from s2st_interleave.errors import UserError
from s2st_interleave.text_file import read_lines


@dataclass(frozen=True)
class Word:
    """A word of the transcript, as it stands there, and when it is spoken."""

    text: str
    start_sec: float
    end_sec: float
    score: float  # mean log probability of its tokens; 0 where nothing was measured


@dataclass(frozen=True)
class Firing:
    """When the first and the last token of a word fire (centres of their frames)."""

    first_sec: float
    last_sec: float
    score: float


def place_borders(
    texts: Sequence[str],
    firings: Sequence[Firing],
    duration_sec: float,
    min_gap_sec: float,
) -> list[Word]:
    """Words that touch, unless their tokens lie further apart than `min_gap_sec`.

    CTC is peaky: where a token fires is not where its word ends. The border between two
    words is the midpoint between the last token of one and the first of the next; over a
    longer gap each word reaches half of `min_gap_sec` into it and the rest is nobody's.
    The same holds before the first word and after the last.
    """
    reach = min_gap_sec / 2
    starts, ends = [], []
    head = firings[0].first_sec
    starts.append(0.0 if head <= reach else head - reach)
    for left, right in pairwise(firings):
        gap = right.first_sec - left.last_sec
        into = min(gap, min_gap_sec) / 2
        ends.append(left.last_sec + into)
        starts.append(right.first_sec - into)
    tail = duration_sec - firings[-1].last_sec
    ends.append(duration_sec if tail <= reach else duration_sec - tail + reach)
    return [
        Word(text, round(start, 4), round(end, 4), round(firing.score, 3))
        for text, start, end, firing in zip(texts, starts, ends, firings, strict=True)
    ]


def equal_words(texts: Sequence[str], duration_sec: float) -> list[Word]:
    """Words at equal intervals: for evaluation data that could not be aligned."""
    width = duration_sec / len(texts)
    return [Word(t, i * width, (i + 1) * width, 0.0) for i, t in enumerate(texts)]


def write_words(path: Path, words: dict[str, list[Word]]) -> None:
    """`{"id", "words": [[word, start_sec, end_sec, score], ...]}` a line, by id."""
    with atomic_write(path) as stream:
        for utterance in sorted(words):
            rows = [[w.text, w.start_sec, w.end_sec, w.score] for w in words[utterance]]
            line = {"id": utterance, "words": rows}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_words(paths: Path | Iterable[Path]) -> dict[str, list[Word]]:
    """Words by utterance id; a malformed line is an error naming file and line."""
    found: dict[str, list[Word]] = {}
    for path in [paths] if isinstance(paths, Path) else paths:
        for number, text in read_lines(path):
            try:
                line = json.loads(text)
                utterance, words = line["id"], [Word(*row) for row in line["words"]]
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(f"{path}:{number}: no line of words: {error}") from None
            if utterance in found:
                raise UserError(f"{path}:{number}: {utterance} occurs twice")
            found[utterance] = words
    return found
