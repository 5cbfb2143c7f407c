"""What the run.sh of mini recipes and of egs/own say before anything is made."""

import subprocess
from pathlib import Path

import pytest

EGS = Path(__file__).resolve().parents[2] / "egs"


def said(recipe: str, *options: str) -> str:
    done = subprocess.run(
        [EGS / recipe / "run.sh", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 1
    return done.stdout


@pytest.mark.parametrize(
    ("recipe", "options", "line"),
    [
        (
            "mini_cvss/es_en",
            ["--quick", "yes"],
            "--quick takes true or false, not 'yes'",
        ),
        ("mini_cvss/es_en", ["--quick"], "--quick takes true or false, not ''"),
        ("own", ["--preset", "desktop"], "--preset is laptop, not 'desktop'"),
        ("own", ["--preset"], "--preset is laptop, not ''"),
    ],
)
def test_a_wrong_choice_is_refused_with_those_that_there_are(recipe, options, line):
    assert line in said(recipe, *options)


def test_the_help_of_own_names_its_preset():
    shown = subprocess.run(
        [EGS / "own" / "run.sh", "--help"], capture_output=True, text=True
    )
    assert shown.returncode == 0
    assert "--preset laptop" in shown.stdout and "--stop_stage" in shown.stdout
