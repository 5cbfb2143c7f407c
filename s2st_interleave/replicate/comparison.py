"""Compares systems on pairs by paired tests, with Holm's correction over several."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from s2st_interleave.replicate.statistics import (
    Difference,
    Scorer,
    paired_difference,
    resampled,
)
from s2st_interleave.score.bootstrap import holm
from s2st_interleave.score.metrics.bleu import bleu_of


@dataclass(frozen=True, eq=False)  # a run equals itself alone, so that it can be a key
class Run:
    """A scored cell: for each utterance the counts and ratings that make a corpus score.

    bleu_counts: int64 (num_utterances, 10), as in score.metrics.bleu; mos: float
    (num_utterances,), NaN where there was no audio; loops: bool (num_utterances,), where
    the transcript is a loop; build: the hash of the shared models.
    """

    bleu_counts: np.ndarray
    mos: np.ndarray
    loops: np.ndarray
    build: str = ""


# (pair, system as in Cell.name without pair and seed) -> runs by seed
Runs = Mapping[tuple[str, str], Mapping[int, Run]]
Wanted = tuple[str, str, str]  # pair, system, other system


@dataclass(frozen=True)
class Comparison:
    """A system against another on one pair.

    `same_build` says that the two runs of each seed had the same shared models and LLM,
    `num_builds` of how many such the system's runs are.
    """

    pair: str
    system: str
    other: str
    same_build: bool
    num_builds: int
    difference: Difference
    adjusted_p: float

    @property
    def num_seeds(self) -> int:
        """Number of seeds that both systems have."""
        return len(self.difference.by_seed)


@dataclass(frozen=True)
class Family:
    """Comparisons that are tested together.

    `p_better` is the largest p-value for "better than the other", `p_worse` the smallest
    for "worse", after Holm's correction over all wanted comparisons. `missing` has a line
    for each comparison that lacks seeds.
    """

    comparisons: tuple[Comparison, ...]
    missing: tuple[str, ...]
    p_better: float
    p_worse: float


@dataclass(frozen=True)
class Measure:
    """A score of resampled utterances, which runs have it, and what two are compared on."""

    name: str
    scorer: Callable[[Run], Scorer]
    known: Callable[[Run], bool] = lambda _: True
    alike: Callable[[Run, Run], tuple[Run, Run]] = lambda run, other: (run, other)


def _mos_scorer(run: Run) -> Scorer:
    known = np.isfinite(run.mos)
    values = np.where(known, run.mos, 0.0)
    return lambda times: float(times @ values / max(1, times @ known))


def _rated_in_both(run: Run, other: Run) -> tuple[Run, Run]:
    """The two without ratings of utterances that one of them has no audio of.

    Else who leaves out what it cannot speak would be rated by the rest.
    """
    lacks = np.isnan(run.mos), np.isnan(other.mos)
    if np.array_equal(*lacks):
        return run, other
    kept = ~(lacks[0] | lacks[1])
    mos = (np.where(kept, each.mos, np.nan) for each in (run, other))
    return replace(run, mos=next(mos)), replace(other, mos=next(mos))


ASR_BLEU = Measure(
    "ASR-BLEU", lambda run: lambda times: bleu_of(times @ run.bleu_counts)
)
MOS = Measure(
    "MOS", _mos_scorer, lambda run: bool(np.isfinite(run.mos).any()), _rated_in_both
)


def without_loops(compared: Sequence[Run]) -> list[Run]:
    """The runs without the utterances that are a loop in one of them.

    Those of other runs stay: what is left out of a comparison is what disturbs it. What is
    left out counts nothing, and is drawn as before. None where that is most of a test set:
    a few sentences soon differ by chance.
    """
    looped = np.any([run.loops for run in compared], axis=0)
    if not looped.any():
        return list(compared)
    if 2 * looped.sum() > len(looped):
        return []
    counted = ~looped
    return [
        replace(
            run,
            bleu_counts=run.bleu_counts * counted[:, None],
            mos=np.where(counted, run.mos, np.nan),
        )
        for run in compared
    ]


@cache  # a run is of many comparisons: a page of 60 cells took four times as long
def run_scores(run: Run, measure: Measure, num_resamples: int) -> np.ndarray:
    """A run's score and those of its resamples, as `statistics.resampled` returns them."""
    return resampled(measure.scorer(run), len(run.mos), num_resamples)


def compare(
    runs: Runs,
    wanted: Sequence[Wanted],
    measure: Measure,
    *,
    num_resamples: int,
    margin: float = 0.0,
    want_seeds: int = 1,
    loops: bool = True,
) -> Family:
    """Test for each of `wanted` whether system beats other by more than `margin`.

    Without `loops` each comparison leaves out the utterances that are a loop in one of its
    own runs.
    """
    compared: dict[Wanted, Comparison] = {}
    # Missing comparisons count among the tests for which Holm corrects.
    p_better, p_worse = ({" ".join(names): 1.0 for names in wanted} for _ in range(2))
    missing = []
    for names in wanted:
        pair, system, other = names
        seed_runs = [
            {
                k: run
                for k, run in runs.get((pair, name), {}).items()
                if measure.known(run)
            }
            for name in (system, other)
        ]
        seeds = sorted(seed_runs[0].keys() & seed_runs[1].keys())
        if len(seeds) < want_seeds:
            missing.append(f"{pair}: {system} or {other}, a seed besides {seeds}")
        every = [side[seed] for seed in seeds for side in seed_runs]
        if every and not loops:
            every = without_loops(every)
            if not every:
                missing.append(f"{pair}: {system} or {other}, most is heard as loops")
        if not every:
            continue
        alike = [
            measure.alike(*two) for two in zip(every[::2], every[1::2], strict=True)
        ]
        a, b = (
            [run_scores(run, measure, num_resamples) for run in side]
            for side in zip(*alike, strict=True)
        )
        difference = paired_difference(a, b, margin=margin)
        key = " ".join(names)
        p_better[key], p_worse[key] = difference.p_better, difference.p_worse
        compared[names] = Comparison(
            *names,
            same_build=all(run.build == other.build for run, other in alike),
            num_builds=len({run.build for run, _ in alike}),
            difference=difference,
            adjusted_p=1.0,
        )
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
    num_resamples: int,
    loops: bool = True,
) -> Comparison | None:
    """A single comparison outside of the claims, whose p-value needs no correction.

    None where the systems have no seed in common.
    """
    family = compare(
        runs,
        [(pair, system, other)],
        ASR_BLEU,
        num_resamples=num_resamples,
        loops=loops,
    )
    return family.comparisons[0] if family.comparisons else None
