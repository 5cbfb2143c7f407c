"""Gathers the content of a grid's page: the stored scores, and the claims they decide."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

from s2st_interleave import yaml_text
from s2st_interleave.replicate import schedules
from s2st_interleave.replicate.cell import CHECKPOINTS
from s2st_interleave.replicate.claims import Claim, judge
from s2st_interleave.replicate.comparison import Comparison, Runs, compare_two
from s2st_interleave.replicate.grid import SCHEDULES, Grid
from s2st_interleave.replicate.runs import counter, runs_of
from s2st_interleave.replicate.search import LENGTHS, STRETCHED, winners
from s2st_interleave.replicate.statistics import Difference
from s2st_interleave.score.published import (
    PAPER_PAIRS,
    PaperPair,
    PaperScore,
    published_score,
)


@dataclass(frozen=True)
class PageContent:
    """The content of the page. `results` and `toplines` are the stored JSON objects."""

    grid: Grid
    results: Mapping[str, Mapping[str, Any]]  # cell name -> cells/<name>.json
    toplines: Mapping[str, Mapping[str, Any]]  # pair -> toplines/<pair>.json
    names: Mapping[str, str]  # pair -> its source language: "French"
    sizes: Mapping[str, int]  # pair -> training utterances, where they are known
    claims: Sequence[Claim]  # by the last checkpoint
    claims_best: Sequence[Claim]  # by the checkpoint that was best on dev
    claims_unlooped: Sequence[Claim]  # by the last checkpoint, without loops
    beyond: Sequence[Comparison]  # claim 1 on pairs that the paper does not have
    tuned: Sequence[tuple[str, Comparison]]  # rule of the search, its winners
    longer: Sequence[Comparison]  # scheduled against baseline, with equally more steps
    longer_unlooped: Sequence[Comparison]  # as `longer`, without loops
    constant: Sequence[Comparison]  # constant p against the baseline
    sensitivity: Sequence[Comparison]  # changed systems against scheduled
    schedules: Sequence[schedules.Candidate]  # other schedules against scheduled
    schedules_unlooped: Sequence[schedules.Candidate]  # without loops
    beside_baseline: Sequence[Comparison]  # schedules against the baseline

    @property
    def pairs_by_size(self) -> list[str]:
        """All pairs of the grid, sorted by training data, most first."""
        used = {cell.pair for cell in self.grid.cells}
        pairs = [pair for pair in self.grid.pairs if pair in used]
        if not self.grid.recipe.sizes:
            return pairs  # in the grid's own order
        return sorted(pairs, key=lambda pair: -self.sizes[pair])

    def size(self, pair: str) -> str:
        """Training utterances of a pair, as the page shows them."""
        return f"{self.sizes[pair]:,}" if pair in self.sizes else "n/a"

    def published_pair(self, pair: str) -> PaperPair | None:
        """The paper's hours and scores of a pair; None where it does not have it."""
        return PAPER_PAIRS.get(self.grid.recipe.source(pair))

    def published_score(self, pair: str, system: str) -> PaperScore | None:
        """The paper's score of a system; None where it does not have it."""
        return published_score(self.grid.recipe.source(pair), system)

    @property
    def figure_folder(self) -> str:
        """The folder of the figures, relative to that of the page."""
        return os.path.relpath(self.grid.figures, self.grid.page)

    @property
    def gains(self) -> dict[str, Difference]:
        """Pair -> scheduled minus baseline, of Table 2."""
        comparisons = (*self.claims[0].comparisons, *self.beyond)
        return {comparison.pair: comparison.difference for comparison in comparisons}

    @property
    def asks_for_gains(self) -> bool:
        """Whether the page judges what scheduled training gains: claims 1 and 2."""
        return bool({1, 2} & set(self.grid.claims))

    @property
    def verdicts(self) -> list[tuple[Claim, Claim, Claim]]:
        """The claims that the grid asks: at the last, at best dev, without loops."""
        every = zip(self.claims, self.claims_best, self.claims_unlooped, strict=True)
        return [judged for judged in every if judged[0].id in self.grid.claims]

    @property
    def gains_of_twice(self) -> dict[str, Difference]:
        """Pair -> scheduled minus baseline, with twice the steps for both."""
        return _with_twice_the_steps(self.longer)

    @property
    def gains_of_twice_unlooped(self) -> dict[str, Difference]:
        """As `gains_of_twice`, without utterances whose transcript is a loop."""
        return _with_twice_the_steps(self.longer_unlooped)


