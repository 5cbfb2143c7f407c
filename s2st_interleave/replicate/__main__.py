"""Run a grid of cells, such as the paper's tables, and write the page about it.

    python -m s2st_interleave.replicate --grid paper/grid.yaml COMMAND

COMMAND is pending, builds, cell, topline, plan or page.

docs/replication.md says how to declare one.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from s2st_interleave.config import nearest
from s2st_interleave.errors import UserError, script
from s2st_interleave.files import atomic_write, check_page, write_json
from s2st_interleave.replicate import cell as cells
from s2st_interleave.replicate.grid import Grid
from s2st_interleave.replicate.grid_file import load


def main(argv: list[str] | None = None) -> int:
    args = _arguments(argv)
    commands = {
        "pending": pending,
        "builds": builds,
        "cell": cell,
        "topline": topline,
        "plan": plan,
        "page": page,
    }
    return script("replicate", lambda: commands[args.command](load(args.grid), args))


def pending(grid: Grid, args: argparse.Namespace) -> None:
    """Print names on one line: those of the cells that have to be run, or others.

    The others are pairs without toplines, the pairs of either, those of them that have
    models of their own, pairs of cells with stand-in units, and all source languages that
    the shared models learn from. With `pair`, only what is of this one.
    """
    asked = [args.pair] if args.pair else grid.pairs
    if args.pair:
        _check_pair(grid, args.pair)
    cells_to_run = [c for c in grid.pending() if c.pair in asked]
    used = [c.pair for c in grid.cells if c.pair in asked]
    without = [pair for pair in used if grid.topline(pair) is None]
    pairs = [*(c.pair for c in cells_to_run), *without]
    learned = grid.learned(args.pair) if args.pair else grid.pairs
    names = {
        "cells": [c.name for c in cells_to_run],
        "toplines": without,
        "pairs": pairs,
        "own_models": pairs if grid.own_models else [],
        "sources": [grid.recipe.source(pair) for pair in learned],
        "untrained": [c.pair for c in cells_to_run if c.units],
    }[args.what]
    print(" ".join(dict.fromkeys(names)))


def builds(grid: Grid, args: argparse.Namespace) -> None:
    """Warn where the shared models made here are not those of a pair's stored cells."""
    if args.pair:
        _check_pair(grid, args.pair)
    pairs = [args.pair] if args.pair else [c.pair for c in grid.pending()]
    for pair in dict.fromkeys(pairs):
        if warning := cells.build_warning(grid, pair):
            print(warning, file=sys.stderr)


def cell(grid: Grid, args: argparse.Namespace) -> None:
    """Run one cell, unless `until` (a time in seconds) has passed."""
    if args.until and time.time() > args.until:
        print(f"{args.name}: not started, the time given is over")
        return
    cells.run(grid, grid.cell(args.name), args.words)


def topline(grid: Grid, args: argparse.Namespace) -> None:
    """Store a pair's toplines."""
    _check_pair(grid, args.name)
    cells.keep_topline(grid, args.name)


def _check_pair(grid: Grid, pair: str) -> None:
    if pair not in grid.pairs:
        known = nearest(pair, grid.pairs)
        raise UserError(f"no pair '{pair}' in {grid.folder}{known}")


def plan(grid: Grid, args: argparse.Namespace) -> None:
    """Print how many cells are left, and the GPU hours of their trainings."""
    if args.words and not grid.recipe.plan:
        raise UserError(
            f"{grid.recipe.folder}: replication.yaml has no `plan`, for which options such "
            f"as {args.words[0]} are"
        )
    from s2st_interleave.replicate.plan import plan_line

    print(plan_line(grid, args.words))


def page(grid: Grid, args: argparse.Namespace) -> None:
    """Write RESULTS.md, results.json and the figures from the stored scores alone."""
    from s2st_interleave.replicate import figures, schedules_page
    from s2st_interleave.replicate.content import gather
    from s2st_interleave.replicate.page import render
    from s2st_interleave.replicate.results import results_json

    if args.out is not None:
        grid = replace(grid, page=args.out, figures=args.out)
    check_page(grid.page / "RESULTS.md")
    content = gather(grid, args.num_resamples)
    if grid.is_of_schedules:
        schedules_page.draw(content)
        text = schedules_page.render(content)
    else:
        figures.draw(content)
        text = render(content)
    with atomic_write(grid.page / "RESULTS.md") as stream:
        stream.write(text)
    write_json(grid.page / "results.json", results_json(content))
    for candidate in content.schedules:
        print(f"{candidate.system}: {candidate.verdict}")
    for claim, *_ in () if grid.is_of_schedules else content.verdicts:
        print(f"claim {claim.id}: {claim.verdict}: {claim.text}")
    print(f"results: {grid.page / 'RESULTS.md'}")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m s2st_interleave.replicate", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--grid", type=Path, required=True)
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("pending")
    listing.add_argument(
        "--what",
        choices=("cells", "pairs", "own_models", "toplines", "sources", "untrained"),
        default="cells",
    )
    comparing = commands.add_parser("builds")
    for command in (listing, comparing):
        command.add_argument("--pair", default="", help="only what is of this one")
    running = commands.add_parser("cell")
    running.add_argument("--name", required=True)
    running.add_argument("--until", type=float, default=0, help="start no later")
    commands.add_parser("topline").add_argument("--name", required=True)
    planning = commands.add_parser("plan")
    for command, what in ((running, "the recipe"), (planning, "plan")):
        command.add_argument(
            "words", nargs="*", help=f"more options of {what}, after --"
        )
    showing = commands.add_parser("page")
    showing.add_argument(
        "--out", type=Path, help="folder of the page and its figures, not the grid's"
    )
    showing.add_argument("--num_resamples", type=int, default=2000, help="of a test")
    args = parser.parse_args(argv)
    if args.command == "page" and args.num_resamples < 100:
        parser.error(f"--num_resamples {args.num_resamples}: a test takes 100 or more")
    return args


if __name__ == "__main__":
    sys.exit(main())
