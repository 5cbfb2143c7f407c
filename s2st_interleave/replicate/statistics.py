"""Statistical tests over utterances and seeds; pure functions of stored scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from s2st_interleave.keyed import generator

# A function from how often each utterance was drawn, (num_utterances,), to that corpus's
# score.
Scorer = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Difference:
    """A system's score minus another's; `delta` is the mean of `by_seed`.

    `p_better` is the one-sided p-value for "above the margin", `p_worse` for "below" it.
    """

    by_seed: tuple[float, ...]
    delta: float
    ci95: tuple[float, float]
    p_better: float
    p_worse: float


def resampled(scorer: Scorer, num_utterances: int, num_resamples: int) -> np.ndarray:
    """A run's score, and those of its resamples: float (1 + num_resamples,).

    Utterances are drawn with replacement, the same for all runs of as many utterances.
    """
    rng = generator(0, "paired difference")
    scores = np.empty(1 + num_resamples)
    scores[0] = scorer(np.ones(num_utterances, dtype=np.int64))
    for resample in range(num_resamples):
        chosen = rng.integers(num_utterances, size=num_utterances)
        scores[1 + resample] = scorer(np.bincount(chosen, minlength=num_utterances))
    return scores


def paired_difference(
    system: Sequence[np.ndarray], other: Sequence[np.ndarray], *, margin: float = 0.0
) -> Difference:
    """Paired test over utterances and seeds, of scores that `resampled` returns.

    Run k of either system has seen the same batches. Raises ValueError when the numbers of
    seeds differ.
    """
    return mean_difference([(system, other)], margin=margin)


def mean_difference(
    pairs: Sequence[tuple[Sequence[np.ndarray], Sequence[np.ndarray]]],
    *,
    margin: float = 0.0,
) -> Difference:
    """The paired test of a mean over language pairs, each a system's scores and another's.

    The resamples give the standard error of the mean over seeds. Two or three seeds are too
    few to be resampled: where all have one sign no resample crosses 0, and one test in
    eight of equal systems would be "significant". Instead their spread adds its own
    standard error, and the sum has the degrees of freedom of Welch and Satterthwaite: n - 1
    where only seeds vary. Language pairs are trained apart, so that each adds the error of
    its own seeds: deviations that cancel in the mean by seed make it no surer. A seed's
    effect on single utterances counts in both parts, which makes the test too strict where
    seeds matter little. Where their variance is several times that of utterances, two seeds
    that agree by chance make it too lax: of equal systems 7 % differ at p < 0.05, 1.3 to
    1.9 % at p < 0.002 (simulated with four times the variance). A single seed adds no error
    of seeds, and its p-value is too small. Raises ValueError when the numbers of seeds
    differ.
    """
    from scipy.stats import t as student  # half a second, which `pending` does not need

    numbers = [len(side) for pair in pairs for side in pair]
    num_seeds = numbers[0]
    if len(set(numbers)) > 1 or not num_seeds:
        raise ValueError(
            f"{' and '.join(map(str, numbers))} seeds: wants the same, 1 or more"
        )
    gaps = np.stack(
        [np.stack(a) - np.stack(b) for a, b in pairs]
    )  # (pair, seed, score)
    by_seed = tuple(np.mean(gaps[:, :, 0], axis=0).tolist())
    delta = float(np.mean(by_seed))
    # Variance of the mean that the seeds of each pair add.
    added = np.zeros(len(pairs))
    if num_seeds > 1:
        added = np.var(gaps[:, :, 0], axis=1, ddof=1) / num_seeds / len(pairs) ** 2
    drawn = np.mean(gaps[:, :, 1:], axis=(0, 1))
    error = float(np.sqrt(np.var(drawn, ddof=1) + added.sum()))
    if not error:
        p_values = float(delta <= margin), float(delta >= margin)
        return Difference(by_seed, delta, (delta, delta), *p_values)
    spread = (added**2).sum()
    freedom = (num_seeds - 1) * error**4 / spread if spread else np.inf
    low, high = (delta + error * student.ppf((0.025, 0.975), freedom)).tolist()
    above = (delta - margin) / error
    return Difference(
        by_seed,
        delta,
        (low, high),
        p_better=float(student.sf(above, freedom)),
        p_worse=float(student.cdf(above, freedom)),
    )


def spearman_permutation(
    x: Sequence[float], y: Sequence[float]
) -> tuple[float, float, float]:
    """Spearman's rho, and its exact one-sided p-values for below 0 and for above 0.

    All orders of `y` are tried: 5,040 for seven values. Raises ValueError unless there are
    equally many values, 3 to 9. Where all values of one are equal, there is no order to
    speak of: rho is 0, and neither p-value is small.
    """
    from scipy.stats import rankdata

    if not 3 <= len(x) == len(y) <= 9:
        raise ValueError(f"{len(x)} and {len(y)} values: wants the same number, 3 to 9")
    a, b = (rankdata(values) - (len(x) + 1) / 2 for values in (x, y))
    orders = np.array(list(permutations(range(len(x)))))
    scale = np.sqrt((a @ a) * (b @ b))
    if not scale:
        return 0.0, 1.0, 1.0
    rho = float(a @ b / scale)
    every = b[orders] @ a / scale
    near = 1e-9  # values that are equal up to rounding count as equally extreme
    return rho, float(np.mean(every <= rho + near)), float(np.mean(every >= rho - near))


def significant(value: float, num_digits: int) -> float:
    """`value` rounded to so many significant digits."""
    return float(f"{value:.{num_digits}g}")
