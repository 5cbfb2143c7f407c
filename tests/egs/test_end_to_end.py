"""All stages of egs/mini_cvss/es_en as a user types them, with very little of everything.

What is small here is the amount of data and of steps; every part is the real one.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import recipe_process
import warm_python

from s2st_interleave.status.command import gather

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

LITTLE = {
    "MINI_CORPUS": "--num_train 40 --num_dev 6 --num_test 8 --num_text 300",
    "MINI_LLM": "--max_steps 20 --eval_every 20",
}
FAST = [
    "--encoder_args",
    "--max_steps 30 --eval_every 30 --num_pieces 100 --batch_size 8",
    "--align_args",
    "--min_median_score none --min_score none",  # in 30 steps it hears nothing
    "--kmeans_args",
    "--num_units 30 --num_utterances 20",
    "--train_args",
    "--max_steps 20 --text_ratio_every 2 --eval_every 10 --save_every 5 --batch_size 6",
    "--decode_args",
    "--max_unit_ratio 1.2 --max_text_tokens 12",
    "--vocode_args",
    "--nj 1",  # each process of a pool would load torch
    "--vocoder_args",
    "--max_steps 20 --eval_every 20",
]


def start(recipe: Path, *options: str) -> subprocess.Popen:
    return recipe_process.start(recipe, [*FAST, *options], LITTLE)


def run(recipe: Path, *options: str, status: int = 0) -> str:
    return recipe_process.ended(start(recipe, *options), status)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, python) -> tuple[Path, str]:
    """A finished run in a folder with a space and a quote in its name, and its output."""
    root = tmp_path_factory.mktemp("end to end") / "a user's copy"
    ignored = shutil.ignore_patterns("downloads", "data", "dump", "exp", "RESULTS.md")
    shutil.copytree(ROOT / "egs", root / "egs", ignore=ignored)
    shutil.copytree(ROOT / "tools", root / "tools")
    warm_python.put_into(root, python)
    folder = root / "egs" / "mini_cvss" / "es_en"
    shutil.copy(ROOT / ".gitignore", root)
    for words in ("init -q", "add -A", "commit -qm copied"):
        git(root, "-c", "user.name=a", "-c", "user.email=a@b", *words.split())
    return folder, run(folder)


def git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", root, *words], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_run_leaves_the_repository_clean(recipe):
    assert git(recipe[0].parents[2], "status", "--short") == ""


def test_a_run_says_what_it_will_do_and_what_one_does_next(recipe):
    folder, output = recipe
    assert "plan: stages 1 to 10\n   1 data     to make" in output
    assert "== stage 3 of 10: align (" in output
    wav = re.search(r"listen: +(.*)", output)[1]
    assert (folder / wav).is_file()
    (line,) = re.findall(r"compare: +python (.*)", output)
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} {line}"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "95% interval" in done.stdout, done.stderr


def test_all_that_a_run_has_made_is_up_to_date(recipe):
    (found,) = gather(recipe[0])
    states = {place.name: (place.state, place.why) for place in found.places}
    assert "exp/RESULTS.md" in states
    others = {name: state for name, state in states.items() if state != ("done", ())}
    assert others == {} and len(states) > 30
    assert len(found.scores) == 4


def test_results_hold_both_systems_and_the_toplines(recipe):
    folder, output = recipe
    page = (folder / "exp" / "RESULTS.md").read_text()
    for word in ("baseline", "scheduled", "last", "resynthesis", "The paper's figures"):
        assert word in page
    assert "ASR-BLEU" in output
    for tag in ("baseline", "scheduled"):
        path = folder / "exp" / tag / "greedy_last" / "test" / "score.json"
        score = json.loads(path.read_text())
        assert score["num_utterances"] == 8
        assert 0 <= score["ci95"][0] <= score["asr_bleu"] <= score["ci95"][1] <= 100
    assert (folder / "exp/scheduled/greedy_last/test/compare.json").is_file()


def test_both_systems_saw_the_same_steps_and_the_schedule_fell_to_0(recipe):
    folder, _ = recipe
    lines = {
        tag: [json.loads(t) for t in (folder / f"exp/{tag}/metrics.jsonl").open()]
        for tag in ("baseline", "scheduled")
    }
    ratios = [line["text_ratio"] for line in lines["scheduled"]]
    assert ratios[:4] == [0.9, 0.9, 0.8, 0.8] and ratios[18:] == [0.0, 0.0]
    assert {line["text_ratio"] for line in lines["baseline"]} == {0.0}
    assert (
        lines["scheduled"][0]["realised_src"]
        > 0.9
        > 0
        == lines["baseline"][0]["realised_src"]
    )
    assert lines["scheduled"][0]["tokens"] < lines["baseline"][0]["tokens"]
    assert lines["scheduled"][-1]["tokens"] == lines["baseline"][-1]["tokens"]


def test_a_second_run_finds_everything_done(recipe):
    folder, _ = recipe
    output = run(folder)
    assert output.count("up to date, skipped") >= 25
    assert " finished: " not in output


def test_stages_3_to_6_alone(recipe):
    folder, _ = recipe
    output = run(folder, "--stage", "3", "--stop-stage", "6")
    assert "== stage 3 of 10" in output and "== stage 6" in output
    assert "3 align    up to date" in output
    assert "== stage 2" not in output and "== stage 7" not in output


def test_a_missing_input_names_the_stage_that_makes_it(recipe, tmp_path):
    folder = copy_of(recipe[0], tmp_path)
    shutil.rmtree(folder / "dump" / "align")
    output = run(folder, "--stage", "5", "--stop_stage", "5", status=1)
    assert "dump/align/train is missing; it is made by stage 3 (align)" in output
    assert "./run.sh --stage 3 --stop_stage 3" in output


def test_other_options_are_not_taken_for_the_same_experiment(recipe, tmp_path):
    folder = copy_of(recipe[0], tmp_path)
    more = " ".join([FAST[FAST.index("--train_args") + 1], "--span_lambda 3"])
    stage = ["--stage", "6", "--stop_stage", "6", "--train_args", more]
    output = run(folder, *stage, status=1)
    assert (
        "option span_lambda: was 1.0, is 3.0" in output and "--overwrite true" in output
    )


def test_a_run_that_was_killed_carries_on_to_the_same_weights(recipe, tmp_path):
    folder = copy_of(recipe[0], tmp_path)
    shutil.copy(ROOT / "egs" / "path.sh", folder.parents[1])  # the plain interpreter
    for tag in ("baseline", "scheduled"):
        shutil.rmtree(folder / "exp" / tag)
    process = start(folder, "--stage", "6", "--stop_stage", "6")
    deadline = time.monotonic() + 300
    while not list((folder / "exp/scheduled").glob("checkpoint-*/meta.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    assert not (folder / "exp/scheduled/stage.json").is_file()

    output = run(folder, "--stage", "6", "--stop_stage", "6")
    assert "resuming from step" in output
    for tag in ("baseline", "scheduled"):
        name = Path("exp") / tag / "checkpoint-20" / "model.safetensors"
        assert (folder / name).read_bytes() == (recipe[0] / name).read_bytes()


def copy_of(folder: Path, place: Path) -> Path:
    """Another copy of the whole tree around a finished recipe."""
    shutil.copytree(folder.parents[2], place / "copy")
    return place / "copy" / folder.relative_to(folder.parents[2])
