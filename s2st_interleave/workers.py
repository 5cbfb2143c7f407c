"""Processes that share a command's work; one that hangs is not waited for without end."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, TypeVar

from s2st_interleave.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")
# Seconds that a command waits for a piece of work of its processes, by this variable.
TIMEOUT, TIMEOUT_SEC = "S2ST_WORKER_TIMEOUT_SEC", 7200.0


def mapped(
    job: Callable[[Item], Result],
    items: Sequence[Item],
    nj: int,
    *,
    chunk: int,
    begin: Callable[..., None] | None = None,
    begin_args: tuple[Any, ...] = (),
) -> Iterator[Result]:
    """`job` of each item in `nj` fresh processes, in the order of the items.

    A process begins with `begin(*begin_args)` and takes `chunk` items at a time. It is this
    process where `nj` is 1, or where there is one item. Else they are fresh ones, as forks
    of one that runs torch's threads may hang, and a device must not be opened before a
    fork. Raises what a job raises, and UserError for a process that hangs.
    """
    if nj == 1 or len(items) < 2:
        if begin:
            begin(*begin_args)
        yield from map(job, items)
        return
    # A pool of multiprocessing waits for ever for a process that was killed.
    spawn = multiprocessing.get_context("spawn")
    futures: list[Future[list[Result]]] = []
    with ProcessPoolExecutor(nj, spawn, begin, begin_args) as pool:
        try:
            for at in range(0, len(items), chunk):
                futures.append(pool.submit(_results, job, items[at : at + chunk]))
            for future in futures:
                yield from answer(future)
        finally:
            # After Ctrl-C or an error the pool's end waits for what has begun alone; its own
            # `cancel_futures` is forgotten when `with` calls `shutdown` once more.
            for future in futures:
                future.cancel()


def answer(future: Future[Result]) -> Result:
    """The result of a process's work, or what it raised.

    Raises UserError where it does not come within S2ST_WORKER_TIMEOUT_SEC, and kills all
    processes that this one has started: waiting for the pool's end would hang as well.
    """
    seconds = timeout_sec(TIMEOUT, TIMEOUT_SEC)
    try:
        return future.result(seconds)
    except TimeoutError:
        if future.done():  # the work itself raised it
            raise
    for child in multiprocessing.active_children():
        child.kill()
    raise UserError(
        f"a process of this command was silent for {seconds:g} seconds "
        f"({TIMEOUT}, {TIMEOUT_SEC:g} if unset) and was killed: does it wait for a disk? "
        "The same command carries on"
    )


def timeout_sec(name: str, unset: float) -> float:
    """Seconds, by an environment variable; UserError for what is no time."""
    text = os.environ.get(name, f"{unset}")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise UserError(f"{name} is '{text}', wants seconds, more than 0")
    return seconds


def _results(job: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [job(item) for item in items]
