"""Gathers the content of a grid's page: the stored scores, and the claims they decide."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np

from s2st_interleave import yaml_text
from s2st_interleave.data.languages import language
from s2st_interleave.errors import UserError
from s2st_interleave.replicate import schedules
from s2st_interleave.replicate.cell import CHECKPOINTS
from s2st_interleave.replicate.claims import Claim, judge
from s2st_interleave.replicate.comparison import Comparison, Run, Runs, compare_two
from s2st_interleave.replicate.grid import SCHEDULES, Cell, Grid
from s2st_interleave.replicate.search import LENGTHS, STRETCHED, winners
from s2st_interleave.replicate.statistics import Difference
from s2st_interleave.score.metrics.bleu import bleu_counts, bleu_of
from s2st_interleave.score.metrics.loops import is_loop
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.pairs import join
from s2st_interleave.score.published import (
    PAPER_PAIRS,
    PaperPair,
    PaperScore,
    published_score,
)

Skipped = Mapping[str, frozenset[str]]  # pair -> utterances


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
    claims_unlooped: Sequence[Claim]  # by the last checkpoint, without `loops`
    beyond: Sequence[Comparison]  # claim 1 on pairs that the paper does not have
    loops: Skipped  # utterances whose transcript is a loop
    tuned: Sequence[tuple[str, Comparison]]  # rule of the search, its winners
    longer: Sequence[Comparison]  # scheduled against baseline, with equally more steps
    longer_unlooped: Sequence[Comparison]  # as `longer`, without loops of these cells
    constant: Sequence[Comparison]  # constant p against the baseline
    sensitivity: Sequence[Comparison]  # changed systems against scheduled
    schedules: Sequence[schedules.Candidate]  # other schedules against scheduled
    schedules_unlooped: Sequence[schedules.Candidate]  # without `schedule_loops`
    schedule_loops: Skipped  # of the cells of schedules

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
    loops = _loops(grid.compared(), results)
    count = _counter(grid.recipe.tgt_lang)

    def runs(checkpoint: str, *tables: str, skip: Skipped | None = None) -> Runs:
        there = [c for c in grid.compared(*tables) if c.name in results]
        return _runs(there, results, toplines, checkpoint, skip or {}, count)

    # 2. Judge the claims on all of the paper's pairs, also those that the grid lacks.
    published = {grid.recipe.pair_of(src): each for src, each in PAPER_PAIRS.items()}
    judged = partial(
        judge,
        pairs=list(published),
        hours=[each.hours for each in published.values()],
        encoder=grid.recipe.notes.encoder,
        num_resamples=num_resamples,
    )
    last, best_dev = map(runs, CHECKPOINTS)

    # 3. Compare systems besides.
    compare = partial(compare_two, num_resamples=num_resamples)

    def compared(
        chosen: Runs, wanted: Iterable[tuple[str, str, str]]
    ) -> list[Comparison]:
        every = (compare(chosen, *names) for names in wanted)
        return [comparison for comparison in every if comparison]

    others = [pair for pair in grid.pairs if pair not in published]
    pairs = [*published, *others]
    longer = [
        (pair, f"scheduled{end}", f"baseline{end}")
        for pair, (_, end) in product(pairs, LENGTHS)
    ]
    stretched_loops = _loops(grid.compared(*STRETCHED), results)
    schedule_loops = _in_every_pair(
        _loops(grid.compared(SCHEDULES), results),
        {pair: kept["references"] for pair, kept in toplines.items()},
    )
    candidates = partial(
        schedules.candidates, grid, results, num_resamples=num_resamples
    )
    changed = runs("last", "sensitivity")
    tuned = winners(
        grid, results, runs("last", "search"), runs("best", "search"), compare
    )
    return PageContent(
        grid=grid,
        results=results,
        toplines=toplines,
        names={pair: _name(grid, pair) for pair in grid.pairs},
        sizes=grid.sizes or _sizes(grid, results),
        claims=judged(last),
        claims_best=judged(best_dev),
        claims_unlooped=judged(runs("last", skip=loops)),
        beyond=compared(last, [(pair, "scheduled", "baseline") for pair in others]),
        loops=loops,
        tuned=tuned,
        longer=compared(runs("last", *STRETCHED), longer),
        longer_unlooped=compared(
            runs("last", *STRETCHED, skip=stretched_loops), longer
        ),
        constant=compared(last, [(pair, "constant", "baseline") for pair in pairs]),
        sensitivity=compared(
            changed,
            [
                (pair, variant, "scheduled")
                for pair, variant in changed
                if variant != "scheduled"
            ],
        ),
        schedules=candidates(runs("last", SCHEDULES)),
        schedules_unlooped=candidates(runs("last", SCHEDULES, skip=schedule_loops)),
        schedule_loops=schedule_loops,
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


def _counter(target: str) -> Callable[[str, str], np.ndarray]:
    """A function that returns the `bleu_counts`, (10,), of a reference and a hypothesis.

    Each text in the language `target` is normalised and counted once, as many cells give
    the same translation.
    """
    normalize, tokenize = Normalizer(target).normalize, language(target).tokenizer
    once = cache(normalize)

    @cache
    def count(reference: str, hypothesis: str) -> np.ndarray:
        texts = {"": reference}, {"": hypothesis}
        return bleu_counts(*texts, normalize=once, tokenize=tokenize)[0]

    return count


def _runs(
    scored: Iterable[Cell],
    results: Mapping[str, Any],
    toplines: Mapping[str, Any],
    checkpoint: str,
    skip: Skipped,
    count: Callable[[str, str], np.ndarray],
) -> Runs:
    """Runs by pair and variant, then by seed."""
    runs: dict[tuple[str, str], dict[int, Run]] = {}
    rules: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for cell in scored:
        if cell.pair not in toplines:
            raise UserError(
                f"{cell.name} is scored, but there are no references: the pair's "
                "toplines are missing or old; paper.sh makes them"
            )
        skipped = skip.get(cell.pair, frozenset())
        score = results[cell.name]["scores"][checkpoint]
        references, hypotheses = toplines[cell.pair]["references"], score["hyp"]
        joined = join(references, hypotheses)
        counted = {p.utterance_id: count(p.reference, p.hypothesis) for p in joined}
        _check(cell, checkpoint, score, list(counted.values()), len(hypotheses))
        rule = {name: score[name] for name in ("asr", "signature")}
        first, other = rules.setdefault(cell.pair, (cell.name, rule))
        if rule != other:
            raise UserError(
                f"{cell.name} and {first} are not scored by one recogniser and signature: "
                f"{rule} and {other}; run one of them again"
            )
        pairs = [pair for pair in joined if pair.utterance_id not in skipped]
        if (
            not pairs
        ):  # without loops: each utterance of the pair is one, of some system
            continue
        counts = [counted[pair.utterance_id] for pair in pairs]
        mos = [score["utterance_mos"].get(p.utterance_id, np.nan) for p in pairs]
        # Stand-ins are other models, on any machine.
        build = " ".join((results[cell.name]["build"], cell.units, cell.llm))
        runs.setdefault((cell.pair, cell.variant), {})[cell.seed] = Run(
            np.array(counts),
            np.array(mos, dtype=float),
            build,
        )
    return runs


def _check(
    cell: Cell,
    checkpoint: str,
    score: Mapping[str, Any],
    counts: Sequence[np.ndarray],
    num_heard: int,
) -> None:
    """UserError where a stored score is not this cell's, or not that of its hypotheses.

    `counts` are those of all references, of which `num_heard` have a hypothesis.
    """
    said = (score["checkpoint"], score["seed"], score["num_utterances"])
    wanted = (checkpoint, cell.seed, len(counts))
    bleu = bleu_of(np.sum(counts, axis=0))
    if (
        said != wanted
        or score["system"] != cell.system
        or score["num_missing"] != len(counts) - num_heard
        or abs(score["asr_bleu"] - bleu) > 0.005
    ):
        raise UserError(
            f"{cell.name}: its stored score of checkpoint {checkpoint} is not that of its "
            f"hypotheses: system, seed, test utterances, those not heard, or ASR-BLEU "
            f"({score['asr_bleu']:.2f}, and {bleu:.2f} of the {num_heard} hypotheses beside "
            f"{len(counts)} references); was it edited, or scored on another test set? "
            f"Take {cell.name}.json out of the folder cells, and it is run again"
        )


def _in_every_pair(
    loops: Skipped, references: Mapping[str, Mapping[str, str]]
) -> Skipped:
    """The utterances of all pairs at whose place in the test set one of them has a loop.

    The mean over pairs draws utterances by their place in the sorted ids, as all pairs may
    say the same sentences; test sets of other sizes do not.
    """
    ids = {pair: sorted(texts) for pair, texts in references.items()}
    if len(set(map(len, ids.values()))) > 1:
        return loops
    places = {
        place
        for pair, names in ids.items()
        for place, name in enumerate(names)
        if name in loops.get(pair, ())
    }
    return {
        pair: frozenset(names[place] for place in places) for pair, names in ids.items()
    }


def _loops(scored: Iterable[Cell], results: Mapping[str, Any]) -> Skipped:
    """Utterances by pair whose transcript is a loop in any of these cells."""
    loops: dict[str, frozenset[str]] = {}
    for cell in scored:
        result = results.get(cell.name)
        texts = result["scores"]["last"]["hyp"] if result else {}
        looped = {utterance for utterance, text in texts.items() if is_loop(text)}
        loops[cell.pair] = loops.get(cell.pair, frozenset()) | looped
    return loops
