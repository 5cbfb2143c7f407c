"""egs/mini_cvss/paper.sh as a user types it: one tiny cell of each kind, then the page."""

import json
from pathlib import Path

import pytest
from tiny_paper import copy_recipes, run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Path:
    return copy_recipes(tmp_path_factory.mktemp("paper") / "a user's copy")


def test_a_cell_of_each_kind_and_the_page(recipe):
    # 1. All of them, by one command.
    output = run(recipe)
    assert "cells to run: 4" in output and "4 of 4 cells done" in output

    # 2. Text is kept, checkpoints and audio are not.
    cells = sorted(path.stem for path in (recipe / "paper" / "cells").glob("*.json"))
    assert cells == [
        "pt_en.baseline.untrained.s1",
        "pt_en.mask.s2",
        "pt_en.no_cot.mono.s1",
        "pt_en.scheduled.s1",
    ]
    kept = json.loads((recipe / "paper/cells/pt_en.scheduled.s1.json").read_text())
    assert len(kept["scores"]["best"]["hyp"]) <= 6
    assert len(kept["scores"]["last"]["utterance_mos"]) <= 6
    assert kept["probes"]["similarity_src"] and kept["curve"]["dev_loss"]
    assert not list((recipe / "pt_en/shared/paper/exp/cells").glob("*/*"))

    # 3. The page shows them; a third run has nothing to do but the page.
    results = json.loads((recipe / "results.json").read_text())
    assert {cell["system"] for cell in results["cells"]} == {
        "scheduled",
        "mask",
        "baseline.untrained",
        "no_cot.mono",
    }
    assert len(results["claims"]) == 8
    page = (recipe / "RESULTS.md").read_text()
    assert "cells to run: 0" in run(recipe)
    assert (recipe / "RESULTS.md").read_text() == page

    # 4. The quick grid has cells and a page of its own.
    run(recipe, "--quick", "true", "--page", "true")
    assert "0 of 1 cells are there" in (recipe / "quick" / "RESULTS.md").read_text()
    assert (recipe / "RESULTS.md").read_text() == page
