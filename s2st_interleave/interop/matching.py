"""Matches an aligner's words with those of the transcript, by their letters."""

import math
from collections.abc import Sequence
from itertools import pairwise

from s2st_interleave.align.words import Word
from s2st_interleave.data.text import LIKE_LETTERS, STROKE, alike, compatible
from s2st_interleave.errors import UserError
from s2st_interleave.interop.timed import SILENT_WORDS, TimedWord

# Writers and aligners need not agree on these, in whatever language.
LIKE = LIKE_LETTERS["fa"] | LIKE_LETTERS["ro"] | {ord(STROKE): None}
LATE_SEC = 0.25  # words may end this long after the audio, or start this long before it


class Misfit(UserError):
    """An aligner's words are not those of the transcript, or not of its audio."""


def letters(text: str) -> str:
    """The letters that aligner and transcript must share, in lower case.

    >>> letters("L'Homme-là !")
    'lhommelà'
    """
    return "".join(alike(compatible(text).translate(LIKE)).split())


def match(
    words: Sequence[str], timed: Sequence[TimedWord], duration_sec: float
) -> list[Word]:
    """Times for the `words` of a transcript.

    Aligners may cut words otherwise ("l'" + "homme", "well" + "known", or two words as
    one), so that only the sequence of all letters must agree. The letters of an aligner's
    word are taken to last equally long. Raises Misfit where letters or times do not fit.
    """
    silent = SILENT_WORDS - set(map(letters, words))
    timed = [w for w in timed if letters(w.text) and letters(w.text) not in silent]
    _check_letters(words, timed)
    _check_times(timed, duration_sec)
    starts: list[float] = []  # one for each letter
    ends: list[float] = []
    scores: list[float | None] = []
    for word in timed:
        count = len(letters(word.text))
        width = (word.end_sec - word.start_sec) / count
        starts += [word.start_sec + i * width for i in range(count)]
        ends += [word.start_sec + (i + 1) * width for i in range(count)]
        scores += [word.score] * count
    matched, position = [], 0
    for text in words:
        last = position + len(letters(text))
        matched.append(
            Word(
                text,
                round(_within(starts[position], duration_sec), 4),
                round(_within(ends[last - 1], duration_sec), 4),
                _mean(scores[position:last]),
            )
        )
        position = last
    return matched


def _within(time_sec: float, duration_sec: float) -> float:
    return min(max(0.0, time_sec), duration_sec)


def _mean(scores: Sequence[float | None]) -> float | None:
    """The mean score; None if one of them is None."""
    known = [score for score in scores if score is not None]
    return round(sum(known) / len(known), 3) if len(known) == len(scores) else None


def _check_letters(words: Sequence[str], timed: Sequence[TimedWord]) -> None:
    wanted = "".join(map(letters, words))
    aligned = "".join(letters(word.text) for word in timed)
    if aligned != wanted:
        text = " ".join(word.text for word in timed)
        raise Misfit(f"aligned is '{text}', the transcript is '{' '.join(words)}'")


def _check_times(timed: Sequence[TimedWord], duration_sec: float) -> None:
    for word in timed:
        if math.isnan(word.start_sec + word.end_sec):
            raise Misfit(f"the aligner gave no time to '{word.text}'")
        is_near = (
            word.start_sec >= -LATE_SEC and word.end_sec <= duration_sec + LATE_SEC
        )
        if not is_near or word.start_sec > duration_sec or word.end_sec < 0:
            raise Misfit(
                f"'{word.text}' lies at {word.start_sec:.2f}..{word.end_sec:.2f} s of "
                f"{duration_sec:.2f} s: are times those of a longer recording?"
            )
        if word.end_sec < word.start_sec:
            raise Misfit(f"'{word.text}' ends before it starts")
    for left, right in pairwise(timed):
        if right.start_sec < left.end_sec - 0.02:
            raise Misfit(f"'{left.text}' and '{right.text}' overlap")
