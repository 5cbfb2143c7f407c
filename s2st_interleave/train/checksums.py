"""Digests of a checkpoint's files, by which a flipped bit or a cut tail is noticed.

Hashing takes a second for each GB and core, and files are read side by side: of a billion
weights and their optimizer (15 GB) it takes as long as the file of the optimizer alone.
"""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

from s2st_interleave.errors import UserError
from s2st_interleave.files import read_digest, read_json, write_json

FILE = "sha256.json"  # of every other file; an earlier version wrote none
THREADS = 8
NONE_KNOWN: Mapping[str, str] = MappingProxyType({})


def write(folder: Path) -> None:
    """Write the digests of all files that are in a checkpoint's folder."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = [str(path.relative_to(folder)) for path in paths]
    write_json(folder / FILE, _digests(folder, names))


def broken_file(
    folder: Path,
    may_go: Collection[str] = (),
    unread: Collection[str] = (),
    known: Mapping[str, str] = NONE_KNOWN,
) -> Path | None:
    """A file of a checkpoint that is not what was written; None where all are.

    Files and folders that `may_go` may also be gone. Those `unread` are not looked at.
    `known` are digests that stand elsewhere, and count more than those in the folder.
    """
    try:
        written = read_json(folder / FILE) if (folder / FILE).is_file() else {}
    except UserError:
        return folder / FILE
    written |= known
    written = {k: v for k, v in written.items() if Path(k).parts[0] not in unread}
    names = [name for name in written if (folder / name).is_file()]
    gone = (name for name in written if name not in names)
    for name in gone:
        if Path(name).parts[0] not in may_go:
            return folder / name
    now = _digests(folder, names)
    return next((folder / name for name in names if now[name] != written[name]), None)


def _digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """sha256 of files, by name."""
    names = sorted(names)
    with ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(lambda name: read_digest(folder / name), names)
        return dict(zip(names, found, strict=True))
