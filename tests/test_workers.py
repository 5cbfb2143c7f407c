"""Work that is dealt among processes comes back whole and in order."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from s2st_interleave import workers
from s2st_interleave.errors import UserError


def square(number: int) -> int:
    return number * number


def fail(number: int) -> int:
    raise TimeoutError(f"of item {number}")


@pytest.mark.parametrize(("nj", "chunk"), [(1, 1), (2, 3), (3, 100)])
def test_results_come_in_the_order_of_the_items(nj, chunk):
    items = [5, 3, 9, 0, 7, 7, 1]
    assert list(workers.mapped(square, items, nj, chunk=chunk)) == [
        number**2 for number in items
    ]


def test_an_error_of_the_work_is_no_silence():
    with pytest.raises(TimeoutError, match="of item 1"):
        list(workers.mapped(fail, [1, 2], 2, chunk=1))


def leave_a_file(path: Path) -> None:
    time.sleep(0.1)
    path.touch()


def test_work_that_has_not_begun_is_left_after_ctrl_c(tmp_path):
    """The prompt came back when all of the work was done, half a minute later."""

    def work() -> None:
        paths = [tmp_path / str(number) for number in range(100)]
        for count, _ in enumerate(workers.mapped(leave_a_file, paths, 2, chunk=1)):
            if count == 20:
                threading.Timer(0.03, os.kill, (os.getpid(), signal.SIGINT)).start()

    # A process of pytest-xdist hears no SIGINT. And no traceback may keep the pool: it is
    # asked to forget work only while it is there.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            work()
    finally:
        signal.signal(signal.SIGINT, before)
    done = len(list(tmp_path.iterdir()))
    time.sleep(1)
    assert 20 <= done == len(list(tmp_path.iterdir())) < 40


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "inf"])
def test_a_time_out_that_is_no_time_is_told(monkeypatch, text):
    monkeypatch.setenv(workers.TIMEOUT, text)
    with pytest.raises(UserError, match=f"{workers.TIMEOUT} is '{text}', wants sec"):
        list(workers.mapped(square, [1, 2], 2, chunk=1))
