"""Compares schedules with the paper's: is one of them better in every pair?

The table "schedules" of a grid holds the paper's schedule, `scheduled`, and candidates. One
that is trained for more steps is compared with `scheduled` for as many.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from s2st_interleave.replicate.claims import LEVEL
from s2st_interleave.replicate.comparison import (
    ASR_BLEU,
    Comparison,
    Runs,
    Wanted,
    compare,
    compare_two,
    run_scores,
    without_loops,
)
from s2st_interleave.replicate.grid import SCHEDULES, Cell, Grid
from s2st_interleave.replicate.search import LENGTHS
from s2st_interleave.replicate.statistics import Difference, mean_difference
from s2st_interleave.score.bootstrap import holm

Verdict = Literal["better", "better on average", "worse", "not decided", "not run"]

# One seed's error is that of utterances alone, and two agree by chance too often for a
# statement about many systems: one that is like the others is soon "better".
MIN_SEEDS = 3


def corrected(
    p_values: Mapping[str, float], num_seeds: Mapping[str, int]
) -> dict[str, float]:
    """Holm's correction, in which what has too few seeds takes no rank from the others.

    It counts among the tests and rejects nothing, however small its p-value, so that it
    makes no other verdict easier. Its own value is what it would be if its seeds were
    enough. The keys of both are names of tests.
    """
    enough = {name for name in p_values if num_seeds.get(name, 0) >= MIN_SEEDS}
    deciding = holm({k: p if k in enough else 1.0 for k, p in p_values.items()})
    every = holm(p_values)
    return {k: deciding[k] if k in enough else every[k] for k in p_values}


@dataclass(frozen=True)
class Candidate:
    """A system against the paper's schedule, a comparison for each pair that has both.

    `adjusted_p` of a comparison is for "better", `p_worse` has those for "worse" in the same
    order, `corrected` over all candidates and pairs. `mean` is the mean difference over all
    pairs of the grid, `mean_p` its p-value for "better", corrected over candidates. `tokens`
    is the mean of tokens seen, the reference's being 1; None without a comparison.
    """

    system: str
    comparisons: tuple[Comparison, ...]
    p_worse: tuple[float, ...]
    missing: tuple[str, ...]  # pairs of the grid without a comparison
    tokens: float | None
    mean: Difference | None
    mean_p: float

    @property
    def verdict(self) -> Verdict:
        """Whether it is better in every pair, or in the mean of them, or worse in some."""
        if self.tokens is None:
            return "not run"
        if any(p < LEVEL for _, p in self._judged_worse):
            return "worse"
        if self.missing:
            return "not decided"
        if len(self.confirmed) == len(self.comparisons):
            return "better"
        seeds = len(self.mean.by_seed) if self.mean else 0
        decided = self.mean_p < LEVEL and seeds >= MIN_SEEDS
        return "better on average" if decided else "not decided"

    @property
    def confirmed(self) -> tuple[Comparison, ...]:
        """Those of its comparisons that say "better", after Holm's correction."""
        return tuple(each for each in self._ahead if each.num_seeds >= MIN_SEEDS)

    @property
    def leads(self) -> tuple[Comparison, ...]:
        """Those that would say so if their seeds were enough."""
        return tuple(each for each in self._ahead if each.num_seeds < MIN_SEEDS)

    @property
    def _ahead(self) -> tuple[Comparison, ...]:
        return tuple(each for each in self.comparisons if each.adjusted_p < LEVEL)

    @property
    def _judged_worse(self) -> list[tuple[Comparison, float]]:
        """The comparisons that have seeds enough for a verdict, with their p of "worse"."""
        judged = zip(self.comparisons, self.p_worse, strict=True)
        return [(each, p) for each, p in judged if each.num_seeds >= MIN_SEEDS]

    @property
    def num_seeds(self) -> int:
        """Number of seeds that the verdict rests on.

        Of the mean that are those which all pairs have; of "worse" those of the pair with
        most of those that say so; else those of the comparison that has fewest.
        """
        if self.verdict == "better on average" and self.mean:
            return len(self.mean.by_seed)
        if self.verdict == "worse":
            return max(each.num_seeds for each, p in self._judged_worse if p < LEVEL)
        return min((each.num_seeds for each in self.comparisons), default=0)

    @property
    def caveat(self) -> str:
        """What the verdict is to be taken with, in brackets; "" where it is nothing."""
        few = {1: "one seed", 2: "two seeds"}.get(self.num_seeds)
        remarks = [few] if few else []
        if not all(each.same_build for each in self.comparisons):
            remarks.append("not of one build")
        elif any(each.num_builds > 1 for each in self.comparisons):
            remarks.append("seeds of several builds")
        return f" ({', '.join(remarks)})" if remarks else ""


def reference(system: str, name: str = "scheduled") -> str:
    """The system `name`, the paper's schedule, for as many steps as `system` is trained for."""
    ends = sorted((end for _, end in LENGTHS), key=len, reverse=True)
    return name + next(end for end in ends if system.endswith(end))


def reference_cell(cell: Cell) -> Cell:
    """The cell that a candidate's is compared with: that of the same data and LLM."""
    return replace(cell, system=reference(cell.system))


