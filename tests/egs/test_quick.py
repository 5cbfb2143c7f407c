"""egs/mini_cvss/es_en/run.sh --quick true, with less than its little of everything."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import warm_python

from benchmarks.gpu.recipe import TINY, TINY_MADE

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

FAST = [word for name, words in TINY.items() for word in (f"--{name}", words)]


def run(folder: Path, *options: str) -> str:
    bin_dir = str(Path(sys.executable).parent)
    env = os.environ | TINY_MADE | {"PATH": f"{bin_dir}:{os.environ['PATH']}"}
    done = subprocess.run(
        [folder / "run.sh", "--quick", "true", *FAST, *options],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, python) -> tuple[Path, str]:
    root = tmp_path_factory.mktemp("quick") / "a user's copy"
    made = ("downloads", "data", "dump", "exp", "quick", "shared", "RESULTS.md")
    shutil.copytree(ROOT / "egs", root / "egs", ignore=ignore_made(made))
    shutil.copytree(ROOT / "tools", root / "tools")
    warm_python.put_into(root, python)
    shutil.copy(ROOT / ".gitignore", root)
    subprocess.run(["git", "init", "-q", root], check=True)
    folder = root / "egs" / "mini_cvss" / "es_en"
    return folder, run(folder)


def ignore_made(names):
    """What recipes make, not conf/quick."""

    def ignore(folder, entries):
        return set() if folder.endswith("conf") else set(names) & set(entries)

    return ignore


def test_a_quick_run_ends_with_what_is_next_and_what_its_numbers_are_worth(recipe):
    _, output = recipe
    *_, look, worth = output.splitlines()
    assert look.startswith("  look: ")
    assert worth.startswith("quick/data/train: 40 pairs, ")
    assert "shows the chain, not the method: for that leave --quick out" in worth
    assert "egs/mini_cvss/es_en/run.sh --quick true" in output.partition("next (")[2]


def test_what_it_makes_lies_apart_and_git_ignores_it(recipe):
    folder, _ = recipe
    assert {path.name for path in folder.iterdir()} == {"run.sh", "quick", "downloads"}
    assert {path.name for path in (folder / "downloads").iterdir()} == {
        "whisper-tiny.en"
    }
    asked = ["git", "-C", folder, "status", "--short", "-uall", "--ignored=no", "."]
    listed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert listed.split() == ["??", "run.sh"]


def test_its_sizes_are_those_of_conf_quick_where_none_are_given(recipe):
    folder, _ = recipe
    made = json.loads((folder / "quick/exp/encoder/stage.json").read_text())
    assert made["options"]["num_pieces"] == 60 and made["options"]["batch_size"] == 8
    llm = json.loads((folder / "quick/downloads/llm/stage.json").read_text())
    assert llm["options"]["merges_per_language"] == 100
    page = (folder / "quick/exp/RESULTS.md").read_text()
    assert "# mini CVSS, es-en, quick" in page


def test_a_second_quick_run_finds_everything_done(recipe):
    output = run(recipe[0])
    assert output.count("up to date, skipped") >= 20
    assert " finished: " not in output
