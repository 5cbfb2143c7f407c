"""The same small search for the baseline and the proposed method, decided by rule.

What a system's own best learning rate, dropout or number of steps does for it. Winners
are chosen on dev, for both alike; one more rule chooses the baseline alone, on test.
"""

from collections.abc import Callable, Mapping
from typing import Any

from s2st_interleave.replicate.comparison import Comparison, Runs
from s2st_interleave.replicate.grid import Cell, Grid

SYSTEMS = ("scheduled", "baseline")
Result = Mapping[str, Any]  # a stored cell
LENGTHS = (1, ""), (2, "_steps"), (4, "_steps_x4")  # times the steps, end of the name
STRETCHED = ("search", "steps")  # tables with cells of more steps


def searched_pairs(grid: Grid) -> list[str]:
    return list(dict.fromkeys(c.pair for c in grid.compared("search")))


def candidates(grid: Grid, system: str, pair: str) -> list[Cell]:
    """The system as it is and its `<system>_<change>`, all of table "search"."""
    of_pair = [c for c in grid.compared("search") if c.pair == pair]
    as_it_is = [c for c in of_pair if c.system == system]
    return as_it_is + [c for c in of_pair if c.system.startswith(f"{system}_")]


def dev_loss(result: Result) -> float:
    return min(result["curve"]["dev_loss"])


def least_dev_loss(result: Result) -> float:
    return -dev_loss(result)


def last_dev_accuracy(result: Result) -> float:
    return result["curve"]["dev_accuracy"][-1]


def last_test_score(result: Result) -> float:
    return result["scores"]["last"]["asr_bleu"]


def winner(
    cells: list[Cell], results: Mapping[str, Result], merit: Callable[[Result], float]
) -> Cell | None:
    """The candidate of most merit; None while one of them is missing."""
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
    """Scheduled against baseline, each as a rule chose it; what is not whole is left out."""
    chosen = []
    for pair in searched_pairs(grid):
        ours, theirs = (candidates(grid, system, pair) for system in SYSTEMS)
        for rule, scheduled, merit, runs in (
            ("lowest dev loss; best dev", ours, least_dev_loss, best_dev),
            ("highest dev accuracy at last; last", ours, last_dev_accuracy, last),
            ("baseline by its test score; last", ours[:1], last_test_score, last),
        ):
            both = [winner(cells, results, merit) for cells in (scheduled, theirs)]
            if all(both):
                comparison = compare(runs, pair, *(cell.variant for cell in both))
                chosen.append((rule, comparison))
    return chosen
