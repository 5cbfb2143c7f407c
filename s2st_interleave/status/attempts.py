"""Reads the logs of jobs: which command ran last, how it ended, and how far it is."""

import contextlib
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.progress import PROGRESS

# What launch/local.py and launch/task.py write before a command, and after it.
_HEAD = re.compile(r"# (?P<began>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<rest>.*)")
_SLURM = re.compile(r"Slurm job (?P<number>\w+) on \S*, turn \d+: ")
_END = re.compile(r"ended with (?P<status>-?\d+)$")
PACKAGE = "s2st_interleave"
MOST_LINES = 20  # of a command


@dataclass(frozen=True)
class Attempt:
    """The last command in a log. `status` is its exit status, None where none is told.

    `number` is its Slurm job's. `progress` is the last line that counts: done and total,
    and what it says of the time that is left, "" where it says that nobody knows.
    """

    log: Path
    words: tuple[str, ...]
    began: str
    status: int | None = None
    number: str = ""
    progress: tuple[int, int, str] | None = None
    last_line: str = ""

    @property
    def command(self) -> str:
        """The command of the package; "" for another program."""
        words = self.words
        known = (k for k in range(len(words) - 1) if words[k] == PACKAGE)
        first = next((k for k in known if words[k - 1] == "-m"), None)
        return "" if first is None else words[first + 1]

    @property
    def options(self) -> tuple[str, ...]:
        """The words behind the command."""
        place = self.words.index(self.command) if self.command else 0
        return self.words[place + 1 :]


def value_of(words: Sequence[str], name: str) -> str | None:
    """The last value of an option on a line; None where it is not there."""
    spellings = (f"--{name}", f"--{name.replace('_', '-')}")
    values = [words[k + 1] for k, word in enumerate(words[:-1]) if word in spellings]
    return values[-1] if values else None


def read(folder: Path) -> list[Attempt]:
    """The last attempt of each log in a folder such as exp/log."""
    found = []
    for path in sorted(folder.glob("*.log")):
        text = path.read_text("utf-8", errors="replace")
        if attempt := _last(path, text.splitlines()):
            found.append(attempt)
    return found


def _last(log: Path, lines: Sequence[str]) -> Attempt | None:
    heads = list(_heads(lines))
    starts = [(k, began, rest) for k, began, rest in heads if not _END.match(rest)]
    if not starts:
        return None
    first, began, rest = starts[-1]
    rest, first = _whole(rest, lines, first)
    ends = [_END.match(text) for k, _, text in heads if k > first]
    status = next((int(end["status"]) for end in ends if end), None)
    slurm = _SLURM.match(rest)
    try:
        words = shlex.split(rest[slurm.end() :] if slurm else rest)
    except ValueError:  # it was cut off
        return None
    body = [line for line in lines[first + 1 :] if not _HEAD.match(line)]
    counts = (match for line in reversed(body) if (match := PROGRESS.search(line)))
    count = next(counts, None)
    return Attempt(
        log,
        tuple(words),
        began,
        status,
        slurm["number"] if slurm else "",
        (int(count["done"]), int(count["total"]), count["left"] or "")
        if count
        else None,
        body[-1] if body else "",
    )


def _whole(rest: str, lines: Sequence[str], first: int) -> tuple[str, int]:
    """A command whole, and its last line: a word in quotes may hold line feeds."""
    for last in range(first, min(first + MOST_LINES, len(lines))):
        text = "\n".join([rest, *lines[first + 1 : last + 1]])
        with contextlib.suppress(ValueError):
            shlex.split(text)
            return text, last
    return rest, first


def _heads(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(lines):
        if match := _HEAD.fullmatch(line):
            yield number, match["began"], match["rest"]
