"""A rank of a training that dies, or hangs, ends the others, with a line that says so."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.nightly  # torchrun gives a rank that hangs 30 seconds

RANK = """
import os, signal, sys
from functools import partial
from s2st_interleave import parallel
from s2st_interleave.errors import script

def main():
    parallel.sums({"loss": 1.0})
    if parallel.ranks().index == 1:
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    parallel.sums({"loss": 1.0})
    print("done")

parallel.exit_with(partial(script, "train", main))
"""


@pytest.mark.parametrize(
    ("fault", "status", "told"),
    [
        ("SIGSTOP", 1, []),
        ("SIGKILL", 137, ["rank 1 ended with exit status -9"]),
    ],
)
def test_a_rank_that_hangs_or_dies_ends_the_others_in_a_line(
    tmp_path, fault, status, told, count
):
    (tmp_path / "rank.py").write_text(RANK)
    start = "-m s2st_interleave.train.torchrun --standalone --nproc_per_node 2".split()
    done = subprocess.run(
        [sys.executable, *start, tmp_path / "rank.py", fault],
        env=os.environ | {"S2ST_RANK_TIMEOUT_SEC": "5"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == status, done.stdout
    line, *others = done.stdout.splitlines()
    assert line.startswith("error: train: another rank of this training has ended, or")
    assert others == told
    count("ranks", hung=1, died=1)
