"""How certain a corpus score is, and a difference of two: resampled utterances, pure.

A corpus score is a function of counts that add up over utterances: a resampled corpus
needs no text, only the sum of the counts that were drawn.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from s2st_interleave.errors import UserError
from s2st_interleave.keyed import generator

Score = Callable[[np.ndarray], float]  # of summed counts (num_counts,)
_CI95 = (0.025, 0.975)


@dataclass(frozen=True)
class PairedResult:
    """Corpus score of the system minus that of the baseline, with its uncertainty."""

    delta: float
    ci95: tuple[float, float]
    p_value: float


def total(counts: np.ndarray) -> np.ndarray:
    """The sum over utterances, (num_counts,) of [num_utterances, num_counts].

    Numbers are added one after the other, in the order of the utterances.
    """
    return np.array([sum(column) for column in counts.T.tolist()])


def interval(
    counts: np.ndarray, score: Score, *, num_resamples: int, seed: int
) -> tuple[float, float] | None:
    """The middle 95% of the scores of `num_resamples` corpora drawn with replacement.

    `counts` is [num_utterances, num_counts], sorted by utterance id. None where no drawn
    corpus has a score, and for a single utterance, of which all draws are the same.
    """
    if len(counts) < 2:
        return None
    return _middle(_resampled([counts], score, num_resamples, seed)[0])


def paired(
    system: np.ndarray,
    baseline: np.ndarray,
    score: Score,
    *,
    num_resamples: int,
    seed: int,
) -> PairedResult | None:
    """Compare two systems' corpus scores on the same resampled corpora (Koehn 2004).

    `delta` is system minus baseline. `ci95` is the interval of that difference: a claim
    needs it to exclude 0. `p_value` is by sacrebleu's formula, whose PairedTest has no
    interval of the difference. For a visible difference it is that of a one-sided test:
    it can be below 0.05 while the interval holds 0. Unlike there a tie counts for the
    null hypothesis, so a system against itself gives 1 and not 1/(n+1). Where systems
    differ by as much in every draw, as they do in a single utterance, nothing tells how
    certain that is: the interval reaches to 0, and p is 1. None where one of the two has
    no score.
    """
    delta = score(total(system)) - score(total(baseline))
    resampled = _resampled([system, baseline], score, num_resamples, seed)
    differences = resampled[0] - resampled[1]
    differences = differences[np.isfinite(differences)]
    ci95 = _middle(differences)
    if ci95 is None or not np.isfinite(delta):
        return None
    if np.ptp(differences) <= 1e-9 * abs(delta):
        return PairedResult(delta, (min(0.0, delta), max(0.0, delta)), 1.0)
    sizes = np.abs(differences)
    num_extreme = int(np.sum(sizes - sizes.mean() >= abs(delta)))
    return PairedResult(delta, ci95, (num_extreme + 1) / (len(differences) + 1))


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


def _resampled(
    systems: Sequence[np.ndarray], score: Score, num_resamples: int, seed: int
) -> np.ndarray:
    """Return scores of resampled corpora, [num_systems, num_resamples].

    All systems see the same draws. Utterances come sorted by id, so the result does not
    depend on the order of the input. One resample at a time: 15,000 utterances by 1,000
    resamples at once would be 120 MB of indices.
    """
    if num_resamples < 1:
        raise UserError(f"num_resamples must be at least 1, not {num_resamples}")
    rng = generator(seed, "bootstrap")
    num_utterances = len(systems[0])
    scores = np.empty((len(systems), num_resamples))
    for resample in range(num_resamples):
        drawn = rng.integers(num_utterances, size=num_utterances)
        times_drawn = np.bincount(drawn, minlength=num_utterances)
        for system, counts in enumerate(systems):
            scores[system, resample] = score(times_drawn @ counts)
    return scores


def _middle(samples: np.ndarray) -> tuple[float, float] | None:
    known = samples[np.isfinite(samples)]
    if not len(known):
        return None
    low, high = np.quantile(known, _CI95).tolist()
    return low, high
