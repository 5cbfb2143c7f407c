"""Tests over utterances and seeds together; pure functions of stored scores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from s2st_interleave.keyed import generator

# How often each utterance was drawn, (num_utterances,) -> the score of that corpus.
Scorer = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Difference:
    """A system minus another, mean over seeds.

    `p_better` is one-sided for "above `margin`", `p_worse` for "below" it.
    """

    delta: float
    ci95: tuple[float, float]
    p_better: float
    p_worse: float


def paired_difference(
    system: Sequence[Scorer],
    other: Sequence[Scorer],
    num_utterances: int,
    *,
    margin: float = 0.0,
    num_resamples: int = 2000,
    seed: int = 0,
) -> Difference:
    """Paired bootstrap over utterances and seeds.

    A resample draws utterances with replacement, the same for all runs, and seeds with
    replacement, the same for both systems: run k of either has seen the same batches.
    Of n seeds n - 1 are drawn, or so few would vary too little (the rescaled bootstrap
    of Rao and Wu, 1988); one seed tells nothing about others.
    Raises ValueError when the numbers of seeds differ.
    """
    if len(system) != len(other) or not system:
        raise ValueError(
            f"{len(system)} and {len(other)} seeds: wants the same, 1 or more"
        )
    rng = generator(seed, "paired difference")
    num_seeds = len(system)
    every = np.ones(num_utterances, dtype=np.int64)
    delta = float(
        np.mean([a(every) - b(every) for a, b in zip(system, other, strict=True)])
    )
    drawn = np.empty(num_resamples)
    for resample in range(num_resamples):
        chosen = rng.integers(num_utterances, size=num_utterances)
        times = np.bincount(chosen, minlength=num_utterances)
        draws = rng.integers(num_seeds, size=max(1, num_seeds - 1))
        seeds, counts = np.unique(draws, return_counts=True)
        gaps = [system[k](times) - other[k](times) for k in seeds]
        drawn[resample] = np.average(gaps, weights=counts)
    low, high = np.quantile(drawn, (0.025, 0.975)).tolist()
    return Difference(
        delta,
        (low, high),
        p_better=_share(drawn <= margin),
        p_worse=_share(drawn >= margin),
    )


def _share(extreme: np.ndarray) -> float:
    """A p-value is never 0: the sample seen counts as one of the resamples."""
    return float((1 + extreme.sum()) / (1 + len(extreme)))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjustment: reject at 0.05 where the result is below 0.05.

    >>> {k: round(p, 3) for k, p in holm({"a": 0.01, "b": 0.04, "c": 0.03}).items()}
    {'a': 0.03, 'c': 0.06, 'b': 0.06}
    """
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda n: (p_values[n], n))):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = highest
    return adjusted


def spearman_permutation(
    x: Sequence[float], y: Sequence[float]
) -> tuple[float, float, float]:
    """Spearman's rho, and its exact one-sided p-values for below 0 and for above 0.

    All orders of `y` are tried: 5,040 for seven pairs. ValueError beyond nine.
    """
    from scipy.stats import rankdata

    if not 3 <= len(x) == len(y) <= 9:
        raise ValueError(f"{len(x)} and {len(y)} values: wants the same number, 3 to 9")
    a, b = (rankdata(values) - (len(x) + 1) / 2 for values in (x, y))
    orders = np.array(list(permutations(range(len(x)))))
    scale = np.sqrt((a @ a) * (b @ b))
    rho = float(a @ b / scale)
    every = b[orders] @ a / scale
    near = 1e-9  # equal up to rounding is as extreme
    return rho, float(np.mean(every <= rho + near)), float(np.mean(every >= rho - near))
