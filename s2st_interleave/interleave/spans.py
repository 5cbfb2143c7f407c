"""Algorithm 1 of the paper (Sec. 3.2): it chooses the words that appear as text."""

import math
from typing import Literal

import numpy as np

SpanRule = Literal["literal", "exact"]


def choose_spans(
    num_words: int,
    ratio: float,
    span_lambda: float,
    span_rule: SpanRule,
    rng: np.random.Generator,
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
    replaced = np.zeros(num_words, dtype=bool)
    if ratio == 0:
        return replaced
    is_literal = span_rule == "literal"
    budget = num_words if is_literal else _exact_budget(num_words, ratio, rng)
    while _wants_more(replaced, ratio, span_rule, budget):
        start = int(rng.choice(np.flatnonzero(~replaced)))
        end = min(start + int(rng.poisson(span_lambda)), num_words - 1)
        for word in range(start, end + 1):
            if replaced.sum() < budget:  # the last span is cut to fit
                replaced[word] = True
    return replaced


def _exact_budget(num_words: int, ratio: float, rng: np.random.Generator) -> int:
    wanted = round(ratio * num_words, 9)
    whole = math.floor(wanted)
    return whole + int(rng.random() < wanted - whole)


def _wants_more(
    replaced: np.ndarray, ratio: float, span_rule: SpanRule, budget: int
) -> bool:
    count = int(replaced.sum())
    if span_rule == "exact":
        return count < budget
    return count < len(replaced) and count <= ratio * len(replaced)
