"""What a shell sees of a command: streams that close, and scripts of recipes."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("words", ["--help", "train --help", "launch --help"])
def test_a_reader_that_has_heard_enough_ends_it_quietly(words):
    """As `| head` does; here it reads nothing at all."""
    line = (
        f"{sys.executable} -m s2st_interleave {words} | true; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert done.stderr == "" and done.stdout.strip() in ("0", "141")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_ended_finished_work_with_an_error(closed):
    """Its status was 1, and the fault "'NoneType' object has no attribute 'flush'"."""
    line = f"{sys.executable} -m s2st_interleave --version {closed}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert ">&-" in closed or done.stdout.startswith("s2st_interleave ")


def test_jobs_end_with_the_reader_of_the_launcher(tmp_path):
    code = "import time\nwhile True:\n print('y', flush=True)\n time.sleep(0.05)"
    words = [sys.executable, "-m", "s2st_interleave", "launch", "JOB=1:2"]
    words += [str(tmp_path / "JOB.log"), sys.executable, "-c", code]
    line = '"$@" | head -n 1; echo ${PIPESTATUS[0]}'
    done = subprocess.run(
        ["bash", "-c", line, "bash", *words], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == "" and done.stdout.endswith("\n141\n")


def test_scripts_of_a_recipe_follow_the_same_rule(tmp_path):
    local = Path(__file__).parents[1] / "egs" / "mini_cvss" / "local"
    for words in (
        ["make_corpus.py", "--src", "xx", "--out", "o"],
        ["train_text_llm.py", *"--text_dirs t --languages es --out_dir o".split()],
        ["check_intervals.py", "--dump", "nothing"],
    ):
        done = subprocess.run(
            [sys.executable, local / words[0], *words[1:]],
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
