"""The grid of the paper's tables: what is pending, one cell, a pair's toplines, the page.

python -m s2st_interleave.replicate --grid paper/grid.yaml pending|cell|topline|page
"""

import argparse
import sys
import time
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.data import kaldi
from s2st_interleave.errors import UserError, script
from s2st_interleave.files import atomic_write, read_json, write_json
from s2st_interleave.replicate import cell as cells
from s2st_interleave.replicate.claims import Run, Runs, compare_two, judge
from s2st_interleave.replicate.figures import FIGURES, draw
from s2st_interleave.replicate.findings import Findings
from s2st_interleave.replicate.grid import Cell, Grid, load
from s2st_interleave.replicate.page import render
from s2st_interleave.replicate.results import results_json
from s2st_interleave.replicate.search import LENGTHS, STRETCHED, winners
from s2st_interleave.score.metrics.bleu import bleu_counts, bleu_of
from s2st_interleave.score.metrics.loops import is_loop
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.published import PAPER_PAIRS

Skipped = Mapping[str, frozenset[str]]  # pair -> utterances


def main(argv: list[str] | None = None) -> int:
    args = _arguments(argv)
    commands = {"pending": pending, "cell": cell, "topline": topline, "page": page}
    return script("paper", lambda: commands[args.command](load(args.grid), args))


def pending(grid: Grid, args: argparse.Namespace) -> None:
    """On one line the cells that want a run, the pairs that want toplines, the pairs of
    either, those of cells with stand-in units; or all source languages that the shared
    parts learn from.
    """
    left = grid.pending()
    bare = [c.pair for c in grid.cells if grid.topline(c.pair) is None]
    names = {
        "cells": [c.name for c in left],
        "toplines": bare,
        "pairs": [*(c.pair for c in left), *bare],
        "sources": [pair.partition("_")[0] for pair in grid.pairs],
        "untrained": [c.pair for c in left if c.units],
    }[args.what]
    print(" ".join(dict.fromkeys(names)))


def cell(grid: Grid, args: argparse.Namespace) -> None:
    """Run one cell, unless `until` (a time in seconds) has passed."""
    if args.until and time.time() > args.until:
        print(f"{args.name}: not started, the time given is over")
        return
    cells.run(grid, grid.cell(args.name))


def topline(grid: Grid, args: argparse.Namespace) -> None:
    """Keep a pair's toplines and references as text."""
    shared = grid.recipe / args.name / grid.shared
    cascade = read_json(shared / "exp" / "cascade" / "test" / "score.json")
    kept = {
        "score": read_json(shared / "exp" / "topline" / "test" / "score.json"),
        "cascade_asr_bleu": cascade["asr_bleu"],
        "references": kaldi.DataDir(shared / "data" / "test").texts("en"),
        "identity": grid.topline_identity(args.name),
    }
    write_json(grid.topline_place(args.name), kept)


def page(grid: Grid, args: argparse.Namespace) -> None:
    """RESULTS.md, results.json and the figures, from what is stored and nothing else."""
    found = findings(grid, args.num_resamples)
    draw(found)
    with atomic_write(grid.page / "RESULTS.md") as stream:
        stream.write(render(found))
    write_json(grid.page / "results.json", results_json(found))
    for claim in found.claims:
        print(f"claim {claim.id}: {claim.verdict}: {claim.text}")
    print(f"results: {grid.page / 'RESULTS.md'}")