def _with_twice_the_steps(longer: Sequence[Comparison]) -> dict[str, Difference]:
    other = f"baseline{dict(LENGTHS)[2]}"
    return {each.pair: each.difference for each in longer if each.other == other}


def gather(grid: Grid, num_resamples: int) -> PageContent:
    """The page's content, from the stored cells and toplines of a grid.

    Raises UserError where a cell is scored whose pair has no references.
    """
    # 1. Read what is stored.
    stored = ((cell.name, grid.result(cell)) for cell in grid.cells)
    results = {name: result for name, result in stored if result is not None}
    toplines = {pair: kept for pair in grid.pairs if (kept := grid.topline(pair))}
    count = counter(grid.recipe.tgt_lang)

    def runs(checkpoint: str, *tables: str) -> Runs:
        there = [c for c in grid.compared(*tables) if c.name in results]
        return runs_of(there, results, toplines, checkpoint, count)

    # 2. Judge the claims on all of the paper's pairs, also those that the grid lacks.
    published = {grid.recipe.pair_of(src): each for src, each in PAPER_PAIRS.items()}
    sizes = grid.sizes or _sizes(grid, results)
    judged = partial(
        judge,
        pairs=list(published),
        sizes=[
            sizes[pair] if published.keys() <= sizes.keys() else each.hours
            for pair, each in published.items()
        ],
        encoder=grid.recipe.notes.encoder,
        num_resamples=num_resamples,
    )
    last, best_dev = map(runs, CHECKPOINTS)

    # 3. Compare systems besides.
    compare = partial(compare_two, num_resamples=num_resamples)

    def compared(
        chosen: Runs, wanted: Iterable[tuple[str, str, str]], *, loops: bool = True
    ) -> list[Comparison]:
        every = (compare(chosen, *names, loops=loops) for names in wanted)
        return [comparison for comparison in every if comparison]

    others = [pair for pair in grid.pairs if pair not in published]
    pairs = [*published, *others]
    longer = [
        (pair, f"scheduled{end}", f"baseline{end}")
        for pair, (_, end) in product(pairs, LENGTHS)
    ]
    of_schedules = runs("last", SCHEDULES)
    candidates = partial(
        schedules.candidates, grid, results, of_schedules, num_resamples
    )
    changed, stretched = runs("last", "sensitivity"), runs("last", *STRETCHED)
    tuned = winners(
        grid, results, runs("last", "search"), runs("best", "search"), compare
    )
    return PageContent(
        grid=grid,
        results=results,
        toplines=toplines,
        names={pair: _name(grid, pair) for pair in grid.pairs},
        sizes=sizes,
        claims=judged(last),
        claims_best=judged(best_dev),
        claims_unlooped=judged(last, loops=False),
        beyond=compared(last, [(pair, "scheduled", "baseline") for pair in others]),
        tuned=tuned,
        longer=compared(stretched, longer),
        longer_unlooped=compared(stretched, longer, loops=False),
        constant=compared(last, [(pair, "constant", "baseline") for pair in pairs]),
        sensitivity=compared(
            changed,
            [
                (pair, variant, "scheduled")
                for pair, variant in changed
                if variant != "scheduled"
            ],
        ),
        schedules=candidates(),
        schedules_unlooped=candidates(loops=False),
        beside_baseline=schedules.beside_baseline(grid, of_schedules, num_resamples),
    )


def _name(grid: Grid, pair: str) -> str:
    """The name of a pair's source language, such as French."""
    source = grid.recipe.source(pair)
    if grid.recipe.lexicon:
        return yaml_text.read(grid.recipe.lexicon_of(source))["name"]
    return PAPER_PAIRS[source].name if source in PAPER_PAIRS else source


def _sizes(grid: Grid, results: Mapping[str, Any]) -> dict[str, int]:
    """Training utterances of the pairs that have a cell with all of them."""
    whole = (c for c in grid.cells if c.name in results and not c.num_train)
    return {cell.pair: results[cell.name]["num_train"] for cell in whole}
