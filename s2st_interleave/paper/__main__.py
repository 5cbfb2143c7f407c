"""The grid of the paper's tables: what is pending, one cell, a pair's toplines, the page.

python -m s2st_interleave.paper --grid paper/grid.yaml pending|cell|topline|page
"""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from s2st_interleave.artifact import atomic_write, read_json, write_json
from s2st_interleave.data import kaldi
from s2st_interleave.paper import cell as cells
from s2st_interleave.paper.claims import Claim, Run, judge
from s2st_interleave.paper.grid import Grid, load
from s2st_interleave.paper.page import Findings, cells_json, render
from s2st_interleave.score.bleu import bleu_counts, bleu_of
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.paper import PAPER_PAIRS


def main(argv: list[str] | None = None) -> int:
    args = _arguments(argv)
    try:
        # The page shows all that there is, however few cells a run was asked for.
        quick = args.quick == "true" and args.command != "page"
        grid = load(args.grid, quick=quick)
        {"pending": pending, "cell": cell, "topline": topline, "page": page}[
            args.command
        ](grid, args)
    except ValueError as error:
        print(f"paper: {error}", file=sys.stderr)
        return 1
    return 0


def pending(grid: Grid, args: argparse.Namespace) -> None:
    """On one line the cells that want a run, their pairs, or pairs of stand-in units."""
    left = grid.pending()
    names = {
        "cells": [c.name for c in left],
        "pairs": [c.pair for c in left],
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
    folder = grid.recipe / args.name
    kept = {
        "score": read_json(
            folder / "shared" / "exp" / "topline" / "test" / "score.json"
        ),
        "references": kaldi.DataDir(folder / "shared" / "data" / "test").texts("en"),
    }
    write_json(grid.folder / "toplines" / f"{args.name}.json", kept)


def page(grid: Grid, args: argparse.Namespace) -> None:
    """RESULTS.md, results.json and the figures, from what is stored and nothing else."""
    found = findings(grid)
    _draw(grid, found.results)
    with atomic_write(grid.recipe / "RESULTS.md") as stream:
        stream.write(render(found))
    claims = [
        {k: v for k, v in claim.to_json().items() if k != "comparisons"}
        for claim in found.claims
    ]
    write_json(
        grid.recipe / "results.json", {"cells": cells_json(found), "claims": claims}
    )
    for claim in found.claims:
        print(f"claim {claim.id}: {claim.verdict}: {claim.text}")
    print(f"results: {grid.recipe / 'RESULTS.md'}")


def findings(grid: Grid) -> Findings:
    results = {
        c.name: result for c in grid.cells if (result := grid.result(c)) is not None
    }
    toplines = {
        path.stem: read_json(path)
        for path in sorted((grid.folder / "toplines").glob("*.json"))
    }
    sizes = yaml.safe_load((grid.recipe / "conf" / "sizes.yaml").read_text("utf-8"))
    notes = grid.folder / "notes.md"
    return Findings(
        grid=grid,
        results=results,
        toplines=toplines,
        sizes=sizes,
        claims=_claims(grid, results, toplines),
        notes=notes.read_text("utf-8") if notes.is_file() else "",
        figures=(
            (
                "paper/figure3.svg",
                "Lengths and similarities over steps (pt_en, seed 1).",
            ),
            ("paper/curves.svg", "Dev loss against steps, tokens and seconds (pt_en)."),
        ),
    )


def _claims(
    grid: Grid, results: Mapping[str, Any], toplines: Mapping[str, Any]
) -> list[Claim]:
    """Judge over all of the paper's pairs, also those that this grid leaves out."""
    runs: dict[tuple[str, str], list[Run]] = {}
    for c in sorted(grid.cells, key=lambda c: c.seed):
        if results.get(c.name, {}).get("scores"):
            run = _run(
                results[c.name]["scores"]["last"], toplines[c.pair]["references"]
            )
            runs.setdefault((c.pair, c.variant), []).append(run)
    pairs = [f"{src}_en" for src in PAPER_PAIRS]
    hours = [pair.hours for pair in PAPER_PAIRS.values()]
    return judge(runs, pairs, hours, bleu_of)


def _run(score: Mapping[str, Any], references: Mapping[str, str]) -> Run:
    counts = bleu_counts(references, score["hyp"], normalize=Normalizer("en").normalize)
    mos = [
        score["utterance_mos"].get(utterance, np.nan)
        for utterance in sorted(references)
    ]
    return Run(counts, np.array(mos, dtype=float))


def _draw(grid: Grid, results: Mapping[str, Any]) -> None:
    from s2st_interleave.paper.figures import draw_curves, draw_figure_3

    names = ("baseline", "scheduled")
    runs = {
        name: results[key] for name in names if (key := f"pt_en.{name}.s1") in results
    }
    draw_figure_3(runs, grid.folder / "figure3.svg")
    draw_curves(runs, grid.folder / "curves.svg")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m s2st_interleave.paper", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--grid", type=Path, required=True)
    parser.add_argument("--quick", choices=("true", "false"), default="false")
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("pending")
    listing.add_argument(
        "--what", choices=("cells", "pairs", "untrained"), default="cells"
    )
    running = commands.add_parser("cell")
    running.add_argument("--name", required=True)
    running.add_argument("--until", type=float, default=0, help="start no later")
    commands.add_parser("topline").add_argument("--name", required=True)
    commands.add_parser("page")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
