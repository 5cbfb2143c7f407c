"""Directories that a stage has begun: is there work in them, and does a process work there?"""

import contextlib
import fcntl
import glob
import os
from pathlib import Path
from typing import Any

from s2st_interleave.errors import UserError
from s2st_interleave.files import remove_tree
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


def hold(directory: Path, *, alone: bool = True) -> None:
    """Mark that this process works in a directory, to its end; a file system may not.

    UserError where another process works there. The jobs of a sharded stage work in it
    together, none of them `alone`.
    """
    leave(directory)
    descriptor = _held[directory.resolve()] = os.open(directory, os.O_RDONLY)
    if not _lock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
        holder = _holder(descriptor)
        leave(directory)
        raise UserError(
            f"{directory}: another process works there{holder}: wait for it, or end it; "
            "then the same command carries on"
        )


def held() -> list[Path]:
    """The directories in which this process works."""
    return list(_held)


def leave(directory: Path) -> None:
    """Take the mark of this process away."""
    descriptor = _held.pop(directory.resolve(), None)
    if descriptor is not None:
        _lock(descriptor, fcntl.LOCK_UN)  # forked processes have it open as well
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


def _holder(descriptor: int) -> str:
    """Which process of this machine has locked a directory, as Linux tells; "": unknown."""
    inode = os.fstat(descriptor).st_ino
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode):
                return f" (process {words[4]})"
    return ""


def discard(directory: Path) -> None:
    """Remove a stage's directory, renamed first: half of it must never be read."""
    old = directory.with_name(f".{directory.name}.{os.getpid()}.old")
    directory.rename(old)
    leave(old if old.is_symlink() else directory)  # a link's mark is on its folder
    remove_tree(old)


def remove_discarded(directory: Path) -> None:
    """Remove what a process that was killed had begun to discard."""
    for old in directory.parent.glob(f".{glob.escape(directory.name)}.*.old"):
        remove_tree(old)


def unsigned(directory: Path) -> list[Path]:
    """Files in a directory that has no record of a stage, sorted."""
    if not directory.is_dir() or (directory / OPEN).is_file():
        return []
    return sorted(p for p in directory.iterdir() if p.name[0] != ".")
