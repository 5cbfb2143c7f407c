"""Comparisons of systems on pairs: paired tests, and Holm's correction over several."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from s2st_interleave.replicate.statistics import (
    Difference,
    Scorer,
    holm,
    paired_difference,
)


@dataclass(frozen=True)
class Run:
    """One scored cell: what a corpus score is made of, by utterance.

    bleu_counts: int64 (num_utterances, 10), as score.metrics.bleu has them; mos: float
    (num_utterances,), NaN where there was no audio; build: of the shared models.
    """

    bleu_counts: np.ndarray
    mos: np.ndarray
    build: str = ""


# (pair, system as in Cell.name without pair and seed) -> runs by seed
Runs = Mapping[tuple[str, str], Mapping[int, Run]]
Wanted = tuple[str, str, str]  # pair, system, other system


@dataclass(frozen=True)
class Comparison:
    """One system against another on one pair.

    `same_build`: each seed's two runs had the same encoder, codebook, vocoder and LLM.
    """

    pair: str
    system: str
    other: str
    same_build: bool
    difference: Difference
    adjusted_p: float

    @property
    def num_seeds(self) -> int:
        return len(self.difference.by_seed)


@dataclass(frozen=True)
class Family:
    """Comparisons that are tested together.

    p-values after Holm's correction over all that was wanted: the largest for "better
    than the other", the smallest for "worse". `missing`: what lacks seeds, a line each.
    """

    comparisons: tuple[Comparison, ...]
    missing: tuple[str, ...]
    p_better: float
    p_worse: float


@dataclass(frozen=True)
class Measure:
    """What is compared: a score of resampled utterances, and which runs have it."""

    name: str
    scorer: Callable[[Run], Scorer]
    known: Callable[[Run], bool] = lambda _: True


def bleu_measure(bleu: Callable[..., float]) -> Measure:
    """`bleu` turns summed counts into BLEU."""
    return Measure("ASR-BLEU", lambda run: lambda times: bleu(times @ run.bleu_counts))


def _mos_scorer(run: Run) -> Scorer:
    known = np.isfinite(run.mos)
    values = np.where(known, run.mos, 0.0)
    return lambda times: float(times @ values / max(1, times @ known))


MOS = Measure("MOS", _mos_scorer, lambda run: bool(np.isfinite(run.mos).any()))


def compare(
    runs: Runs,
    wanted: Sequence[Wanted],
    measure: Measure,
    *,
    num_resamples: int,
    margin: float = 0.0,
    want_seeds: int = 1,
) -> Family:
    """Whether `system` beats `other` (by more than `margin`), wherever wanted."""
    compared: dict[Wanted, Comparison] = {}
    # What is missing counts among the tests that Holm corrects for.
    p_better, p_worse = ({" ".join(names): 1.0 for names in wanted} for _ in range(2))
    missing = []
    for names in wanted:
        pair, system, other = names
        both = [
            {
                k: run
                for k, run in runs.get((pair, name), {}).items()
                if measure.known(run)
            }
            for name in (system, other)
        ]
        seeds = sorted(both[0].keys() & both[1].keys())
        if len(seeds) < want_seeds:
            missing.append(f"{pair}: {system} or {other}, a seed besides {seeds}")
        if not seeds:
            continue
        a, b = ([measure.scorer(side[seed]) for seed in seeds] for side in both)
        size = len(both[0][seeds[0]].mos)
        difference = paired_difference(
            a, b, size, margin=margin, num_resamples=num_resamples
        )
        key = " ".join(names)
        p_better[key], p_worse[key] = difference.p_better, difference.p_worse
        alike = all(both[0][s].build == both[1][s].build for s in seeds)
        compared[names] = Comparison(*names, alike, difference, 1.0)
    adjusted, opposite = holm(p_better), holm(p_worse)
    return Family(
        tuple(
            replace(comparison, adjusted_p=adjusted[" ".join(names)])
            for names, comparison in compared.items()
        ),
        tuple(missing),
        p_better=max(adjusted.values()),
        p_worse=min(opposite.values()),
    )


def compare_two(
    runs: Runs,
    pair: str,
    system: str,
    other: str,
    bleu: Callable[..., float],
    num_resamples: int,
) -> Comparison | None:
    """One comparison outside of the claims, with the p-value as it is; None where there
    is nothing to compare.
    """
    family = compare(
        runs, [(pair, system, other)], bleu_measure(bleu), num_resamples=num_resamples
    )
    return family.comparisons[0] if family.comparisons else None
