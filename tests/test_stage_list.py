"""One list of stages: driver, help, README and the files of the recipe say the same."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

from s2st_interleave import stage_list
from s2st_interleave.__main__ import help_text
from s2st_interleave.stage_list import COMMANDS, STAGES, stage_number

ROOT = Path(__file__).resolve().parents[1]


def test_every_stage_has_its_script_in_the_driver_and_no_script_is_of_no_stage():
    scripts = {path.stem for path in (ROOT / "egs/cvss/stages").glob("*.sh")}
    assert scripts == {stage.script for stage in STAGES}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_is_a_module_and_belongs_to_a_stage_or_to_none(command):
    assert importlib.util.find_spec(f"s2st_interleave.{command.module}")
    assert command.stage in {"", *(stage.name for stage in STAGES)}


def test_numbers_of_commands_are_those_of_their_stages():
    assert [stage_number(name) for name in ("kmeans", "units", "vocoder")] == [4, 4, 8]
    assert stage_number("translate") is None
    width = max(map(len, stage_list.MODULES))
    assert f"  {'compare':<{width}}  9  " in help_text()


def test_readme_shows_the_list():
    assert stage_list.markdown() in (ROOT / "README.md").read_text("utf-8")


def test_what_a_quick_run_lacks_is_made_by_a_quick_run():
    """The command that the message named made the full run's, and then failed."""
    for place in ("quick/exp/mask", "/data/x/quick/exp/mask", "shared/quick/exp/mask"):
        said = stage_list.maker(Path(place), "train")
        assert said.endswith("--stage 6 --stop_stage 6 --quick true") == (
            place[0] == "q"
        )


def test_the_driver_is_told_which_scripts_to_run(capsys):
    stage_list.main(["--from", "9", "--to", "10"])
    assert capsys.readouterr().out == "09_score\n10_results\n"


def test_help_of_a_recipe_lists_the_stages():
    recipe = ROOT / "egs" / "own"
    done = subprocess.run(
        ["bash", "run.sh", "--help"], cwd=recipe, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert stage_list.listing() in done.stdout
