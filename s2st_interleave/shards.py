"""Work on many utterances, cut into parts that survive a kill and do not depend on jobs.

A part is a run of utterances in the order in which the caller gives them. Two files make
it: what was computed (`part7`) and, written last, its proof (`part7.proof`): a digest of
the stage's fingerprint and the utterance ids, one of the first file, and the seconds that
it took. A part without a proof, or with another one, is computed again, because its file
may be cut off, copied from elsewhere or of other utterances.

Job k of n (`--shard k/n`) computes the parts k, k + n, k + 2n ... that are not there yet.
How many jobs there are, and how often they are killed, changes no file. Then one process
merges all parts, and computes those that are still missing.
"""

import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from s2st_interleave import record_file
from s2st_interleave.config import RunOptions, option
from s2st_interleave.errors import UserError
from s2st_interleave.files import TEMPORARY, atomic_write, file_digest
from s2st_interleave.promises import OPEN
from s2st_interleave.record import digest

MOST_PARTS = 400  # of a side: a million utterances are 800 files, which a quota bears
# Names of parts, of the shards of earlier versions, and of what a killed job was writing.
OURS = re.compile(rf"(part\d+|\d+of\d+)(\.proof|\.sec)?|{TEMPORARY.pattern}")


@dataclass(frozen=True, kw_only=True)
class ShardOptions(RunOptions):
    """Options of a command whose work can be cut by utterances."""

    shard: str = option("", "JOB/N: only this job's share of the parts", runtime=True)

    removed: ClassVar[dict[str, str]] = {
        "num_shards": "parts do not depend on the number of jobs; leave it out"
    }


@dataclass(frozen=True)
class Shards:
    """The files of all parts, in order.

    `earlier_sec` is how many seconds other processes have worked on them.
    """

    paths: tuple[Path, ...]
    earlier_sec: float


def shards_of(directory: Path, role: str, sides: Mapping[str, str]) -> Path:
    """The folder of a side's parts; `sides` maps roles to languages.

    Versions that named sides by language may have begun a folder, which is renamed. The
    job of shard 0 calls this before the other jobs start.
    """
    folder, earlier = (directory / "shards" / name for name in (role, sides[role]))
    if earlier.is_dir() and not folder.exists():
        with contextlib.suppress(FileNotFoundError):
            earlier.rename(folder)
    return folder


Process = Callable[[Sequence[str], Path], None]


def run_shards(
    ids: Sequence[str],
    folder: Path,
    shard: str,
    process: Process,
    *,
    smallest: int = 500,
) -> Shards | None:
    """Compute one job's parts (`shard` is "2/4": returns None), or all that are missing.

    Shard "0/4" computes nothing: its job opens the directory before the other jobs start.
    The order of `ids` must be a function of the data, for it says which of them make a
    part: `smallest` at a time, or more where that would be over MOST_PARTS parts.
    `process(ids, path)` must make `path` appear whole. The process that merges also removes
    the files of parts that no longer exist, such as those of an earlier version, and no
    file of another name. Raises UserError for a `shard` that is not JOB/N.
    """
    size = max(smallest, -(-len(ids) // MOST_PARTS))
    shares = [ids[start : start + size] for start in range(0, len(ids), size)]
    parts = [_Part(f"part{k}", p, folder) for k, p in enumerate(shares, start=1)]
    if shard:
        index, count = _parse(shard)
        for part in parts[index - 1 :: count] if index else ():
            part.compute(process)
        return None
    earlier_sec = sum(part.compute(process) for part in parts)
    known = {path for part in parts for path in (part.path, part.proof)}
    for path in set(folder.glob("*")) - known:
        if OURS.fullmatch(path.name):
            path.unlink()
    return Shards(tuple(part.path for part in parts), earlier_sec)


def write_twin(path: Path, ids: Sequence[str], folder: Path, process: Process) -> None:
    """Compute the part in `folder` that has the name and the utterances of the part `path`.

    It is for a `process` that makes parts of two stages at once; a whole part is kept.
    """
    _Part(path.name, ids, folder).compute(process)


def _parse(shard: str) -> tuple[int, int]:
    index, _, count = shard.partition("/")
    if not (index.isdecimal() and count.isdecimal() and int(index) <= int(count)):
        raise UserError(f"--shard is '{shard}', wants JOB/N such as 2/4")
    return int(index), int(count)


@dataclass(frozen=True)
class _Part:
    name: str
    ids: Sequence[str]
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def proof(self) -> Path:
        return self.folder / f"{self.name}.proof"

    def compute(self, process: Process) -> float:
        """Make the part unless it is there; return the seconds that others took for it."""
        if self.path.is_file() and self.proof.is_file():
            *digests, seconds = self.proof.read_text().split() or [""]
            now = self._digests()
            if digests == now:
                return float(seconds)
            why = "is not what its proof says"
            if digests[1:] == now[1:]:
                why = "is of another stage, other utterances or an earlier version"
            print(f"{self.path} {why}: computed again", flush=True)
        self.proof.unlink(missing_ok=True)
        started = time.monotonic()
        process(self.ids, self.path)
        seconds = f"{time.monotonic() - started:.2f}"
        with atomic_write(self.proof) as stream:
            stream.write(" ".join((*self._digests(), seconds)) + "\n")
        return 0.0

    def _digests(self) -> list[str]:
        return [digest([_fingerprint(self.folder), *self.ids]), file_digest(self.path)]


def _fingerprint(folder: Path) -> str:
    """That of the stage which is open in the directory of a folder of parts; "": in none."""
    for directory in folder.absolute().parents[:2]:
        if (directory / OPEN).is_file():
            return record_file.read(directory / OPEN)["fingerprint"]
    return ""
