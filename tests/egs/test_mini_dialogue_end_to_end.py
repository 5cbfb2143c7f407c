"""All stages of egs/mini_dialogue as a user types them, with very little of everything."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import warm_python

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.nightly,
    pytest.mark.skipif(
        shutil.which("flite") is None,
        reason="flite is not installed: apt-get install flite",
    ),
]

LITTLE = {
    "MINI_CORPUS": "--num_train 30 --num_dev 4 --num_test 6 --num_text 200",
    "MINI_LLM": "--max_steps 4 --eval_every 4 --num_layers 2 --hidden_size 64",
}
FAST = [
    "--encoder_args",
    "--max_steps 10 --eval_every 10",
    "--align_args",
    "--min_median_score none --min_score none",  # in 10 steps it hears nothing
    "--kmeans_args",
    "--num_units 20 --num_utterances 10",
    "--train_args",
    "--max_steps 4 --text_ratio_every 1 --eval_every 2 --save_every 2 --batch_size 4",
    "--decode_args",
    "--max_unit_ratio 1.2 --max_text_tokens 8",
    "--vocode_args",
    "--nj 1",  # each process of a pool would load torch
    "--vocoder_args",
    "--max_steps 4 --eval_every 4 --save_every 4",
]


def run(folder: Path, *words: object) -> str:
    bin_dir = str(Path(sys.executable).parent)
    done = subprocess.run(
        [*map(str, words)],
        cwd=folder,
        env=os.environ | LITTLE | {"PATH": f"{bin_dir}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, python) -> Path:
    """A finished run in a folder with a space and a quote in its name."""
    root = tmp_path_factory.mktemp("a dialogue") / "a user's copy"
    made = ("downloads", "data", "dump", "exp", "shared", "RESULTS.md")
    shutil.copytree(ROOT / "egs", root / "egs", ignore=shutil.ignore_patterns(*made))
    shutil.copytree(ROOT / "tools", root / "tools")
    folder = root / "egs" / "mini_dialogue"
    warm_python.put_into(root, python)
    run(root, folder / "run.sh", *FAST)
    return folder


def test_the_page_has_the_right_answers_of_both_systems(recipe):
    page = (recipe / "exp" / "RESULTS.md").read_text()
    heading = (
        "exact %, 95% interval | ASR-BLEU | agent_text exact % | user_text exact %"
    )
    assert f"| system | checkpoint | {heading} | user_text WER |" in page
    for line in ("| baseline | last | ", "| scheduled | last | "):
        assert page.count(line) == 1 + line.count("scheduled")  # and its difference
    assert "what a customer asks at a market stall" in page
    assert "resynthesis" in page and "paper's figures" not in page
    compared = recipe / "exp/scheduled/greedy_last/test/compare.json"
    assert json.loads(compared.read_text())["metric"] == "exact"


def test_both_sides_speak_one_language_and_only_the_agents_voice_is_made(recipe):
    assert (recipe / "data/test/sides").read_text() == "user en\nagent en\n"
    decode = recipe / "exp/scheduled/greedy_last/test"
    names = {path.name for path in decode.iterdir()}
    assert {"text.user", "text.agent", "units.agent.scp"} <= names
    assert "units.user.scp" not in names
    score = json.loads((decode / "score.json").read_text())
    assert score["num_utterances"] == 6 and score["asr"]["language"] == "en"
    done = json.loads((recipe / "exp/vocoder/stage.json").read_text())
    assert done["options"]["side"] == "agent"


def test_errors_are_counted_by_the_step_in_which_they_arise(recipe):
    said = run(recipe, sys.executable, "local/check_errors.py")
    assert "| topline | right, of 6 |" in said
    for system in ("baseline", "scheduled"):
        line = next(row for row in said.splitlines() if f"| {system} |" in row)
        numbers = [int(cell) for cell in line.split("|")[2:-1]]
        assert numbers[2] + sum(numbers[3:]) == 6


def test_a_second_run_finds_everything_done(recipe):
    output = run(recipe, recipe / "run.sh", *FAST)
    assert " finished: " not in output and "up to date, skipped" in output
