"""Progress of a long loop: a bar on a terminal, a line every ten seconds in a log.

Every line begins with the stage and what it makes, such as "stage 7 decode
scheduled/greedy_last/test", and ends with the rate and the time that is left, once some
items and seconds tell it. The launcher and `status` read these lines by `PROGRESS`.
"""

import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from typing import TypeVar

from s2st_interleave.stage_list import stage_number

Item = TypeVar("Item")

# The launcher sets the variable where its own output goes to a terminal.
LOG_INTERVAL_SEC = float(os.environ.get("S2ST_PROGRESS_SEC", "10"))
MIN_ITEMS, MIN_SEC = 5, 5.0  # the first items load a model, or meet empty caches
NOT_YET = "time left not known yet"
# A line of progress: how many of how many, then something that ends with the time.
PROGRESS = re.compile(
    r"(?P<done>\d+)/(?P<total>\d+)\b.*?"
    rf"(?:(?P<left>\d[\dhmin s]*) left|{NOT_YET})$"
)

_name = ""


def name_stage(stage: str, directory: Path) -> None:
    """Let the lines of this process begin with the stage and the directory it makes."""
    number = stage_number(stage)
    parts = [p for p in directory.parts if p not in ("..", "exp", "dump", stage)]
    words = [f"stage {number}"] if number else []
    name_lines(" ".join([*words, stage, "/".join(parts[-4:])]).strip())


def name_lines(name: str) -> None:
    """Let the lines of this process begin with `name`."""
    global _name
    _name = name


def named(text: str) -> str:
    """A line of this process: the stage's name, where it is known, before `text`."""
    return f"{_name}: {text}" if _name else text


def progress(
    iterable: Iterable[Item], desc: str = "", total: int | None = None
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

        yield from tqdm(iterable, desc=named(desc).rstrip(": "), total=total)
        return
    start_sec = logged_sec = time.monotonic()
    first_sec = 0.0
    done = told = 0
    for item in iterable:
        yield item
        done += 1
        now_sec = time.monotonic()
        if done == 1:
            first_sec = now_sec - start_sec
        if now_sec - logged_sec >= LOG_INTERVAL_SEC:
            logged_sec, told = now_sec, done
            line = _line(desc, done, total, now_sec - start_sec, first_sec)
            print(line, file=sys.stderr)
    # The end is reported only where something was reported before it.
    if 0 < told < done:
        elapsed_sec = time.monotonic() - start_sec
        print(_line(desc, done, total, elapsed_sec, first_sec), file=sys.stderr)


def _line(
    desc: str, done: int, total: int | None, elapsed_sec: float, first_sec: float
) -> str:
    """A line of a loop whose first item, which often waits for a model, took `first_sec`."""
    of_total = f"/{total}" if total is not None else ""
    text = named(f"{desc} {done}{of_total}".strip())
    if total is not None and 0 < done < total:
        time_left = left(done - 1, total - 1, elapsed_sec - first_sec)
        return f"{text}, {rate(done, elapsed_sec)}, {time_left}"
    return f"{text} in {duration(elapsed_sec)}, {rate(done, elapsed_sec)}"


def left(done: int, total: int, elapsed_sec: float) -> str:
    """The time that the rest of a loop takes at its pace, or that nobody knows it yet.

    >>> left(50, 200, 10.0), left(4, 200, 60.0), left(50, 200, 0.1)
    ('30 s left', 'time left not known yet', 'time left not known yet')
    """
    if done < MIN_ITEMS or elapsed_sec < MIN_SEC:
        return NOT_YET
    return f"{duration(elapsed_sec / done * (total - done))} left"


def rate(done: int, elapsed_sec: float, what: str = "") -> str:
    """How fast a loop is: "3.1 a second", "3.1 steps/s", or "12 s each" where it is slow.

    >>> rate(31, 10.0), rate(31, 10.0, "steps"), rate(2, 24.0)
    ('3.1 a second', '3.1 steps/s', '12 s each')
    """
    per_sec = done / max(elapsed_sec, 1e-6)
    if per_sec < 0.5:
        return f"{1 / max(per_sec, 1e-6):.0f} s {f'a {what[:-1]}' if what else 'each'}"
    digits = 0 if per_sec >= 10 else 1
    return f"{per_sec:.{digits}f} {f'{what}/s' if what else 'a second'}"


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(4.4), duration(119), duration(600), duration(7 * 3600 + 300)
    ('4 s', '119 s', '10 min', '7 h 05 min')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02} min"


def quiet_transformers() -> None:
    """Turn off the progress bars of transformers, one for each small file."""
    from transformers.utils import logging

    logging.disable_progress_bar()
