"""The search is decided on dev, for both systems alike, and only when it is whole."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from s2st_interleave.replicate import fairness
from s2st_interleave.replicate.comparison import Comparison
from s2st_interleave.replicate.grid_file import load
from s2st_interleave.replicate.search import (
    NUM_RULES,
    SYSTEMS,
    candidates,
    last_test_score,
    searched_pairs,
    winner,
    winners,
)
from s2st_interleave.replicate.statistics import Difference

GRID = Path(__file__).resolve().parents[2] / "egs" / "mini_cvss" / "paper" / "grid.yaml"


@pytest.fixture
def grid():
    return load(GRID)


def stored(score: float, dev_loss: float = 1.0, dev_accuracy: float = 0.5):
    curve = {"dev_loss": [dev_loss, 9.0], "dev_accuracy": [0.9, dev_accuracy]}
    return {"curve": curve, "scores": {"last": {"asr_bleu": score}}}


def test_a_search_is_complete_with_all_of_its_rules(grid):
    """The rule on test alone hid that both rules on dev lacked a cell."""
    difference = Difference((1.0,), 1.0, (0.0, 2.0), 0.1, 0.9)
    names = "es_en", "scheduled", "baseline"
    comparison = Comparison(*names, True, 1, difference, 0.1)
    tuned = [(f"rule {n}", comparison) for n in range(NUM_RULES)]
    for there, left in ((tuned[:1], "pt_en, es_en."), (tuned, "pt_en.")):
        said = fairness.winners(SimpleNamespace(grid=grid, tuned=there))
        assert said.endswith(f"The search is not complete yet: {left}")


def test_both_systems_have_as_many_candidates_of_the_same_kinds(grid):
    for pair in searched_pairs(grid):
        kinds = [
            {c.system.removeprefix(system) for c in candidates(grid, system, pair)}
            for system in SYSTEMS
        ]
        assert kinds[0] == kinds[1] and len(kinds[0]) > 3 and "" in kinds[0]


def test_the_candidate_of_most_merit_wins_and_a_missing_one_leaves_it_open(grid):
    cells = candidates(grid, "baseline", "pt_en")
    results = {c.name: stored(1.0) for c in cells}
    results[cells[2].name] = stored(2.0)
    assert winner(cells, results, last_test_score) == cells[2]
    assert winner(cells, {cells[2].name: stored(2.0)}, last_test_score) is None


def test_dev_chooses_for_both_and_test_for_the_baseline_alone(grid):
    """A baseline that is best on test only, by its score, and one by its dev scores."""
    cells = [c for s in SYSTEMS for c in candidates(grid, s, "pt_en")]
    results = {c.name: stored(1.0) for c in cells}
    results["pt_en.baseline_lr_low.s4"] = stored(7.0)
    results["pt_en.baseline_lr_high.s4"] = stored(1.0, dev_loss=0.5)
    results["pt_en.scheduled_steps.s4"] = stored(9.0, dev_accuracy=0.6)
    asked = []
    chosen = winners(
        grid, results, "last", "best", lambda *names: asked.append(names) or names
    )
    assert [comparison for _, comparison in chosen] == asked and {
        c[1] for c in asked
    } == {"pt_en"}
    assert asked[0][0] == "best" and asked[0][3] == "baseline_lr_high"
    assert asked[1][0] == "last" and asked[1][2] == "scheduled_steps"
    assert asked[2] == ("last", "pt_en", "scheduled", "baseline_lr_low")
