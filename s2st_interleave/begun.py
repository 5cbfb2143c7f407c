"""Directories that a stage has begun: is there work in them, and does a process work there?"""

import fcntl
import os
from pathlib import Path
from typing import Any

from s2st_interleave.promises import CHECKPOINT, OPEN, VOLATILE

_held: dict[Path, int] = {}  # descriptors of this process, by directory


def has_work(directory: Path, options: Any) -> bool:
    """Whether a command has made something that others may not make of other options.

    That is a checkpoint of a training (`options` has `save_every`), else a file.
    """
    if hasattr(options, "save_every"):
        return any(directory.glob(f"{CHECKPOINT}*"))
    return any(
        path.is_file() and path.name not in {OPEN, *VOLATILE}
        for path in directory.rglob("*")
        if not any(part[0] == "." for part in path.relative_to(directory).parts)
    )


def hold(directory: Path) -> None:
    """Mark that this process works in a directory, to its end; a file system may not."""
    leave(directory)
    _held[directory] = os.open(directory, os.O_RDONLY)
    _lock(_held[directory], fcntl.LOCK_SH)


def leave(directory: Path) -> None:
    """Take the mark of this process away."""
    if directory in _held:
        os.close(_held.pop(directory))


def is_held(directory: Path) -> bool:
    """Whether another process of this machine works in a directory."""
    leave(directory)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        return not _lock(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    """Whether the lock is granted, or the file system knows none."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
