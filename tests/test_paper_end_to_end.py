"""egs/mini_cvss/paper.sh as a user types it: one tiny cell of each kind, then the page."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow

CORPUS = "--num_train 24 --num_dev 4 --num_test 6 --num_text 200"
GRID = """
version: 1
pairs: [pt_en]
groups:
  - {table: 2, pairs: all, systems: [scheduled], seeds: [1]}
  - {table: 3, pairs: all, systems: [mask], seeds: [2]}
  - {table: 1, pairs: all, systems: [baseline], units: untrained, seeds: [1]}
  - {table: 1, pairs: all, systems: [no_cot], llm: [mono], seeds: [1]}
"""
QUICK = """
version: 1
pairs: [pt_en]
groups:
  - {table: 2, pairs: all, systems: [baseline], seeds: [1]}
"""
TINY = {
    "train.yaml": {"max_steps": 4, "text_ratio_every": 1, "eval_every": 2},
    "decode.yaml": {"max_unit_ratio": 1.2, "max_text_tokens": 12},
    "vocoder.yaml": {"max_steps": 4, "eval_every": 4},
    "x_en/encoder.yaml": {"max_steps": 20, "num_pieces": 90, "eval_every": 20},
    "x_en/kmeans.yaml": {"num_units": 20, "num_utterances": 20},
    "x_en/text_llm.yaml": {"max_steps": 4, "vocab_size": 400, "eval_every": 4},
}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Path:
    """A copy of egs/mini_cvss with the real parts and very little of everything."""
    root = tmp_path_factory.mktemp("paper") / "a user's copy"
    made = ("downloads", "data", "dump", "exp", "shared", "cells", "toplines")
    ignored = shutil.ignore_patterns(*made, "RESULTS.md", "results.json")
    shutil.copytree(ROOT / "egs", root / "egs", ignore=ignored)
    shutil.copytree(ROOT / "tools", root / "tools")
    folder = root / "egs" / "mini_cvss"
    (folder / "paper" / "grid.yaml").write_text(GRID)
    (folder / "quick" / "grid.yaml").write_text(QUICK)
    for name, values in TINY.items():
        path = folder / "conf" / name
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | values))
    return folder


def run(folder: Path, *options: str) -> str:
    bin_dir = str(Path(sys.executable).parent)
    env = {"PATH": f"{bin_dir}:{os.environ['PATH']}", "MINI_CORPUS": CORPUS}
    done = subprocess.run(
        [folder / "paper.sh", *options],
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


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
