"""Algorithm 1 of the paper: which words of an utterance appear as text."""

import math
from typing import Literal

import numpy as np

Stop = Literal["literal", "exact"]


def choose_spans(
    num_words: int,
    ratio: float,
    span_lambda: float,
    stop: Stop,
    rng: np.random.Generator,
) -> np.ndarray:
    """Boolean (num_words,): True where a word is replaced by its text.

    While the share of replaced words is <= ratio: draw a start word among those left, a
    length l ~ Poisson(span_lambda), and replace words j..j+l. A span past the last word
    is clipped; it may run over words that are text already (their union counts).

    `literal` is that loop, which stops only after passing the ratio (the paper's
    footnote 5). `exact` replaces floor(ratio * num_words) words, and one more with the
    probability of the remainder. Ratio 0 replaces nothing in both: read literally the
    loop would still replace one span.
    """
    replaced = np.zeros(num_words, dtype=bool)
    if ratio == 0:
        return replaced
    budget = num_words if stop == "literal" else _exact_budget(num_words, ratio, rng)
    while _wants_more(replaced, ratio, stop, budget):
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


def _wants_more(replaced: np.ndarray, ratio: float, stop: Stop, budget: int) -> bool:
    count = int(replaced.sum())
    if stop == "exact":
        return count < budget
    return count < len(replaced) and count <= ratio * len(replaced)
