"""Words with their times, and how token times become borders between words."""

import json
import math
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.text_file import read_lines

MIN_GAP_SEC = 0.32  # pauses between tokens that are longer belong to no word


@dataclass(frozen=True)
class Word:
    """A word of the transcript, as it stands there, and when it is spoken."""

    text: str
    start_sec: float
    end_sec: float
    score: float | None  # mean log probability of its tokens; None: not measured


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
    """Place words so that they touch, unless their tokens lie `min_gap_sec` apart or more.

    CTC is peaky: where a token fires is not where its word ends. The border between two
    words is the midpoint between the last token of one and the first of the next. In a
    longer gap each word reaches half of `min_gap_sec` into it, and the rest belongs to no
    word. The same holds before the first word and after the last one. All times are in
    seconds.
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
    """Place words at equal intervals, for evaluation data that could not be aligned.

    They have no score, because nothing was measured.
    """
    width = duration_sec / len(texts)
    return [Word(t, i * width, (i + 1) * width, None) for i, t in enumerate(texts)]


def mean_score(words: Sequence[Word]) -> float | None:
    """Mean of the scores of an utterance's words; None where one was not measured."""
    scores = [word.score for word in words if word.score is not None]
    if not scores or len(scores) < len(words):
        return None
    return math.fsum(scores) / len(scores)


def write_words(
    path: Path,
    words: Mapping[str, Sequence[Word]],
    faults: Mapping[str, str] | None = None,
) -> None:
    """Write a line `{"id", "words": [[word, start_sec, end_sec, score], ...]}` for each id.

    The lines are sorted by id. A score that was not measured is null. `faults` says of
    some ids why nothing was measured; it becomes "fault" in their lines.
    """
    faults = faults or {}
    with atomic_write(path) as stream:
        for utterance in sorted(words):
            line = line_text(utterance, words[utterance], faults.get(utterance))
            stream.write(line + "\n")


def line_text(utterance: str, words: Sequence[Word], fault: str | None) -> str:
    """A line of `write_words`, without its line feed."""
    rows = [[w.text, w.start_sec, w.end_sec, w.score] for w in words]
    line: dict[str, object] = {"id": utterance, "words": rows}
    if fault is not None:
        line["fault"] = fault
    return json.dumps(line, ensure_ascii=False)


@dataclass(frozen=True)
class Line:
    """A line of `write_words`; `fault` says why nothing was measured."""

    id: str
    words: list[Word]
    fault: str | None


def read_words(path: Path) -> dict[str, list[Word]]:
    """Words by utterance id; raises UserError naming file and line of a malformed one."""
    return {line.id: line.words for line in read_each([path])}


def read_each(paths: Iterable[Path]) -> Iterator[Line]:
    """The lines of several files, one in memory at a time; UserError as of `read_words`."""
    known = set()
    for path in paths:
        for number, text in read_lines(path):
            try:
                line = read_line(text)
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise UserError(f"{path}:{number}: no line of words: {error}") from None
            if line.id in known:
                raise UserError(f"{path}:{number}: {line.id} occurs twice")
            known.add(line.id)
            yield line


def read_line(text: str) -> Line:
    """One line of `write_words`; raises ValueError, TypeError or KeyError for another."""
    line = json.loads(text)
    words = [_word(*row) for row in line["words"]]
    return Line(_text(line["id"]), words, line.get("fault"))


def merge_words(paths: Iterable[Path], path: Path, dropped: Collection[str]) -> None:
    """Write the lines of several files to one, sorted by id, but for `dropped` ids."""
    kept = {}
    for part in paths:
        for _, text in read_lines(part):
            utterance = json.loads(text)["id"]
            if utterance not in dropped:
                kept[utterance] = text
    with atomic_write(path) as stream:
        stream.writelines(kept[utterance] + "\n" for utterance in sorted(kept))


def _word(text: str, start_sec: float, end_sec: float, score: float | None) -> Word:
    for number in (start_sec, end_sec, *(() if score is None else (score,))):
        if type(number) not in (int, float) or not abs(number) < sys.float_info.max:
            raise ValueError(f"'{text}' has {number!r} in place of a number")
    return Word(_text(text), start_sec, end_sec, score)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} in place of a text")
    return value
