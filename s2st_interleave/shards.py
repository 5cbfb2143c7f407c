"""JOB=1:N over sorted utterance ids: a shard's file appears whole, a rerun keeps it.

Three files make a shard `2of4`: what was computed, the seconds that it took (`2of4.sec`),
and, written last, its proof: a digest of the utterance ids and one of the first file. A
shard without a proof, or with another one, is computed again, because its file may be cut
off, copied from elsewhere or of other utterances.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.config import RunOptions, option
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write, file_digest
from s2st_interleave.record import digest


@dataclass(frozen=True, kw_only=True)
class ShardOptions(RunOptions):
    """Options of a command whose work can be cut by utterances."""

    shard: str = option("", "JOB/N: only this shard", runtime=True)
    num_shards: int = option(
        1, "into how many the work was cut", runtime=True, minimum=1
    )


@dataclass(frozen=True)
class Shards:
    """The files of all shards, in order.

    `earlier_sec` is how many seconds other processes have worked on them; shards of
    versions that did not record it add nothing.
    """

    paths: tuple[Path, ...]
    earlier_sec: float


def shards_of(directory: Path, role: str, sides: Mapping[str, str]) -> Path:
    """The folder of a side's shards; `sides` maps roles to languages.

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
    ids: Sequence[str], folder: Path, shard: str, num_shards: int, process: Process
) -> Shards | None:
    """Process one shard (`shard` is "2/4": returns None), or all that are missing.

    Shard "0/4" processes nothing: its job opens the directory before the other jobs start.
    `process(ids, path)` must make `path` appear whole. What the files hold does not depend
    on their number. Raises UserError for a `shard` that is not JOB/N.
    """
    if shard:
        index, count = _parse(shard)
        if index:
            _shard(ids, folder, index, count, process)
        return None
    numbers = range(1, num_shards + 1)
    shards = [_shard(ids, folder, k, num_shards, process) for k in numbers]
    earlier_sec = sum(_seconds(path) for path, is_new in shards if not is_new)
    return Shards(tuple(path for path, _ in shards), earlier_sec)


def _parse(shard: str) -> tuple[int, int]:
    index, _, count = shard.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) <= int(count)):
        raise UserError(f"--shard is '{shard}', wants JOB/N such as 2/4")
    return int(index), int(count)


def _shard(
    ids: Sequence[str], folder: Path, index: int, count: int, process: Process
) -> tuple[Path, bool]:
    """The file of a shard, and whether this call has computed it."""
    path = folder / f"{index}of{count}"
    proof = folder / f"{path.name}.proof"
    share = sorted(ids)[index - 1 :: count]
    if path.is_file() and proof.is_file() and proof.read_text() == _proof(share, path):
        return path, False
    proof.unlink(missing_ok=True)
    started = time.monotonic()
    process(share, path)
    with atomic_write(_seconds_file(path)) as stream:
        stream.write(f"{time.monotonic() - started:.1f}\n")
    with atomic_write(proof) as stream:
        stream.write(_proof(share, path))
    return path, True


def _proof(ids: Sequence[str], path: Path) -> str:
    return f"{digest(list(ids))} {file_digest(path)}\n"


def _seconds_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.sec")


def _seconds(path: Path) -> float:
    """Seconds that a shard took; 0 where an earlier version recorded none."""
    file = _seconds_file(path)
    return float(file.read_text()) if file.is_file() else 0.0
