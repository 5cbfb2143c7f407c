"""Progress of a long loop: a bar on a terminal, a line every ten seconds in a log."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")

LOG_INTERVAL_SEC = 10.0


def progress(
    iterable: Iterable[Item], desc: str, total: int | None = None
) -> Iterator[Item]:
    """Yield the items of `iterable` unchanged and report on stderr how many went by.

    A log file gets whole lines only: the carriage returns of a bar make it unreadable.
    `total` is taken from `len(iterable)` where that exists. A loop that ends within
    ten seconds writes nothing to a log.
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(iterable, desc=desc, total=total)
        return
    start_sec = logged_sec = time.monotonic()
    done = 0
    for item in iterable:
        yield item
        done += 1
        now_sec = time.monotonic()
        if now_sec - logged_sec >= LOG_INTERVAL_SEC:
            logged_sec = now_sec
            print(_line(desc, done, total, now_sec - start_sec), file=sys.stderr)
    # The end is reported only where something was reported before it.
    if logged_sec > start_sec:
        elapsed_sec = time.monotonic() - start_sec
        print(_line(desc, done, total, elapsed_sec), file=sys.stderr)


def _line(desc: str, done: int, total: int | None, elapsed_sec: float) -> str:
    of_total = f"/{total}" if total is not None else ""
    return f"{desc}: {done}{of_total} in {elapsed_sec:.0f} s"


def quiet_transformers() -> None:
    """Turn off the progress bars of transformers, one for each small file."""
    from transformers.utils import logging

    logging.disable_progress_bar()
