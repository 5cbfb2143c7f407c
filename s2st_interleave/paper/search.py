"""The same small search for the baseline and the proposed method, decided by rule.

What a system's own best learning rate, dropout or number of steps does for it: the
variant with the lowest dev loss wins, test scores are not looked at.
"""

from collections.abc import Mapping
from typing import Any

from s2st_interleave.paper.grid import Cell, Grid

SYSTEMS = ("scheduled", "baseline")


def candidates(grid: Grid, system: str) -> list[Cell]:
    """The system as it is and its `<system>_<change>`, on the pair of table "search"."""
    searched = [c for c in grid.cells if c.table == "search"]
    pairs = {c.pair for c in searched}
    as_it_is = [
        c for c in grid.cells if c.pair in pairs and c.seed == 1 and c.variant == system
    ]
    return as_it_is + [c for c in searched if c.system.startswith(f"{system}_")]


def dev_loss(result: Mapping[str, Any]) -> float:
    return min(result["curve"]["dev_loss"])


def winner(
    grid: Grid, results: Mapping[str, Mapping[str, Any]], system: str
) -> Cell | None:
    """The candidate with the lowest dev loss; None while one of them is missing."""
    cells = candidates(grid, system)
    if not cells or any(c.name not in results for c in cells):
        return None
    return min(cells, key=lambda c: (dev_loss(results[c.name]), c.name))
