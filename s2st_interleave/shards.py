"""JOB=1:N over sorted utterance ids: a shard's file appears whole, a rerun keeps it.

Beside a shard lies its proof, written last: of which utterances it is and its digest. One
without, or with another, is made again: a file that was cut off, copied from elsewhere or
is of other utterances is no result.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.config import RunOptions, option
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write, file_digest
from s2st_interleave.record import digest


@dataclass(frozen=True, kw_only=True)
class ShardOptions(RunOptions):
    """Of a command whose work can be cut by utterances."""

    shard: str = option("", "JOB/N: only this shard", runtime=True)
    num_shards: int = option(
        1, "into how many the work was cut", runtime=True, minimum=1
    )


def shards_of(directory: Path, role: str, sides: Mapping[str, str]) -> Path:
    """The folder of a side's shards; what an earlier version has begun by language is it.

    `sides`: languages by role. The job of shard 0 calls it before the others come.
    """
    folder, earlier = (directory / "shards" / name for name in (role, sides[role]))
    if earlier.is_dir() and not folder.exists():
        with contextlib.suppress(FileNotFoundError):
            earlier.rename(folder)
    return folder


Process = Callable[[Sequence[str], Path], None]


def run_shards(
    ids: Sequence[str], folder: Path, shard: str, num_shards: int, process: Process
) -> list[Path] | None:
    """Process one shard (`shard` is "2/4": returns None), or all that are missing.

    Shard "0/4" processes nothing: its job opens the directory before the others come.

    `process(ids, path)` must make `path` appear whole. The files of all shards are
    returned, in order; what they hold does not depend on their number.
    """
    if shard:
        index, count = _parse(shard)
        if index:
            _one(ids, folder, index, count, process)
        return None
    return [_one(ids, folder, k, num_shards, process) for k in range(1, num_shards + 1)]


def _parse(shard: str) -> tuple[int, int]:
    index, _, count = shard.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) <= int(count)):
        raise UserError(f"--shard is '{shard}', wants JOB/N such as 2/4")
    return int(index), int(count)


def _one(
    ids: Sequence[str], folder: Path, index: int, count: int, process: Process
) -> Path:
    path = folder / f"{index}of{count}"
    proof = folder / f"{path.name}.proof"
    mine = sorted(ids)[index - 1 :: count]
    if path.is_file() and proof.is_file() and proof.read_text() == _proof(mine, path):
        return path
    proof.unlink(missing_ok=True)
    process(mine, path)
    with atomic_write(proof) as stream:
        stream.write(_proof(mine, path))
    return path


def _proof(ids: Sequence[str], path: Path) -> str:
    return f"{digest(list(ids))} {file_digest(path)}\n"
