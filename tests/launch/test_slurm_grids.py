"""Recipes and grids of cells through a real Slurm, which `tools/slurm_test.sh` starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_cvss
import tiny_paper
import warm_python
from real_slurm import NEEDS_SLURM

from s2st_interleave.files import read_json

pytestmark = [*NEEDS_SLURM, pytest.mark.slow]


def slurm(folder: Path) -> dict[str, str]:
    conf = folder / "slurm.yaml"
    conf.write_text("{poll_sec: 0.5, memory: 3G, minutes: 20}")
    return {"S2ST_BACKEND": "slurm", "S2ST_SLURM": str(conf)}


def test_the_cells_of_the_mini_grid_are_jobs(tmp_path, python):
    """The two of them that there is room for run at once."""
    folder = tiny_paper.copy_recipes(tmp_path / "a user's copy")
    warm_python.put_into(tmp_path / "a user's copy", python)
    output = tiny_paper.run(folder, **slurm(tmp_path))
    assert "2 of 2 cells done" in output
    logs = sorted(folder.glob("x_en/shared/paper/exp/log/cell.*.log"))
    assert len(logs) == 2
    for log in logs:
        assert "Slurm job " in log.read_text(), log


def test_the_stages_of_a_cell_at_full_size_are_jobs(tmp_path, text_llm, python):
    """The cell itself is none: it waits for them."""
    recipe = tiny_cvss.copy_recipes(tmp_path / "a user's copy", text_llm) / "cvss"
    warm_python.put_into(tmp_path / "a user's copy", python)
    (recipe / "paper" / "grid.yaml").write_text(
        "{version: 1, page: .., pairs: [pt_en], groups: [{table: 2, pairs: all, "
        "systems: [scheduled], seeds: [1]}]}"
    )
    less = ["--device", "cpu", "--num_threads", "1", "--nj", "1"]
    output = tiny_paper.run(recipe, *less, **slurm(tmp_path))
    assert "1 of 1 cells done" in output
    (cell,) = recipe.glob("x_en/exp/log/cell.*.log")
    assert cell.read_text().count("Slurm job ") >= 7  # train, and twice 7, 8 and 9
    logs = [
        *recipe.glob("*_en/exp/log/*.log"),
        *recipe.glob("x_en/exp/*_en/log/*.log"),  # what x_en does for a pair
    ]
    assert len(logs) > 10
    for log in logs:
        assert "Slurm job " in log.read_text(), log


RECIPE_CONF = """
poll_sec: 0.5
train_cmd: {memory: 900M}
decode_cmd: {memory: 900M, gpus_per_node: 1}
cuda_cmd: {memory: 2G, gpus_per_node: 2, cpus_per_node: 2, minutes: 20, warning_sec: 60}
"""


@pytest.fixture(scope="module")
def egs(tmp_path_factory, text_llm) -> Path:
    """Recipes and corpora of two languages, whose jobs go to Slurm."""
    root = tmp_path_factory.mktemp("slurm") / "a user's copy"
    egs = tiny_cvss.copy_recipes(root, text_llm, "es")
    (root / "slurm.yaml").write_text(RECIPE_CONF)
    return egs


def recipe(egs: Path, script: str, *options: str) -> str:
    """What a script of egs/cvss says, once all that it started has succeeded."""
    settings = {"S2ST_BACKEND": "slurm", "S2ST_SLURM": str(egs.parent / "slurm.yaml")}
    settings["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    less = ["--checkpoints", "last", "--test_sets", "test1k"]
    cpu = ["--device", "cpu", "--num_threads", "1"]
    done = subprocess.run(
        [egs / "cvss" / script, *less, *cpu, *options],
        env=os.environ | settings | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


def test_a_whole_recipe_goes_through_slurm(egs):
    """pt_en and what two pairs share: arrays for cut stages, two ranks a training."""
    recipe(egs, "pt_en/run.sh")
    pair, shared = egs / "cvss" / "pt_en", egs / "cvss" / "x_en"
    assert "scheduled" in (pair / "exp" / "RESULTS.md").read_text()
    facts = read_json(shared / "exp" / "encoder" / "stage.json")
    assert facts["options"]["languages"] == ["pt", "es", "en"]
    logs = [log for part in (pair, shared) for log in part.glob("exp/log/*.log")]
    assert len(logs) > 20
    for log in logs:
        assert "Slurm job " in log.read_text(), log


def test_one_llm_of_two_pairs_is_trained_and_scored_on_each(egs):
    """An extension, on what the test before has made."""
    recipe(egs, "x_en/multilingual.sh")
    for source in ("pt", "es"):
        scores = egs / "cvss" / "x_en" / f"exp/{source}_en/multilingual"
        (score,) = scores.glob("greedy_last/test1k/score.json")
        assert read_json(score)["num_utterances"] == 5
        results = egs / "cvss" / "x_en" / "exp" / f"RESULTS.{source}.md"
        assert "one LLM for all pairs (an extension)" in results.read_text()
