"""Kills a process, or cuts the power, at the N-th thing that it does to a file.

A process that `install` watches counts, together with the processes that it forks, every
file that it opens for writing, and every rename, removal, new folder and fsync below
`root`. At the event `at`, before it happens, the fault comes:

    kill     SIGKILL to the process group
    half     the same, after what was last written has lost its second half
    content  the same, after every content that was not fsynced has become empty, though
             its name is there: a power cut, as file systems with a journal know it
    power    the same, and also what was done to the names in a folder since the last fsync
             of that folder is undone
    term, int  SIGTERM, SIGINT; the process goes on as it will

Libraries that write without Python (torch, safetensors) raise no event of their own: what
they wrote between two events is what `half` cuts.
"""

import contextlib
import fcntl
import mmap
import os
import shutil
import signal
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CUTS = ("content", "power")
SIGNALS = {"term": signal.SIGTERM, "int": signal.SIGINT}
State = tuple[int, int, int]  # inode, size, time of the last change in ns


def files_below(root: Path) -> dict[str, State]:
    """Every file below `root`, by path."""
    states = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with contextlib.suppress(FileNotFoundError):
                at = os.lstat(path)
                states[path] = (at.st_ino, at.st_size, at.st_mtime_ns)
    return states


@dataclass
class Journal:
    """What a power cut takes: contents and names that were not fsynced."""

    root: Path
    grave: Path  # keeps what is removed or written over
    before: dict[str, State] = field(default_factory=dict)
    synced: set[State] = field(default_factory=set)
    undo: list[tuple[str, Callable[[], object]]] = field(default_factory=list)

    def note_sync(self, descriptor: int) -> None:
        """A file or folder has been fsynced."""
        at = os.fstat(descriptor)
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if os.path.isdir(path):
            self.undo = [entry for entry in self.undo if entry[0] != path]
        else:
            self.synced.add((at.st_ino, at.st_size, at.st_mtime_ns))

    def note_name(self, event: str, paths: list[str]) -> None:
        """Names are about to change; remember how to undo that."""
        path = paths[-1]
        folder = os.path.dirname(path)
        kept = None
        if os.path.isfile(path) and event != "open":
            kept = str(self.grave / str(len(os.listdir(self.grave))))
            os.link(path, kept)

        def put_back() -> None:
            if kept:
                os.link(kept, path)

        def undo() -> None:
            if event in ("open", "os.mkdir"):
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
            elif event == "os.rename":
                os.rename(path, paths[0])
                put_back()
            elif event == "os.rmdir":
                os.mkdir(path)
            else:
                put_back()

        if event in ("open", "os.mkdir") and os.path.exists(path):
            return  # it is not made now
        self.undo.append((folder, undo))

    def cut(self, names: bool) -> None:
        """The power goes, and with it contents, and `names`."""
        held = set(self.before.values()) | self.synced
        for path, state in files_below(self.root).items():
            if state not in held and not os.path.islink(path):
                os.truncate(path, 0)
        for _, undo in reversed(self.undo) if names else ():
            with contextlib.suppress(OSError):  # what it was done to is gone as well
                undo()


class Watch:
    """Counts events, in memory that forked processes share, and brings the fault."""

    def __init__(self, root: Path, kind: str, at: int, grave: Path) -> None:
        self.root, self.kind, self.at = f"{root}/", kind, at
        self.count = mmap.mmap(-1, 8)
        self.lock = threading.RLock()
        self.between = os.memfd_create("events")  # a lock between processes
        self.journal = Journal(root, grave) if kind in CUTS else None
        self.last: dict[str, State] = files_below(root)
        if self.journal:
            self.journal.before = dict(self.last)
        self.is_inside = False

    def event(self, name: str, paths: list[str]) -> None:
        """Something is about to be done to `paths`."""
        if self.is_inside or not any(p.startswith(self.root) for p in paths):
            return
        with self.lock:
            self.is_inside = True
            try:
                fcntl.lockf(self.between, fcntl.LOCK_EX)
                number = struct.unpack("q", self.count[:8])[0] + 1
                self.count[:8] = struct.pack("q", number)
                if number == self.at:
                    self._fault()
                if self.kind == "half" and number == self.at - 1:
                    self.last = files_below(Path(self.root))
                if self.journal and name != "fsync":
                    self.journal.note_name(name, paths)
            finally:
                fcntl.lockf(self.between, fcntl.LOCK_UN)
                self.is_inside = False

    def _fault(self) -> None:
        if self.kind == "half":
            now = files_below(Path(self.root)).items()
            known = set(self.last.values())
            changed = [(at[2], path, at[1]) for path, at in now if at not in known]
            if changed:
                _, path, size = max(changed)
                os.truncate(path, size // 2)
        if self.journal:
            self.journal.cut(names=self.kind == "power")
        if self.kind:
            os.killpg(0, SIGNALS.get(self.kind, signal.SIGKILL))


def install(watch: Watch) -> None:
    """Let this process report to `watch`; there is no way back."""
    real_sync = os.fsync

    def fsync(target: Any) -> None:
        descriptor = target if isinstance(target, int) else target.fileno()
        watch.event("fsync", [os.readlink(f"/proc/self/fd/{descriptor}")])
        real_sync(target)
        if watch.journal:
            watch.journal.note_sync(descriptor)

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        if watch.is_inside:
            return
        if name == "open":
            path, _, flags = arguments
            if isinstance(path, str) and flags & WRITES:
                watch.event(name, [os.path.abspath(path)])
        elif name == "os.rename":
            watch.event(name, [_place(*arguments[0::2]), _place(*arguments[1::2])])
        elif name in ("os.remove", "os.rmdir"):
            watch.event(name, [_place(arguments[0], arguments[1])])
        elif name == "os.mkdir":
            watch.event(name, [_place(arguments[0], arguments[2])])

    os.fsync = fsync
    sys.addaudithook(hook)


def _place(path: Any, folder: int) -> str:
    """The absolute path of a name that may be relative to an open folder."""
    text = os.fsdecode(path)
    if folder >= 0:
        return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), text)
    return os.path.abspath(text)
