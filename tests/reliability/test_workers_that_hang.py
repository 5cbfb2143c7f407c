"""A process that shares a command's work and hangs is told of, and does not stay."""

import os
import signal
from functools import partial

import pytest

from s2st_interleave import workers
from s2st_interleave.errors import UserError
from s2st_interleave.train.loader import Loader


def stop_at(bad: int, number: int) -> int:
    if number == bad:
        os.kill(os.getpid(), signal.SIGSTOP)
    return number


def test_a_process_that_hangs_is_told_and_ends(monkeypatch):
    monkeypatch.setenv(workers.TIMEOUT, "5")
    results = workers.mapped(partial(stop_at, 3), [1, 2, 3, 4], 2, chunk=1)
    with pytest.raises(UserError, match=r"silent for 5 seconds .* carries on"):
        list(results)


def test_a_worker_of_a_training_that_hangs_is_told_and_ends(monkeypatch, count):
    monkeypatch.setenv(workers.TIMEOUT, "2")
    loader = Loader(partial(stop_at, 2), 1)
    assert loader(1) == 1
    with pytest.raises(UserError, match="silent for 2 seconds"):
        loader(2)
    loader.close()
    count("workers", hung=2)
