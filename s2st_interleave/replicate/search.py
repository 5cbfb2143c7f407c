"""Chooses the winners of a small search, the same for baseline and proposed method.

The search tries other learning rates, dropouts and numbers of steps for each system.
Winners are chosen on dev by the same rules for both; one more rule chooses the baseline
alone, on test.
"""

from collections.abc import Callable, Mapping
from typing import Any

from s2st_interleave.replicate.comparison import Comparison, Runs
from s2st_interleave.replicate.grid import Cell, Grid

SYSTEMS = ("scheduled", "baseline")
Result = Mapping[str, Any]  # a stored cell
LENGTHS = (1, ""), (2, "_steps"), (4, "_steps_x4")  # times the steps, end of the name
NUM_RULES = 3  # of `winners`
STRETCHED = ("search", "steps")  # tables with cells of more steps


def searched_pairs(grid: Grid) -> list[str]:
    """The pairs that have cells of the search."""
    return list(dict.fromkeys(c.pair for c in grid.compared("search")))


def candidates(grid: Grid, system: str, pair: str) -> list[Cell]:
    """The cells of `system` and of each `<system>_<change>` in the table "search"."""
    cells = [c for c in grid.compared("search") if c.pair == pair]
    unchanged = [c for c in cells if c.system == system]
    return unchanged + [c for c in cells if c.system.startswith(f"{system}_")]


def dev_loss(result: Result) -> float:
    """The lowest loss on dev."""
    return min(result["curve"]["dev_loss"])


def least_dev_loss(result: Result) -> float:
    """A merit that is larger for a lower dev loss."""
    return -dev_loss(result)


def last_dev_accuracy(result: Result) -> float:
    """The accuracy on dev at the last checkpoint."""
    return result["curve"]["dev_accuracy"][-1]


def last_test_score(result: Result) -> float:
    """ASR-BLEU on test at the last checkpoint."""
    return result["scores"]["last"]["asr_bleu"]


def winner(
    cells: list[Cell], results: Mapping[str, Result], merit: Callable[[Result], float]
) -> Cell | None:
    """The cell with the largest merit; None while a result is missing."""
    if not cells or any(c.name not in results for c in cells):
        return None
    return max(
        sorted(cells, key=lambda c: c.name), key=lambda c: merit(results[c.name])
    )


def winners(
    grid: Grid,
    results: Mapping[str, Result],
    last: Runs,
    best_dev: Runs,
    compare: Callable[..., Comparison | None],
) -> list[tuple[str, Comparison]]:
    """Scheduled against baseline as each rule chooses them, by the rule's name.

    Rules whose candidates are not all there are left out.
    """
    chosen = []
    for pair in searched_pairs(grid):
        ours, theirs = (candidates(grid, system, pair) for system in SYSTEMS)
        for rule, scheduled, merit, runs in (
            ("lowest dev loss; best dev", ours, least_dev_loss, best_dev),
            ("highest dev accuracy at last; last", ours, last_dev_accuracy, last),
            ("baseline by its test score; last", ours[:1], last_test_score, last),
        ):
            system, other = (winner(c, results, merit) for c in (scheduled, theirs))
            if system and other:
                comparison = compare(runs, pair, system.variant, other.variant)
                if comparison:
                    chosen.append((rule, comparison))
    return chosen
