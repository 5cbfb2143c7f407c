"""What jobs print, on a terminal or in a file: names in one column, progress in one line each.

In a file every line is whole. On a terminal the newest line of progress of each job stands
at the bottom, is drawn as a bar, and is written over by the next one.
"""

import os
import re
import shutil
import sys
import threading
from collections.abc import Iterable

from s2st_interleave.progress import PROGRESS

BAR = 24  # characters
EVALUATED = re.compile(r"\bdev_\w+ ")  # a curve's point: it stays on the screen
OVER = re.compile(r"\d+/\d+ in \d")  # the last line of a loop
UP, CLEAR = "\x1b[{}A", "\x1b[J"


class Screen:
    """Prints lines of jobs, whose names `prefixes` are padded to one width."""

    def __init__(self, prefixes: Iterable[str] = ()) -> None:
        self.width = max(map(len, prefixes), default=0)
        self.is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._lock = threading.Lock()
        self._bars: dict[str, str] = {}  # a line by job

    def job(self, prefix: str, line: str) -> None:
        """Print a line of a job, without its line feed; no job is named twice in it."""
        name = prefix.strip().strip("[]")
        if name and line.startswith("stage "):
            line = line.replace(f" {name}: ", ": ", 1)
        text = f"{prefix:<{self.width}}{line}" if prefix else line
        bar = self._bar(text) if self.is_terminal else None
        with self._lock:
            if bar is None:
                if OVER.search(text):
                    self._forget(prefix)
                self._print(text)
            else:
                self._erase()
                self._bars[prefix] = bar
                self._draw()

    def say(self, text: str) -> None:
        """Print text of the launcher itself."""
        with self._lock:
            self._print(text)

    def end(self, prefix: str) -> None:
        """Take a job's bar away: it has ended."""
        with self._lock:
            self._forget(prefix)

    def _forget(self, prefix: str) -> None:
        self._erase()
        self._bars.pop(prefix, None)
        self._draw()

    def _bar(self, text: str) -> str | None:
        """A line of progress with a bar before its numbers; None for any other line."""
        count = PROGRESS.search(text)
        if count is None or EVALUATED.search(text):
            return None
        share = int(count["done"]) / max(1, int(count["total"]))
        full = round(BAR * min(1.0, share))
        place = text.rfind(": ", 0, count.start()) + 2
        drawn = f"{text[:place]}[{'#' * full}{'.' * (BAR - full)}] {text[place:]}"
        return drawn[: shutil.get_terminal_size().columns - 1]

    def _print(self, text: str) -> None:
        self._erase()
        print(text, flush=True)
        self._draw()

    def _erase(self) -> None:
        if self._bars:
            print(UP.format(len(self._bars)) + "\r" + CLEAR, end="", flush=True)

    def _draw(self) -> None:
        for bar in self._bars.values():
            print(bar)
        sys.stdout.flush()
