"""Writes docs/reliability.md: promises, the command behind each, what its last run counted.

Promises, defects and limits stand in tests/reliability/*.yaml. What a test counts comes from
the folder that tools/faults.sh names, and is kept in docs/reliability.json.
"""

import argparse
import datetime
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
SUBJECTS = ROOT / "tests" / "reliability"
COUNTS = ROOT / "docs" / "reliability.json"
PAGE = ROOT / "docs" / "reliability.md"
KEYS = {"promises", "defects", "limits"}
HEAD = """# Reliability

What the toolkit promises when something goes wrong, the command that tests each promise, and
what that command counted when it last ran. `tools/faults.sh` runs them all, some hours on two
cores; CI runs a short form of each. This page is written by `tools/reliability_page.py`.
"""


def subjects() -> dict[str, dict[str, list[Any]]]:
    """The YAML files by name. Raises ValueError for a key that none of them has."""
    pages = {}
    for path in sorted(SUBJECTS.glob("*.yaml")):
        pages[path.stem] = yaml.safe_load(path.read_text())
        unknown = pages[path.stem].keys() - KEYS
        if unknown:
            raise ValueError(f"{path}: no key '{min(unknown)}' is known")
    return pages


def keep(folder: Path, counts: dict[str, Any], git: str) -> dict[str, Any]:
    """The kept counts with those that a run has left in `folder`."""
    day = datetime.date.today().isoformat()
    for path in sorted(folder.glob("*.json")):
        counts[path.stem] = {"date": day, "git": git} | json.loads(path.read_text())
    return dict(sorted(counts.items()))


def page(pages: dict[str, dict[str, list[Any]]], counts: dict[str, Any]) -> str:
    """The whole page as Markdown."""
    lines = [HEAD, "## Promises", ""]
    lines += ["| promise | command | its last run |", "| --- | --- | --- |"]
    for promise in _all(pages, "promises"):
        last = _last(counts.get(promise["name"]))
        lines.append(f"| {promise['promise']} | `{promise['command']}` | {last} |")
    for name, last in counts.items():
        if "table" in last:
            lines += ["", f"## Table: {name}", "", *_table(last["table"])]
    lines += ["", "## What is not promised", ""]
    lines += [f"- {limit}" for limit in _all(pages, "limits")]
    defects = list(_all(pages, "defects"))
    lines += ["", f"## The {len(defects)} defects that were found so", ""]
    lines += ["| defect | the test that holds it |", "| --- | --- |"]
    lines += [f"| {each['defect']} | `{each['test']}` |" for each in defects]
    return "\n".join(lines) + "\n"


def _all(pages: dict[str, dict[str, list[Any]]], key: str) -> Iterator[Any]:
    for subject in pages.values():
        yield from subject.get(key) or []


def _last(counts: dict[str, Any] | None) -> str:
    if counts is None:
        return "not run yet"
    shown = [
        f"{key.replace('_', ' ')} {value}"
        for key, value in counts.items()
        if key not in ("date", "git", "table")
    ]
    return f"{', '.join(shown)} ({counts['date']}, git {counts['git']})"


def _table(rows: list[list[str]]) -> Iterator[str]:
    head, *body = rows
    for row in (head, ["---"] * len(head), *body):
        yield f"| {' | '.join(row)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=Path, help="folder of what a run has counted")
    given = parser.parse_args()
    counts = json.loads(COUNTS.read_text()) if COUNTS.exists() else {}
    if given.counts:
        git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
        hash_ = subprocess.run(git, check=True, capture_output=True, text=True).stdout
        counts = keep(given.counts, counts, hash_.strip())
        COUNTS.write_text(json.dumps(counts, indent=1) + "\n")
    PAGE.write_text(page(subjects(), counts))
    print(f"{PAGE.relative_to(ROOT)} is written")


if __name__ == "__main__":
    main()
