"""What an audit says about one path, and the directories of stages that it looks at."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from s2st_interleave import files, record
from s2st_interleave.files import file_digest
from s2st_interleave.promises import and_more
from s2st_interleave.stage_list import stage_number
from s2st_interleave.status.folders import Record


@dataclass(frozen=True)
class Finding:
    """A file or folder, what is wrong with it, and what to do."""

    path: str
    wrong: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.wrong}: {self.remedy}"


@dataclass
class Audited:
    """A finished directory of a stage, its findings, and the ids that it keeps.

    `kept` is None where the stage keeps no utterances, such as a training.
    """

    record: Record
    findings: list[Finding] = field(default_factory=list)
    kept: set[str] | None = None
    num_files: int = 0

    @property
    def stage(self) -> str:
        return self.record.stage

    @property
    def directory(self) -> Path:
        return self.record.directory

    @property
    def content(self) -> Mapping[str, Any]:
        return self.record.content

    @cached_property
    def counts(self) -> dict[str, Any]:
        return {"in": 0, "out": 0, "dropped": {}} | self.content.get("counts", {})

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        return self.content.get("facts", {})

    @property
    def print(self) -> str:
        """What a stage that reads this directory records of it."""
        both = [self.content.get("fingerprint"), self.content.get("outputs")]
        return record.digest(both)

    @property
    def remake(self) -> str:
        """What makes the directory anew."""
        number = stage_number(self.stage)
        if number is None:
            return "make it anew"
        return f"./run.sh --stage {number} --stop_stage {number} --overwrite true"

    def place(self, path: str | Path) -> Path:
        """A path of the record, whole: it is relative to where the command ran."""
        return Path(os.path.normpath(self.record.home / path))

    def paths(self, option: str) -> list[Path]:
        """The paths that an option had, whole; none where it had none."""
        value = self.content.get("paths", {}).get(option)
        values = [value] if isinstance(value, str) else value or []
        return [self.place(path) for path in values]

    def find(self, path: Path, wrong: str, remedy: str = "") -> None:
        """Note what is wrong with a path; `remedy`: to make the directory anew."""
        name = os.path.relpath(path)
        self.findings.append(Finding(name, wrong, remedy or self.remake))


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, one a path: what is wrong with it, in the order in which it was found."""
    by_path: dict[str, list[Finding]] = {}
    for each in findings:
        by_path.setdefault(each.path, []).append(each)
    return [
        Finding(path, "; ".join(dict.fromkeys(f.wrong for f in some)), some[0].remedy)
        for path, some in sorted(by_path.items())
    ]


def named(ids: Collection[str]) -> str:
    """The first of some ids, and how many there are more: "u3 (and 2 more)"."""
    return f"{min(ids)}{and_more(len(ids) - 1)}"


@contextmanager
def read_once() -> Iterator[None]:
    """Inside, each file is read and hashed once, however many stages have read it."""
    seen: dict[str, str] = {}

    def known(path: Path) -> str:
        name = os.path.abspath(path)
        if name not in seen:
            seen[name] = files.read_digest(path)
        return seen[name]

    with files.digests_by(known):
        yield


Digest = Callable[[Path], str | None]
LARGE = 1 << 20  # bytes of a file that `--fast true` does not read


def digest_all(path: Path) -> str | None:
    return file_digest(path)


def digest_small(path: Path) -> str | None:
    """sha256 of a file; None, which stands for unknown, of a large one."""
    return file_digest(path) if path.stat().st_size < LARGE else None


def digest_of(values: Mapping[str, str | None]) -> str | None:
    """Digest of digests; None where one of them is not known."""
    return None if None in values.values() else record.digest(dict(values))
