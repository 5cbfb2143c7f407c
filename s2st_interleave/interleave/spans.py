"""Algorithm 1 of the paper (Sec. 3.2): it chooses the words that appear as text."""

import math
from bisect import bisect_right
from functools import cache
from typing import Literal

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.keyed import Stream

SpanRule = Literal["literal", "exact"]

NUM_DRAWS = 200  # for the mean share of a sentence of some length


def choose_spans(
    num_words: int,
    ratio: float,
    span_lambda: float,
    span_rule: SpanRule,
    rng: Stream | np.random.Generator,
) -> np.ndarray:
    """Choose words to replace by their text; bool (num_words,), True where replaced.

    While the share of replaced words is <= ratio: draw a start word j among those left and
    a length l ~ Poisson(span_lambda), and replace words j..j+l. A span past the last word
    is clipped; it may run over words that are text already (their union counts).

    `literal` is that loop, which stops only after passing the ratio (the paper's
    footnote 5). `exact` replaces floor(ratio * num_words) words, and one more with the
    probability of the remainder. Ratio 0 replaces nothing under either rule, although the
    loop, read literally, would still replace one span.
    """
    left = list(range(num_words))  # words that are not replaced, in order
    if ratio > 0:
        wanted, most = _counts(num_words, ratio, span_rule, rng)
        while num_words - len(left) < wanted:
            first = int(rng.integers(len(left)))
            last_word = left[first] + int(rng.poisson(span_lambda))
            room = most - (num_words - len(left))  # the last span is cut to fit
            stop = min(len(left), first + room)
            del left[first : bisect_right(left, last_word, first, stop)]
    replaced = np.ones(num_words, dtype=bool)
    if left:
        replaced[left] = False
    return replaced


def _counts(
    num_words: int, ratio: float, span_rule: SpanRule, rng: Stream | np.random.Generator
) -> tuple[int, int]:
    """How many words to replace at least, and at most: a span may run past the least."""
    wanted = round(ratio * num_words, 9)  # 0.7 * 90 is 62.99999999999999
    if span_rule == "literal":
        return min(num_words, math.floor(wanted) + 1), num_words
    whole = math.floor(wanted)
    count = whole + int(rng.random() < wanted - whole)
    return count, count


def mean_share(
    num_words: int, ratio: float, span_lambda: float, span_rule: SpanRule
) -> float:
    """Mean share of words that `choose_spans` replaces, of a sentence of `num_words`.

    The literal rule passes the ratio, in short sentences by much; its mean is drawn.
    """
    if ratio <= 0 or not num_words or span_rule == "exact":
        return ratio
    passed = math.floor(round(ratio * num_words, 9))
    return _mean_of_literal(num_words, passed, span_lambda)


@cache
def _mean_of_literal(num_words: int, passed: int, span_lambda: float) -> float:
    """The same for all ratios at which the loop goes on with `passed` words replaced."""
    rng = keyed.generator("mean share", num_words, passed)
    ratio = (passed + 0.5) / num_words
    drawn = [
        choose_spans(num_words, ratio, span_lambda, "literal", rng).mean()
        for _ in range(NUM_DRAWS)
    ]
    return float(np.mean(drawn))
