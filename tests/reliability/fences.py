"""Fences around a reader of the files of others: memory, seconds, and what it may raise."""

import contextlib
import errno
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from s2st_interleave.errors import UserError, explained

MOST_BYTES = 1 << 30  # of memory that reading a small file may take
MOST_SEC = 20  # of the processor: a small file is read at once, this one hangs


class Hung(Exception):
    """A reader took more than MOST_SEC seconds."""


@contextlib.contextmanager
def fenced(most_bytes: int = MOST_BYTES, seconds: int = MOST_SEC) -> Iterator[None]:
    """Inside, a reader that wants more memory gets MemoryError, a slow one Hung.

    With 0 `seconds` somebody else watches the time.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + most_bytes
    handler = signal.signal(signal.SIGPROF, _hang)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)


def _hang(*_: object) -> None:
    raise Hung(f"more than {MOST_SEC} s")


def is_told(error: BaseException) -> bool:
    """Is an error one that the command line shows as a line of what to do?

    Errors of the machine are no outcome of a bad file, but for a file that is not there.
    """
    expected = (UserError, FileNotFoundError, IsADirectoryError, NotADirectoryError)
    too_long = isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG
    return (isinstance(error, expected) or too_long) and bool(explained(error))


def outcome(read: Callable[[], Any], seconds: int = MOST_SEC) -> tuple[Any, str]:
    """The value that `read` returns and "", or None and the line of its error.

    Raises AssertionError for every other error, for more memory, and for a line that a
    terminal would not show as one line of text.
    """
    try:
        with fenced(seconds=seconds):
            return read(), ""
    except Exception as error:
        if not is_told(error):
            raise AssertionError(f"{type(error).__name__}: {error}") from error
        return None, explained(error)
