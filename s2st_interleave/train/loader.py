"""What the next steps need is made ahead, in processes of their own."""

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, Generic, TypeVar

from s2st_interleave.workers import answer

T = TypeVar("T")
AHEAD = 2  # steps that each process is ahead of the training

_make: Callable[..., Any]  # in a worker: what it calls


class Loader(Generic[T]):
    """Calls `make(step, ...)`, which must be pure, in `num_workers` processes before its turn.

    Without workers it is called when its turn comes. Steps may be asked for in any order;
    the result is the same for any number of workers, and is sent by pickle. What else `make`
    reads of its surroundings must not change: it is given with the step, and where it has
    changed, what was made ahead is made again. The workers are
    forks of this process, so that they share its tables and memory maps; they must not use
    a GPU, and no other thread may multiply matrices while they are started: OpenBLAS's lock
    would stay shut in them for ever. They end with `close`, and by themselves when this
    process ends in any way.
    """

    def __init__(self, make: Callable[..., T], num_workers: int = 0) -> None:
        self.make, self.num_workers = make, num_workers
        self._pool: ProcessPoolExecutor | None = None
        self._ahead: dict[tuple[Hashable, ...], Future[T]] = {}

    def __call__(self, step: int, *more: Hashable) -> T:
        """The item of a step; what went wrong in a worker is raised here."""
        if not self.num_workers:
            return self.make(step, *more)
        steps = range(step, step + AHEAD * self.num_workers + 1)
        wanted = [(number, *more) for number in steps]
        for key in self._ahead.keys() - set(wanted):  # another place was asked for
            self._ahead.pop(key).cancel()
        for key in wanted:
            if key not in self._ahead:
                self._ahead[key] = self._submit(key)
        return answer(self._ahead.pop(wanted[0]))

    def close(self) -> None:
        """End the workers; a later call starts new ones."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None
        self._ahead.clear()

    def _submit(self, key: tuple[Hashable, ...]) -> Future[T]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.num_workers,
                multiprocessing.get_context("fork"),  # nothing of `make` is pickled
                _begin,
                (self.make,),
            )
        with warnings.catch_warnings():
            # Later Pythons warn of forks beside threads, which rest: see above.
            warnings.simplefilter("ignore", DeprecationWarning)
            return self._pool.submit(_work, key)


def _begin(make: Callable[..., Any]) -> None:
    """Set up a worker: signals are its parent's, and it does not outlive its parent."""
    global _make
    _make = make
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    if "torch" in sys.modules:  # the threads of the parent's pool are not there
        sys.modules["torch"].set_num_threads(1)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(0)

    threading.Thread(target=follow, daemon=True).start()


def _work(key: tuple[Hashable, ...]) -> Any:
    return _make(*key)
