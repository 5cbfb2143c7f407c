"""The search is decided on dev, for both systems alike, and only when it is whole."""

from pathlib import Path

import pytest

from s2st_interleave.paper.grid import load
from s2st_interleave.paper.search import SYSTEMS, candidates, winner

GRID = Path(__file__).resolve().parents[2] / "egs" / "mini_cvss" / "paper" / "grid.yaml"


@pytest.fixture
def grid():
    return load(GRID)


def test_both_systems_have_as_many_candidates_of_the_same_kinds(grid):
    kinds = [
        {c.system.removeprefix(system) for c in candidates(grid, system)}
        for system in SYSTEMS
    ]
    assert kinds[0] == kinds[1] and len(kinds[0]) > 3 and "" in kinds[0]


def test_the_lowest_dev_loss_at_any_checkpoint_wins(grid):
    cells = candidates(grid, "baseline")
    results = {c.name: {"curve": {"dev_loss": [2.0, 1.5, 1.8]}} for c in cells}
    chosen = cells[2]
    results[chosen.name] = {"curve": {"dev_loss": [2.0, 1.4, 1.9]}}
    assert winner(grid, results, "baseline") == chosen


def test_a_missing_candidate_leaves_it_open(grid):
    cells = candidates(grid, "baseline")
    results = {c.name: {"curve": {"dev_loss": [1.0]}} for c in cells[1:]}
    assert winner(grid, results, "baseline") is None
