"""Whether a finished experiment holds together, from the corpus to the scores.

    python -m s2st_interleave audit [DIR ...] [--json true] [--fast true]

For every directory of a stage below DIR: utterances in are those that came out and those
that were dropped, by reason, and what a stage read is what the one before it wrote; files
and inputs are what was recorded, by their digests; the files of a directory hold the same
ids; nothing lies about that no record knows. A line a finding: path, what is wrong, what to
do. The exit status is 0 where there is none, else 1. Nothing is written.

`--fast true` does not read files of 1 MB and more, nor the headers of recordings.
"""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s2st_interleave.audit import chain, contents, ids, inputs, orphans, outputs
from s2st_interleave.audit import recordings as audio_files
from s2st_interleave.audit.finding import (
    Audited,
    Finding,
    digest_all,
    digest_small,
    merged,
    read_once,
)
from s2st_interleave.errors import UserError
from s2st_interleave.option_parser import plain_parser
from s2st_interleave.promises import DONE
from s2st_interleave.status import folders
from s2st_interleave.status.places import number_of
from s2st_interleave.text_table import table

MOST_LINES = 10  # of a folder


@dataclass(frozen=True)
class Audit:
    """What was looked at, and all that was found, a line a path."""

    directories: list[Audited]
    findings: list[Finding]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return {
            "directories": [_row_json(each) for each in self.directories],
            "findings": [asdict(finding) for finding in self.findings],
            "seconds": round(self.seconds, 1),
        }


def main(words: Sequence[str]) -> int:
    parser = plain_parser("audit", __doc__)
    parser.add_argument("directories", nargs="*", type=Path, default=[Path()])
    parser.add_argument("--json", choices=("true", "false"), default="false")
    parser.add_argument(
        "--fast",
        choices=("true", "false"),
        default="false",
        help="leave out large files",
    )
    chosen = parser.parse_args(words)
    found = audit(chosen.directories, fast=chosen.fast == "true")
    if chosen.json == "true":
        print(json.dumps(found.to_json(), indent=1, ensure_ascii=False))
    else:
        print(render(found))
    return 1 if found.findings else 0


def audit(tops: Sequence[Path], *, fast: bool = False) -> Audit:
    """Audit all recipes below some folders; UserError where there is no such folder."""
    started = time.monotonic()
    found = [folders.walk(top, weigh=False) for top in tops]
    damaged = [
        pair for each in found for some in each.damaged.values() for pair in some
    ]
    records = {
        record.directory: record
        for each in found
        for some in each.records.values()
        for record in some
    }
    done = {k: Audited(record) for k, record in records.items() if record.done}
    known = {**_elsewhere(done, damaged), **done}
    digest = digest_small if fast else digest_all
    used: set[Path] = set()
    with read_once():
        for each in done.values():
            _look(each, known, digest, used, headers=not fast)
        for each in known.values():
            if each.directory not in done:  # its ids are needed, it is not audited
                ids.readable(each, contents.CHECKS.get(each.stage, lambda _: None))
        for each in done.values():
            ids.readable(each, lambda audited: chain.check(audited, known))
    loose = [finding for each in done.values() for finding in each.findings]
    loose += [_damaged(path, why) for path, why in damaged]
    loose += [_begun(record) for record in records.values() if not record.done]
    for recipe in {record.recipe for record in records.values()}:
        loose += orphans.check(recipe, records.keys())
    loose += [
        Finding(
            os.path.relpath(path), "no table names this recording", audio_files.REMOVE
        )
        for path in audio_files.strangers({path.parent for path in used}, used)
    ]
    places = sorted(done.values(), key=_order)
    return Audit(places, merged(loose), time.monotonic() - started)


def _look(
    audited: Audited,
    known: inputs.By,
    digest: Any,
    used: set[Path],
    *,
    headers: bool,
) -> None:
    """All that can be said of one directory by itself, and of what it was made from."""
    ids.readable(audited, lambda each: outputs.check(each, digest))
    ids.readable(audited, outputs.check_drops)
    ids.readable(audited, lambda each: inputs.check(each, known, digest))
    if audited.stage in contents.CHECKS:
        ids.readable(audited, contents.CHECKS[audited.stage])
    if audited.stage in ("data", "subset"):
        ids.readable(
            audited,
            lambda each: used.update(audio_files.check(each, headers=headers)),
        )


def _elsewhere(
    done: dict[Path, Audited], damaged: list[tuple[Path, str]]
) -> dict[Path, Audited]:
    """Directories of other recipes that these ones were made from, such as an encoder.

    Records of them that cannot be read are added to `damaged`.
    """
    paths = {
        path
        for each in done.values()
        for name in each.content.get("inputs", {})
        if (path := inputs.path_of(each, name)) and path not in done
    }
    known = {}
    unread = {path.parent for path, _ in damaged}
    for path in sorted(p for p in paths if (p / DONE).is_file() and p not in unread):
        try:
            known[path] = Audited(folders.read_record(path, DONE))
        except UserError as error:
            damaged.append((path / DONE, str(error)))
    return known


def _damaged(path: Path, why: str) -> Finding:
    wrong = why.removeprefix(f"{path}").lstrip(": ")
    return Finding(os.path.relpath(path), wrong, "remove it, and run its stage again")


def _begun(record: folders.Record) -> Finding:
    wrong = "it is begun, and not finished"
    return Finding(
        os.path.relpath(record.directory), wrong, "the same command carries on"
    )


def _order(audited: Audited) -> tuple[str, int, str]:
    number = number_of(audited.stage)
    return (str(audited.record.recipe), number or 99, audited.record.name)


def _row_json(audited: Audited) -> dict[str, Any]:
    return {
        "stage": audited.stage,
        "directory": os.path.relpath(audited.directory),
        **audited.counts,
        "files": audited.num_files,
        "findings": len(merged(audited.findings)),
    }


def render(found: Audit) -> str:
    """The table of all directories, then a line a finding."""
    if not found.directories and not found.findings:
        return "nothing was made here, or below"
    head = ["stage", "directory", "in", "out", "dropped", "files", "state"]
    rows = [_row(each) for each in found.directories]
    count = len(found.findings)
    end = f"{len(rows)} directories, {count or 'no'} finding{'s' * (count != 1)}, "
    lines = _lines(found.findings)
    return "\n".join([table(head, rows), "", *lines, f"{end}{found.seconds:.1f} s"])


def _lines(findings: Sequence[Finding]) -> list[str]:
    """A line a finding; of a folder with many of them no more than the first."""
    by_folder: dict[str, list[Finding]] = {}
    for finding in findings:
        by_folder.setdefault(os.path.dirname(finding.path), []).append(finding)
    lines = []
    for folder, some in by_folder.items():
        lines += [str(finding) for finding in some[:MOST_LINES]]
        if more := len(some) - MOST_LINES:
            lines += [f"{folder}: {more} more; --json true lists them"] * (more > 0)
    return lines


def _row(audited: Audited) -> list[str]:
    counts = audited.counts
    reasons = [f"{n} {kind}" for kind, n in sorted(counts["dropped"].items())]
    if audited.stage in chain.CHOOSE and counts["out"] < counts["in"]:
        reasons.append(f"{counts['in'] - counts['out']} not chosen")
    count = len(merged(audited.findings))
    number = number_of(audited.stage)
    return [
        f"{'-' if number is None else number} {audited.stage}",
        os.path.relpath(audited.directory),
        str(counts["in"]),
        str(counts["out"]),
        ", ".join(reasons) or "0",
        str(audited.num_files),
        f"{count} finding{'s' * (count > 1)}" if count else "ok",
    ]
