"""What a run says before its first stage: what is up to date, and what may take how long."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from s2st_interleave import config
from s2st_interleave.files import read_json, write_json
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.status.outlook import main

SETTINGS = """--datadir data --dumpdir dump --expdir exp --trained exp
--encoder_dir exp/encoder --kmeans_dir exp/kmeans --vocoder_dir exp/vocoder"""
LISTS = {
    "splits": "train dev",
    "test_sets": "test",
    "systems": "baseline scheduled",
    "checkpoints": "last",
}


@dataclass(frozen=True, kw_only=True)
class Nothing:
    size: int = config.option(1, "of nothing")


def told(capsys, *words: str) -> dict[int, str]:
    """What is said of each stage by its number."""
    capsys.readouterr()
    lists = [word for name, text in LISTS.items() for word in (f"--{name}", text)]
    assert main([*SETTINGS.split(), *lists, *words]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.startswith("plan: stages")
    return {int(line.split()[0]): line.partition(" ")[2].strip() for line in lines}


def finish(folder: Path, stage: str, seconds: float) -> None:
    opened = open_stage(folder, stage=stage, options=Nothing(), inputs={})
    assert opened is not None
    opened.finish(num_in=1, num_out=1)
    done = read_json(folder / "stage.json")
    write_json(folder / "stage.json", done | {"wall_sec": seconds})


@pytest.fixture
def recipe(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "egs" / "one recipe"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_where_nothing_is_known_no_time_is_said(recipe, capsys):
    lines = told(capsys, "--first", "1", "--last", "10")
    assert len(lines) == 10
    assert all("~" not in line for line in lines.values())
    assert lines[6].split() == ["6", "train", "to", "make"]


def test_another_recipe_beside_it_tells_what_a_stage_may_take(recipe, capsys):
    for system in ("baseline", "scheduled"):
        finish(recipe.parent / "other" / "exp" / system, "text_llm", 600)
    words = ("--first", "6", "--last", "6")
    assert told(capsys, *words)[6].endswith("to make, ~20 min")
    lines = told(capsys, *words, "--parallel_systems", "2")
    assert lines[6].endswith("to make, ~10 min")


def test_a_corpus_that_is_made_first_is_not_in_the_time_of_stage_1(recipe, capsys):
    """A plan said 8 s, and the corpus took three minutes."""
    for split in ("train", "dev", "test"):
        finish(recipe.parent / "other" / "data" / split, "data", 10.0)
    plan = ("--first", "1", "--last", "1", "--local_data")
    made = told(capsys, *plan, "../local/prepare.sh")[1]
    assert made.endswith(", and what ../local/prepare.sh makes before")
    assert (
        "~" in told(capsys, *plan, "")[1] and "before" not in told(capsys, *plan, "")[1]
    )


def test_what_is_there_is_told_apart_from_what_is_not(recipe, capsys):
    finish(Path("data/train"), "data", 5)
    finish(Path("exp/encoder"), "text_llm", 60)
    lines = told(capsys, "--first", "1", "--last", "2")
    assert lines[1].endswith("data     to make: 1 of 2") and lines[2].endswith(
        "up to date"
    )
