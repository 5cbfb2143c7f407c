"""All that is of a recipe stands in its replication.yaml, and a slip there is named."""

import re
import shutil
from pathlib import Path

import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.replicate import cell as cells
from s2st_interleave.replicate import recipe as recipes
from s2st_interleave.replicate.grid_file import load
from s2st_interleave.replicate.plan import plan_line

ROOT = Path(__file__).resolve().parents[2]
MINI = ROOT / "egs" / "mini_cvss"
FULL_SIZE = ROOT / "egs" / "cvss"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tgt_lang: en\n", "", r"replication\.yaml: no 'tgt_lang'"),
        ("models:", "model:", r"replication\.yaml: unknown key 'model'; did you mean"),
        ("  title:", "  titel:", r"replication\.yaml: notes: unknown key 'titel'; did"),
        (
            "seed {seed}",
            "seed {sed}",
            r"options: '.*' has no 'sed'; did you mean 'seed'",
        ),
        ('MINI_SHARED: "{shared}"', 'MINI_SHARED: "{pair}"', r"environment: .* 'pair'"),
        ("seed {seed}", "seed {seed", r"replication\.yaml: options: "),
        ("test: test\n", "keep: perhaps\n", r"option 'keep'"),
        ("  stage: 6", "  stage: [6]", r"options: stage: wants one value"),
        ("options:\n", "options: fast\nmore:\n", r"unknown key 'more'"),
    ],
)
def test_a_slip_in_a_recipe_is_named(tmp_path, old, new, message):
    text = (MINI / "replication.yaml").read_text()
    assert old in text
    path = tmp_path / "replication.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=message):
        recipes.load(path)


def test_a_grid_without_a_recipe_says_what_to_write(tmp_path):
    (tmp_path / "paper").mkdir()
    grid = tmp_path / "paper" / "grid.yaml"
    grid.write_text("version: 1\npairs: [pt_en]\ngroups: []\n")
    with pytest.raises(UserError, match=r"replication\.yaml: no such file; docs/"):
        load(grid)


def test_a_pair_that_is_not_named_as_the_recipe_names_them_is_refused(tmp_path):
    shutil.copytree(FULL_SIZE / "conf", tmp_path / "conf")
    shutil.copy(FULL_SIZE / "replication.yaml", tmp_path)
    (tmp_path / "paper").mkdir()
    grid = tmp_path / "paper" / "grid.yaml"
    grid.write_text("version: 1\npairs: [pt_fr]\ngroups: []\n")
    with pytest.raises(UserError, match=r"pair 'pt_fr' is not named as '\{src\}_en'"):
        load(grid)


def test_the_code_knows_no_recipe():
    """Else a second recipe needs a second tool."""
    for path in (ROOT / "s2st_interleave" / "replicate").glob("*.py"):
        assert not re.search(r"\bmini\b|mini_cvss|\bx_en\b|MINI_", path.read_text()), (
            path
        )


def test_the_grid_at_full_size_is_the_papers_tables():
    grid = load(FULL_SIZE / "paper" / "grid.yaml")
    first = [c for c in grid.cells if c.seed == 1]
    assert grid.cells[: len(first)] == tuple(first)  # the paper's own come first
    assert {(c.pair, c.system) for c in first if c.table == "2"} == {
        (f"{src}_en", system)
        for src in ("fr", "de", "es", "ca", "it", "ru", "pt")
        for system in ("baseline", "scheduled", "constant")
    }
    others = {c.name for c in first if c.table != "2"}
    assert others == {
        *(f"pt_en.{name}.s1" for name in ("src_only", "tgt_only", "mask", "uniform")),
        "fr_en.no_cot.s1",
        "fr_en.baseline.untrained.s1",
    }
    assert len(grid.cells) == 67


def test_a_cell_at_full_size_learns_from_all_of_its_pair():
    grid = load(FULL_SIZE / "paper" / "grid.yaml")
    cell = grid.cell("fr_en.baseline.untrained.s2")
    words = cells.command(grid, cell, Path("exp/cells/a"), ["--nj", "8"])
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert options["--train_args"] == "--seed 2 --probe_every 100 --log_every 100"
    assert options["--vocoder_dir"] == "../fr_en/exp/untrained/vocoder"
    assert (options["--test_sets"], options["--nj"]) == ("test1k", "8")


def test_another_model_makes_the_cells_old(monkeypatch):
    """What db.sh names, which paper.sh exports."""
    grid = load(FULL_SIZE / "paper" / "grid.yaml")
    monkeypatch.setenv("LLM", "meta-llama/Llama-3.2-1B")
    before = grid.identity(grid.cells[0])
    monkeypatch.setenv("LLM", "meta-llama/Llama-3.2-3B")
    assert grid.identity(grid.cells[0]) != before


def test_the_plan_names_pairs_whose_dump_is_not_there(tmp_path):
    shutil.copytree(FULL_SIZE / "conf", tmp_path / "conf")
    shutil.copy(FULL_SIZE / "replication.yaml", tmp_path)
    (tmp_path / "paper").mkdir()
    path = Path(shutil.copy(FULL_SIZE / "paper" / "grid.yaml", tmp_path / "paper"))
    line = plan_line(load(path), ["--llm", "x"])
    assert line.startswith(
        "plan: 67 of 67 cells to run; unknown before stage 5 of pt_en"
    )
