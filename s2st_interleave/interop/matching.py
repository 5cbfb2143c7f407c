"""Words of an aligner onto words of the transcript, by the letters they are made of."""

import math
from collections.abc import Sequence
from itertools import pairwise

from s2st_interleave.align.words import Word
from s2st_interleave.data.text import spoken_form
from s2st_interleave.errors import UserError
from s2st_interleave.interop.timed import TimedWord

LATE_SEC = 0.25  # how far words may end behind the audio's end, or start early


class Misfit(UserError):
    """An aligner's words are not those of the transcript, or not of its audio."""


def letters(text: str) -> str:
    """What the two sides must share: lower case, no punctuation, no space.

    >>> letters("L'Homme-là !")
    'lhommelà'
    """
    return "".join(spoken_form(text).replace("'", "").split())


def match(
    words: Sequence[str], timed: Sequence[TimedWord], duration_sec: float
) -> list[Word]:
    """Times for `words` as they stand in the transcript.

    Aligners cut otherwise ("l'" + "homme", "well" + "known", or two words as one): what
    must agree is the letters of all words in a row. Inside of an aligner's word letters
    are taken to last equally long. Raises Misfit where letters or times do not fit.
    """
    timed = [word for word in timed if letters(word.text)]
    _check_letters(words, timed)
    _check_times(timed, duration_sec)
    starts: list[float] = []  # of each letter
    ends: list[float] = []
    scores: list[float | None] = []
    for word in timed:
        count = len(letters(word.text))
        width = (word.end_sec - word.start_sec) / count
        starts += [word.start_sec + i * width for i in range(count)]
        ends += [word.start_sec + (i + 1) * width for i in range(count)]
        scores += [word.score] * count
    found, position = [], 0
    for text in words:
        last = position + len(letters(text))
        found.append(
            Word(
                text,
                round(max(0.0, starts[position]), 4),
                round(min(duration_sec, ends[last - 1]), 4),
                _mean(scores[position:last]),
            )
        )
        position = last
    return found


def _mean(scores: Sequence[float | None]) -> float | None:
    """None where the aligner told none for one of them."""
    known = [score for score in scores if score is not None]
    return round(sum(known) / len(known), 3) if len(known) == len(scores) else None


def _check_letters(words: Sequence[str], timed: Sequence[TimedWord]) -> None:
    wanted = "".join(map(letters, words))
    heard = "".join(letters(word.text) for word in timed)
    if heard != wanted:
        said = " ".join(word.text for word in timed)
        raise Misfit(f"aligned is '{said}', the transcript is '{' '.join(words)}'")


def _check_times(timed: Sequence[TimedWord], duration_sec: float) -> None:
    for word in timed:
        if math.isnan(word.start_sec + word.end_sec):
            raise Misfit(f"the aligner gave no time to '{word.text}'")
        early = word.start_sec < -LATE_SEC
        if early or word.end_sec > duration_sec + LATE_SEC:
            raise Misfit(
                f"'{word.text}' lies at {word.start_sec:.2f}..{word.end_sec:.2f} s of "
                f"{duration_sec:.2f} s: are times those of a longer recording?"
            )
        if word.end_sec < word.start_sec:
            raise Misfit(f"'{word.text}' ends before it starts")
    for left, right in pairwise(timed):
        if right.start_sec < left.end_sec - 0.02:
            raise Misfit(f"'{left.text}' and '{right.text}' overlap")