def findings(grid: Grid, num_resamples: int) -> Findings:
    results = {
        c.name: result for c in grid.cells if (result := grid.result(c)) is not None
    }
    toplines = {pair: stored for pair in grid.pairs if (stored := grid.topline(pair))}
    notes = grid.folder / "notes.md"
    where = "." if grid.page == grid.folder else grid.folder.name

    loops = _loops(grid.compared(), results)

    def runs(checkpoint: str, *tables: str, skip: Skipped | None = None) -> Runs:
        there = [c for c in grid.compared(*tables) if c.name in results]
        return _runs(there, results, toplines, checkpoint, skip or {})

    last, best_dev = map(runs, cells.CHECKPOINTS)
    searched = [runs(name, "search") for name in cells.CHECKPOINTS]
    changed = runs("last", "sensitivity")
    compare = partial(compare_two, bleu=bleu_of, num_resamples=num_resamples)
    judged = partial(
        judge,
        **dict(zip(("pairs", "hours"), _paper_pairs(), strict=True)),
        bleu=bleu_of,
        num_resamples=num_resamples,
    )
    paper_pairs, _ = _paper_pairs()
    others = [pair for pair in grid.pairs if pair not in paper_pairs]
    pairs = [*paper_pairs, *others]
    constant = [compare(last, pair, "constant", "baseline") for pair in pairs]
    beyond = [compare(last, pair, "scheduled", "baseline") for pair in others]
    longer, longer_unlooped = (
        [
            compare(some, pair, f"scheduled{end}", f"baseline{end}")
            for pair, (_, end) in product(pairs, LENGTHS)
        ]
        for some in (
            runs("last", *STRETCHED),
            runs("last", *STRETCHED, skip=_loops(grid.compared(*STRETCHED), results)),
        )
    )
    sensitivity = [
        compare(changed, pair, variant, "scheduled")
        for pair, variant in changed
        if variant != "scheduled"
    ]
    return Findings(
        grid=grid,
        results=results,
        toplines=toplines,
        sizes=grid.sizes,
        claims=judged(last),
        claims_best=judged(best_dev),
        claims_unlooped=judged(runs("last", skip=loops)),
        beyond=[found for found in beyond if found],
        loops=loops,
        tuned=winners(grid, results, *searched, compare),
        longer=[found for found in longer if found],
        longer_unlooped=[found for found in longer_unlooped if found],
        constant=[found for found in constant if found],
        sensitivity=[found for found in sensitivity if found],
        notes=notes.read_text("utf-8") if notes.is_file() else "",
        figures={name: f"{where}/{name}.svg" for name in FIGURES},
    )


def _paper_pairs() -> tuple[list[str], list[int]]:
    """All of the paper's pairs, also those that a grid leaves out, and their hours."""
    pairs = [f"{src}_en" for src in PAPER_PAIRS]
    return pairs, [pair.hours for pair in PAPER_PAIRS.values()]


def _runs(
    scored: Iterable[Cell],
    results: Mapping[str, Any],
    toplines: Mapping[str, Any],
    checkpoint: str,
    skip: Skipped,
) -> Runs:
    """Runs by pair and variant, then by seed."""
    runs: dict[tuple[str, str], dict[int, Run]] = {}
    for c in scored:
        if c.pair not in toplines:
            raise UserError(
                f"{c.name} is scored, but there are no references: the pair's "
                "toplines are missing or old; paper.sh makes them"
            )
        references = toplines[c.pair]["references"]
        # A stand-in is another model, whatever the machine.
        build = " ".join((results[c.name]["build"], c.units, c.llm))
        score = results[c.name]["scores"][checkpoint]
        run = _run(score, references, build, skip.get(c.pair, frozenset()))
        runs.setdefault((c.pair, c.variant), {})[c.seed] = run
    return runs


def _loops(scored: Iterable[Cell], results: Mapping[str, Any]) -> Skipped:
    """By pair the utterances that are heard as a loop in any of these cells."""
    found: dict[str, frozenset[str]] = {}
    for c in scored:
        heard = results[c.name]["scores"]["last"]["hyp"] if c.name in results else {}
        loops = {u for u, text in heard.items() if is_loop(text)}
        found[c.pair] = found.get(c.pair, frozenset()) | loops
    return found


def _run(
    score: Mapping[str, Any],
    references: Mapping[str, str],
    build: str,
    skipped: frozenset[str],
) -> Run:
    said, heard = (
        {u: text for u, text in texts.items() if u not in skipped}
        for texts in (references, score["hyp"])
    )
    counts = bleu_counts(said, heard, normalize=Normalizer("en").normalize)
    mos = [score["utterance_mos"].get(utterance, np.nan) for utterance in sorted(said)]
    return Run(counts, np.array(mos, dtype=float), build)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m s2st_interleave.replicate", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--grid", type=Path, required=True)
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("pending")
    listing.add_argument(
        "--what",
        choices=("cells", "pairs", "toplines", "sources", "untrained"),
        default="cells",
    )
    running = commands.add_parser("cell")
    running.add_argument("--name", required=True)
    running.add_argument("--until", type=float, default=0, help="start no later")
    commands.add_parser("topline").add_argument("--name", required=True)
    showing = commands.add_parser("page")
    showing.add_argument("--num_resamples", type=int, default=2000, help="of a test")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
