"""Small disks for tests: a tmpfs that can be filled up, or made read-only.

A disk goes with its test, however that ends.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

BALLAST = ".ballast"


@dataclass(frozen=True)
class Disk:
    """A tmpfs at `place`."""

    place: Path

    @contextmanager
    def full_but_for(self, free: int) -> Iterator[None]:
        """Leave so many bytes free, to the end of the block."""
        ballast = self.place / BALLAST
        most = shutil.disk_usage(self.place).free - free
        with ballast.open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, max(1, most))
        try:
            yield
        finally:
            ballast.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let nobody write, to the end of the block."""
        self._mount("remount,ro")
        try:
            yield
        finally:
            self._mount("remount,rw")

    @property
    def used(self) -> int:
        return shutil.disk_usage(self.place).used

    def _mount(self, options: str) -> None:
        subprocess.run(["mount", "-o", options, self.place], check=True)


@contextmanager
def disk(place: Path, size: str) -> Iterator[Disk]:
    """Mount a tmpfs of `size` (such as 400m); skips where that is not allowed."""
    place.mkdir(parents=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a disk of its own needs the right to mount: {done.stderr}")
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "-l", place], check=True)
