"""paper.sh on a grid whose pairs have models of their own, with stand-ins for the recipes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_paper

from s2st_interleave.files import write_json
from s2st_interleave.replicate.grid_file import load

GRID = """
version: 1
own_models: true
pairs: [it_en, pt_en]
groups:
  - {table: schedules, pairs: all, systems: [scheduled], seeds: [1]}
"""
# Says what it was asked to make and where; it fails where $FAILS says so.
STAND_IN = """#!/bin/bash
cd -- "$(dirname -- "$0")"
echo "${PWD##*/} $MINI_SHARED $*" >>"$SAID"
[[ "${PWD##*/} $*" != *$FAILS* ]]
"""
PAGE = "x_en/shared/own/exp/results/RESULTS.md"


@pytest.fixture
def folder(tmp_path) -> Path:
    """egs/mini_cvss with the grid `own`, whose toplines are there."""
    folder = tiny_paper.copy_recipes(tmp_path / "a user's copy")
    (folder / "own").mkdir()
    (folder / "own" / "grid.yaml").write_text(GRID)
    grid = load(folder / "own" / "grid.yaml")
    for pair in grid.pairs:
        topline = {"identity": grid.topline_identity(pair), "references": {}}
        score = {"asr_bleu": 1.0, "mos": None, "reference_mos": None}
        score |= {"reference_asr_bleu": 1.0, "text_bleu": None}
        write_json(grid.topline_place(pair), topline | {"score": score})
    for name in ("x_en", *grid.pairs):
        (folder / name / "run.sh").write_text(STAND_IN)
    return folder


def paper(
    folder: Path, *options: str, fails: str = "--train_args"
) -> tuple[int, list[str]]:
    """The exit status, and what the stand-ins said."""
    said = folder / "said"
    said.write_text("")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = [folder / "paper.sh", "--grid", "own", *options]
    environment = os.environ | {"PATH": path, "SAID": str(said), "FAILS": fails}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=300)
    return done.returncode, said.read_text().splitlines()


def test_each_pair_gets_models_of_its_own_and_a_cell_that_fails_stops_none(folder):
    status, said = paper(folder)
    assert status not in (0, 130)
    for pair, source in (("it_en", "it"), ("pt_en", "pt")):
        of_pair = [line for line in said if f" shared/own/{pair} " in line]
        shared, dumps, cell = of_pair
        assert shared.startswith("x_en ") and f"--sources {source} " in shared
        assert dumps.startswith(f"{pair} ") and "--stage 3 --stop_stage 5" in dumps
        assert cell.startswith(f"{pair} ") and "--systems scheduled" in cell
    assert len(said) == 6
    assert "0 of 2 cells are there" in (folder / PAGE).read_text()


@pytest.mark.nightly  # the test above has a pair fail as well, by a cell
def test_a_pair_whose_models_fail_stops_no_other(folder):
    status, said = paper(folder, fails="it_en --nj 2 --overwrite false --stage 3")
    assert status not in (0, 130)
    assert [line.split()[0] for line in said] == [
        "x_en",
        "it_en",
        "x_en",
        "pt_en",
        "pt_en",
    ]
    assert (folder / PAGE).is_file()


def test_no_pair_is_begun_after_the_time_that_was_given(folder):
    text = (folder / "paper.sh").read_text()
    clock = "until=$(($(date +%s) + minutes * 60))"
    assert clock in text
    (folder / "paper.sh").write_text(text.replace(clock, "until=$(date +%s)"))
    assert paper(folder, "--minutes", "1") == (0, [])


def test_a_machine_takes_one_pair(folder):
    _, said = paper(folder, "--pair", "pt_en")
    assert {line.split()[1] for line in said} == {"shared/own/pt_en"}
    assert paper(folder, "--pair", "xx_en") == (1, [])
