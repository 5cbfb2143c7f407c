"""Grids of cells through a real Slurm, which `tools/slurm_test.sh` starts."""

import os
from pathlib import Path

import pytest
import tiny_cvss
import tiny_paper

pytestmark = [
    pytest.mark.slow,
    pytest.mark.slurm,
    pytest.mark.skipif(
        "S2ST_TEST_SLURM" not in os.environ,
        reason="tools/slurm_test.sh starts a Slurm for it",
    ),
]


def slurm(folder: Path) -> dict[str, str]:
    conf = folder / "slurm.yaml"
    conf.write_text("{poll_sec: 0.5, memory: 3G, minutes: 20}")
    return {"S2ST_BACKEND": "slurm", "S2ST_SLURM": str(conf)}


def test_the_cells_of_the_mini_grid_are_jobs(tmp_path):
    """The two of them that there is room for run at once."""
    folder = tiny_paper.copy_recipes(tmp_path / "a user's copy")
    output = tiny_paper.run(folder, **slurm(tmp_path))
    assert "2 of 2 cells done" in output
    logs = sorted(folder.glob("x_en/shared/paper/exp/log/cell.*.log"))
    assert len(logs) == 2
    for log in logs:
        assert "Slurm job " in log.read_text(), log


def test_the_stages_of_a_cell_at_full_size_are_jobs(tmp_path, text_llm):
    """The cell itself is none: it waits for them."""
    recipe = tiny_cvss.copy_recipes(tmp_path / "a user's copy", text_llm) / "cvss"
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
        log for part in ("x_en", "pt_en") for log in recipe.glob(f"{part}/exp/log/*")
    ]
    for log in logs:
        assert "Slurm job " in log.read_text(), log