def candidates(
    grid: Grid,
    results: Mapping[str, Mapping[str, Any]],
    runs: Runs,
    num_resamples: int,
    *,
    loops: bool = True,
) -> list[Candidate]:
    """All candidates of the grid, in its order; `runs` are those of the table.

    Without `loops` a comparison leaves out the utterances that are a loop in its own runs.
    """
    cells = grid.compared(SCHEDULES)
    wanted: list[Wanted] = [
        (cell.pair, cell.variant, reference_cell(cell).variant)
        for cell in cells
        if cell.system != reference(cell.system)
    ]
    wanted = list(dict.fromkeys(wanted))
    if not wanted:
        return []
    family = compare(runs, wanted, ASR_BLEU, num_resamples=num_resamples, loops=loops)
    tested = {_test(each): each for each in family.comparisons}
    num_seeds = {test: each.num_seeds for test, each in tested.items()}
    left = {" ".join(names): 1.0 for names in wanted}  # counts among the tests
    better = corrected(
        left | {k: each.difference.p_better for k, each in tested.items()}, num_seeds
    )
    worse = corrected(
        left | {k: each.difference.p_worse for k, each in tested.items()}, num_seeds
    )
    systems = tuple(dict.fromkeys(names[1] for names in wanted))
    compared = dict.fromkeys(cell.pair for cell in cells)
    means = {
        system: _mean_over_pairs(
            runs, wanted, tuple(compared), system, num_resamples, loops=loops
        )
        for system in systems
    }
    mean_p = corrected(
        {k: mean.p_better if mean else 1.0 for k, mean in means.items()},
        {k: len(mean.by_seed) for k, mean in means.items() if mean},
    )
    chosen = []
    for system in systems:
        done = tuple(
            replace(each, adjusted_p=better[test])
            for test, each in tested.items()
            if each.system == system
        )
        pairs = {each.pair for each in done}
        chosen.append(
            Candidate(
                system,
                done,
                tuple(worse[_test(each)] for each in done),
                tuple(pair for pair in compared if pair not in pairs),
                _tokens(cells, results, system),
                means[system],
                mean_p[system],
            )
        )
    return chosen


def beside_baseline(grid: Grid, runs: Runs, num_resamples: int) -> list[Comparison]:
    """All systems with text against the baseline of as many steps: does a schedule pay?

    Each alone, without a correction, so that none of them is a verdict.
    """
    wanted = dict.fromkeys(
        (cell.pair, cell.system, reference(cell.system, "baseline"))
        for cell in grid.compared(SCHEDULES)
        if not cell.system.startswith("baseline")
    )
    every = (compare_two(runs, *names, num_resamples) for names in wanted)
    return [comparison for comparison in every if comparison]


def _mean_over_pairs(
    runs: Runs,
    wanted: Sequence[Wanted],
    pairs: Sequence[str],
    system: str,
    num_resamples: int,
    *,
    loops: bool,
) -> Difference | None:
    """The mean of a system's differences over `pairs`, by the seeds that all of them have.

    A sentence is drawn for all pairs together, since their test sets may say the same ones,
    and left out as a loop for all of them. None where a pair has no such seed, or where test
    sets have different sizes.
    """
    names = [(pair, other) for pair, name, other in wanted if name == system]
    if {pair for pair, _ in names} != set(pairs):
        return None
    mine = [runs.get((pair, system), {}) for pair, _ in names]
    theirs = [runs.get(name, {}) for name in names]
    seeds = sorted(set.intersection(*(set(each) for each in (*mine, *theirs))))
    sizes = {len(run.mos) for each in (*mine, *theirs) for run in each.values()}
    if not seeds or len(sizes) > 1:
        return None

    every = [side[seed] for side in (*mine, *theirs) for seed in seeds]
    if not loops and not (every := without_loops(every)):
        return None
    scores = [run_scores(run, ASR_BLEU, num_resamples) for run in every]
    sides = [scores[i : i + len(seeds)] for i in range(0, len(scores), len(seeds))]
    return mean_difference(
        list(zip(sides[: len(mine)], sides[len(mine) :], strict=True))
    )


def _test(comparison: Comparison) -> str:
    return f"{comparison.pair} {comparison.system} {comparison.other}"


def _tokens(
    cells: Sequence[Cell], results: Mapping[str, Mapping[str, Any]], variant: str
) -> float | None:
    """Mean ratio of the tokens that a system and its reference have seen."""
    shares = [
        results[cell.name]["train"]["tokens_seen"]
        / results[other]["train"]["tokens_seen"]
        for cell in cells
        if cell.variant == variant and cell.name in results
        if (other := reference_cell(cell).name) in results
    ]
    return float(np.mean(shares)) if shares else None


def conclusion(chosen: Sequence[Candidate]) -> Iterator[str]:
    """Sentences that answer which schedule to use."""
    pairs: set[str] = set()
    if any(each.comparisons for each in chosen):
        pairs.update(*(each.missing for each in chosen))
        pairs.update(c.pair for each in chosen for c in each.comparisons)

    def names(verdict: Verdict) -> str:
        wanted = [each for each in chosen if each.verdict == verdict]
        return ", ".join(each.system + each.caveat for each in wanted) or "none"

    in_some = "; ".join(
        f"{each.system} ({_with_seeds(each.confirmed)})"
        for each in chosen
        if each.verdict != "better" and each.confirmed
    )
    leads = "; ".join(
        f"{each.system} ({_with_seeds(each.leads)})" for each in chosen if each.leads
    )
    missing = sum(len(each.missing) for each in chosen)
    yield (
        f"Better than the paper's schedule in every pair of the grid "
        f"({', '.join(sorted(pairs)) or 'none has a comparison yet'}): {names('better')}. "
        f"Only in the mean of the pairs: {names('better on average')}. Only in some "
        f"pairs, with their number of seeds: {in_some or 'none'}. Worse in some pair: "
        f"{names('worse')}. Ahead by fewer than three seeds, which decides nothing: "
        f"{leads or 'none'}."
    )
    if missing:
        yield f"Pairs of a system without a comparison: {missing}."


def _with_seeds(comparisons: Sequence[Comparison]) -> str:
    return ", ".join(f"{each.pair} {each.num_seeds}" for each in comparisons)
