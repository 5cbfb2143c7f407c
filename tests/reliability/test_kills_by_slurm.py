"""Trainings that Slurm ends in ways nobody is warned of, by a real Slurm.

`tools/slurm_test.sh -k kills` starts one and runs these.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from real_slurm import NEEDS_SLURM

from s2st_interleave.config import RunOptions
from s2st_interleave.interleave import dump
from s2st_interleave.stage_dir import open_stage

pytestmark = [*NEEDS_SLURM, pytest.mark.slow]
CONF = "poll_sec: 0.5\ncuda_cmd: {minutes: 10, max_requeue: 5}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, text_llm, small_dump) -> Path:
    """A dump, and in `whole` a training of it that nobody disturbed."""
    folder = tmp_path_factory.mktemp("slurm") / "a user's folder"
    directory = folder / "dump"
    stage = open_stage(directory, stage="dump", options=RunOptions(), inputs={})
    utterances = [small_dump[i] for i in range(len(small_dump))]
    dump.write(directory, utterances, small_dump.vocabulary)
    stage.finish(num_in=1, num_out=1)
    (folder / "llm").symlink_to(text_llm)
    (folder / "slurm.yaml").write_text(CONF)
    subprocess.run(training("whole"), check=True, cwd=folder)
    return folder


def training(out: str) -> list[str]:
    """A training that lasts some fifteen seconds, and saves every second or so."""
    words = "-m s2st_interleave train --llm llm --train_dir dump --dev_dir dump".split()
    words += "--device cpu --num_threads 1 --batch_size 8 --text_ratio_every 20".split()
    words += "--max_steps 900 --eval_every 900 --save_every 60 --out_dir".split()
    return [sys.executable, *words, out]


def start(folder: Path, out: str) -> subprocess.Popen:
    launch = "-m s2st_interleave launch --backend slurm --resources cuda_cmd".split()
    return subprocess.Popen(
        [sys.executable, *launch, f"{out}.log", *training(out)],
        cwd=folder,
        env=os.environ | {"S2ST_SLURM": str(folder / "slurm.yaml")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def begun(folder: Path, out: str) -> tuple[str, str]:
    """Job number and node of a training, once it has written a checkpoint."""
    deadline = time.monotonic() + 300
    while not list((folder / out).glob("checkpoint-*/meta.json")):
        assert time.monotonic() < deadline, "no checkpoint came"
        time.sleep(0.1)
    head = re.search(r"Slurm job (\d+) on (\w+)", (folder / f"{out}.log").read_text())
    assert head
    return head[1], head[2]


def weights(folder: Path, out: str) -> bytes:
    return (folder / out / "checkpoint-900" / "model.safetensors").read_bytes()


def test_a_cancelled_training_goes_on_when_it_is_started_again(folder):
    process = start(folder, "cancelled")
    number, _ = begun(folder, "cancelled")
    subprocess.run(["scancel", "--full", "--signal=KILL", number], check=True)
    printed, _ = process.communicate()
    assert process.returncode == 1, printed
    again = start(folder, "cancelled")
    printed, _ = again.communicate()
    assert again.returncode == 0, printed
    assert "resuming from step" in (folder / "cancelled.log").read_text()
    assert weights(folder, "cancelled") == weights(folder, "whole")


def test_a_training_goes_on_where_its_node_was_set_down(folder):
    """Slurm queues it again; where it does not, the same command goes on."""
    process = start(folder, "moved")
    _, node = begun(folder, "moved")
    change = ["scontrol", "update", f"nodename={node}"]
    subprocess.run([*change, "state=down", "reason=test"], check=True)
    printed, _ = process.communicate()
    # Slurm has done so where the node has answered in the meantime.
    subprocess.run([*change, "state=resume"], stderr=subprocess.DEVNULL)
    if process.returncode:
        again = start(folder, "moved")
        printed, _ = again.communicate()
        assert again.returncode == 0, printed
    assert "resuming from step" in (folder / "moved.log").read_text()
    assert weights(folder, "moved") == weights(folder, "whole")


def test_a_training_that_got_no_warning_goes_on_when_it_is_started_again(folder):
    """As Slurm ends one beyond its time limit: by SIGTERM, and by SIGKILL soon after.

    tests/launch/test_slurm.py has a real time limit, with the warning before it.
    """
    process = start(folder, "late")
    number, _ = begun(folder, "late")
    subprocess.run(["scancel", "--signal=TERM", number], check=True)
    subprocess.run(["scancel", "--full", "--signal=KILL", number], check=True)
    process.communicate()
    again = start(folder, "late")
    printed, _ = again.communicate()
    assert again.returncode == 0, printed
    assert weights(folder, "late") == weights(folder, "whole")
