"""Reads which utterances a file holds: tables, lines of JSON, arrays of a dump."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from s2st_interleave.audit.finding import Audited, named
from s2st_interleave.data import sides

Table = dict[str, str]


def table(audited: Audited, path: Path, separator: str = " ") -> Table:
    """Values by id of a file with an utterance a line; ids that come twice are noted."""
    pairs = [line.partition(separator) for line in _lines(path)]
    _note_twice(audited, path, [key for key, _, _ in pairs])
    return {key: value for key, _, value in pairs}


def json_ids(audited: Audited, path: Path) -> set[str]:
    """The ids of a file with an object a line; lines that are none are noted."""
    ids = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            ids.append(json.loads(line)["id"])
        except (ValueError, TypeError, KeyError):
            audited.find(path, f"line {number} is no line of words")
    _note_twice(audited, path, ids)
    return set(ids)


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", errors="replace").split("\n")[:-1]


def _note_twice(audited: Audited, path: Path, ids: list[str]) -> None:
    twice = {key for key, count in Counter(ids).items() if count > 1}
    if twice:
        audited.find(path, f"{named(twice)} is in it twice")


def npz_ids(path: Path) -> set[str]:
    """The ids of an .npz of stage 9."""
    with np.load(path) as arrays:
        return set(arrays["ids"].tolist())


def files(audited: Audited, *names: str) -> dict[str, Path]:
    """The files of all sides that are there, by name: `names` have a `{}` for the side.

    Earlier versions named sides by their language.
    """
    known = sides.read(audited.directory)
    endings = {ending for side in known.items() for ending in side}
    every = (name.format(ending) for name in names for ending in sorted(endings))
    there = {name: audited.directory / name for name in every}
    return {name: path for name, path in there.items() if path.is_file()}


def agree(audited: Audited, by_file: Mapping[str, set[str]]) -> set[str]:
    """The ids that most files of a directory hold; files that hold others are noted.

    With the files the record's number of utterances has a vote.
    """
    votes = Counter(frozenset(ids) for ids in by_file.values())
    num_out = audited.counts["out"]
    kept = max(votes, key=lambda ids: (votes[ids], len(ids) == num_out, sorted(ids)))
    for name, ids in by_file.items():
        compare(audited, audited.directory / name, ids, set(kept), "other files here")
    if len(kept) != num_out:
        audited.find(
            audited.directory / "stage.json",
            f"it says that {num_out} utterances came out, {len(kept)} are here",
        )
    return set(kept)


def compare(
    audited: Audited, path: Path, ids: set[str], wanted: set[str], others: str
) -> None:
    """Note which of the `wanted` ids are missing in a file, and which are too many."""
    if lost := wanted - ids:
        audited.find(path, f"{named(lost)} is missing, which {others} have")
    if more := ids - wanted:
        audited.find(path, f"{named(more)} is in it, which {others} do not have")


Check = Callable[[Audited], None]


def readable(audited: Audited, check: Check) -> None:
    """Run a check; a file that it cannot read at all is a finding."""
    try:
        check(audited)
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError) as error:
        path = getattr(error, "filename", None) or audited.directory
        reason = str(error).partition("\n")[0] or type(error).__name__
        audited.find(Path(path), f"it cannot be read: {reason}")
