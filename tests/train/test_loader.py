"""Workers make what would have been made without them, and none outlives the training."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.train.loader import Loader


def test_every_step_gets_its_own_for_any_number_of_workers():
    steps = (5, 6, 7, 3, 4, 5, 40)
    for num_workers in (0, 1, 3):
        loader = Loader(lambda step: step * step, num_workers)
        assert [loader(step) for step in steps] == [step**2 for step in steps]
        loader.close()
        assert loader(2) == 4  # it may be used again
        loader.close()


def test_workers_are_other_processes_which_share_what_cannot_be_pickled():
    shared = (lambda: 7,)
    loader = Loader(lambda step: (os.getpid(), shared[0]() + step), 2)
    (pid, value), other = loader(1), loader(2)
    loader.close()
    assert pid != os.getpid() and value == 8 and other[1] == 9
    assert not alive(pid)


def test_what_goes_wrong_ahead_is_told_when_it_is_its_turn():
    def fail_at_2(step: int) -> int:
        if step == 2:
            raise UserError("step 2 is broken")
        return step

    loader = Loader(fail_at_2, 1)
    assert loader(1) == 1
    with pytest.raises(UserError, match="step 2 is broken"):
        loader(2)
    loader.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_is_left_when_the_training_is_killed(number):
    """A worker waits for work on a pipe whose other end it holds itself."""
    training = subprocess.Popen(
        [sys.executable, "-c", TRAINING], stdout=subprocess.PIPE, text=True
    )
    pids = [int(word) for word in training.stdout.readline().split()]
    assert len(set(pids)) == 2 and all(map(alive, pids))
    training.send_signal(number)
    training.wait()
    deadline = time.monotonic() + 30
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, pids))


TRAINING = """
import os, time
from s2st_interleave.train.loader import Loader

def make(step):
    time.sleep(0.1)
    return os.getpid()

loader = Loader(make, 2)
pids = set()
while len(pids) < 2:
    pids.add(loader(len(pids)))
print(*pids, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_signals_that_ask_a_training_to_stop_do_not_reach_its_workers(number):
    loader = Loader(lambda step: os.getpid(), 1)
    os.kill(loader(1), number)
    assert loader(2) != os.getpid()
    loader.close()


def alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
