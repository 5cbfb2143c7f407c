"""Checks whether the files that a finished stage promised to its readers are still there.

`stage.json` holds the names and sizes of the stage's files; its wav.scp promises the audio
that it lists, wherever that lies. Only these tables are opened. A reader of the directory
pays a stat for each file and a listing for each folder of audio (5 s for a million
recordings); the stage itself also pays a stat for each recording (another 5 s). Archives of
recordings are few, so that readers compare their size as well. What is not larger than
MOST_READ is also read, for a bit may have changed on disk (1 s at most). Files that
only the stage itself reads (shards, checkpoints, the state of a run) are not promised:
users may remove them to save space.

    python -m s2st_interleave.promises exp/encoder

prints nothing; its exit status is 1 unless the directory is finished and whole.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from s2st_interleave import record_file
from s2st_interleave.data import ark
from s2st_interleave.errors import script
from s2st_interleave.files import file_digest, sync
from s2st_interleave.recipe_paths import beside

DONE, OPEN, DROPPED = "stage.json", "stage.open.json", "dropped.tsv"
# Files that describe one run (seconds, runtime options), and folders that no other stage
# reads. They are not outputs of a stage.
VOLATILE = {
    DONE,
    OPEN,
    "metrics.jsonl",
    "optimizer.pt",
    "meta.json",
    "sha256.json",
    "config.yaml",
    "run.sh",
}
EDITED = {"README.md"}  # of a model, such as its card: people write in it afterwards
PRIVATE = {"shards", "analysis", "sources", "tensorboard", "wandb", "bad_steps"}
CHECKPOINT = "checkpoint-"
MOST_READ = 500_000_000  # bytes of a stage's files whose content its readers compare


@dataclass(frozen=True)
class Broken:
    """Files that are gone, and files of another size or content than the stage wrote.

    `audio_bytes`: bytes of audio now and then, if they differ.
    """

    gone: tuple[Path, ...] = ()
    changed: tuple[Path, ...] = ()
    damaged: tuple[Path, ...] = ()
    audio_bytes: tuple[int, int] | None = None

    @property
    def altered(self) -> tuple[Path, ...]:
        """Files that are there, and not as the stage wrote them."""
        return self.changed + self.damaged

    def __bool__(self) -> bool:
        return bool(self.gone or self.changed or self.damaged or self.audio_bytes)

    def __str__(self) -> str:
        faults = [
            f"{paths[0]}{and_more(len(paths) - 1)} {what}"
            for paths, what in (
                (self.gone, "is gone"),
                (self.changed, "is not what was written (another size)"),
                (self.damaged, "is not what was written (other bytes)"),
            )
            if paths
        ]
        if self.audio_bytes:
            bytes_now, bytes_then = self.audio_bytes
            faults.append(f"its audio has {bytes_now} bytes, not {bytes_then}")
        return " and ".join(faults)


def and_more(count: int) -> str:
    """The end of a message about several files: " (and 3 more)"; "" for 0."""
    return f" (and {count} more)" if count else ""


def own_files(directory: Path) -> Iterator[Path]:
    """A stage's outputs in `directory`, sorted, without those of stages inside of it."""
    inner = {p.parent for n in (DONE, OPEN) for p in directory.glob(f"*/**/{n}")}
    theirs = {path for folder in inner for path in _promised(folder)}
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        parts = path.relative_to(directory).parts
        private = path.name in VOLATILE | EDITED or PRIVATE.intersection(parts)
        if not private and not inner.intersection(path.parents) and path not in theirs:
            yield path


def sizes(directory: Path, also: Iterable[Path] = ()) -> dict[str, int]:
    """Bytes of the promised files by path relative to `directory`; `also` lies outside."""
    promised = [
        path
        for path in own_files(directory)
        if _is_promise(path.relative_to(directory))
    ]
    return {
        os.path.relpath(path, directory): path.stat().st_size
        for path in (*promised, *also)
    }


def digests(directory: Path, also: Iterable[Path] = ()) -> dict[str, str]:
    """sha256 of a stage's outputs by path relative to `directory`; `also` lies outside.

    The command `audit` compares them, and so can name the file that has changed.
    """
    paths = (*own_files(directory), *also)
    return {os.path.relpath(path, directory): file_digest(path) for path in paths}


def audio_bytes(directory: Path) -> int:
    """Bytes of all files in the wav.scp tables; OSError where one is missing."""
    return sum(os.stat(path).st_size for path, _ in _listed(directory))


def broken(
    directory: Path, done: dict[str, Any], *, weigh: bool = False, reads: bool = False
) -> Broken:
    """Files that `done`, the stage.json of `directory`, promises and that are not there.

    `weigh` also compares the size of the audio, and `reads` the content of files up to
    MOST_READ, unless an earlier version made the directory: it recorded neither. The size
    of archives is always compared.
    """
    gone: dict[Path, None] = {}
    changed = []
    for name, size in done.get("files", {}).items():
        path = Path(os.path.normpath(directory / name))
        try:
            if path.stat().st_size != size:
                changed.append(path)
        except (FileNotFoundError, NotADirectoryError):
            gone[path] = None
    known = set(map(os.path.abspath, gone))  # a table may list what is promised
    lost = absent(path for path, _ in _listed(directory))
    gone |= dict.fromkeys(p for p in lost if os.path.abspath(p) not in known)
    if reads and not gone and not changed and (damaged := _damaged(directory, done)):
        return Broken(damaged=damaged)
    weigh = weigh or any(is_archive for _, is_archive in islice(_listed(directory), 1))
    if gone or not weigh or not done.get("audio_bytes"):
        return Broken(tuple(gone), tuple(changed))
    bytes_now, bytes_then = audio_bytes(directory), done["audio_bytes"]
    differ = (bytes_now, bytes_then) if bytes_now != bytes_then else None
    return Broken(tuple(gone), tuple(changed), audio_bytes=differ)


def _damaged(directory: Path, done: dict[str, Any]) -> tuple[Path, ...]:
    """Files of other content than was written, where all of them are not too large."""
    sizes, content = done.get("files", {}), done.get("digests", {})
    known = [name for name in sizes if name in content]
    if sum(sizes[name] for name in known) > MOST_READ:
        return ()
    paths = {name: directory / name for name in known}
    return tuple(p for name, p in paths.items() if file_digest(p) != content[name])


def sync_names(directory: Path) -> None:
    """Have the names of a stage's files on disk, and those of the audio it lists."""
    folders = {os.path.dirname(path) or "." for path, _ in _listed(directory)}
    folders |= {folder for folder, _, _ in os.walk(directory)}
    for folder in sorted(folders, reverse=True):
        sync(Path(folder))
    sync(directory.parent)


def absent(paths: Iterable[str]) -> list[Path]:
    """The missing ones of `paths`; each folder is listed once."""
    names: dict[str, set[str]] = {}
    missing = []
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in names:
            is_there = os.path.isdir(folder or ".")
            names[folder] = set(os.listdir(folder or ".")) if is_there else set()
        if name not in names[folder]:
            missing.append(Path(path))
    return missing


def _listed(directory: Path) -> Iterator[tuple[str, bool]]:
    """Paths of the files in the wav.scp tables of a directory; is each a Kaldi archive?

    An archive comes once, however many of its recordings are listed.
    """
    archives: set[str] = set()
    for table in sorted(directory.glob("wav.scp*")):
        with table.open(encoding="utf-8", newline="\n") as stream:
            for line in stream:
                path, offset = ark.split(line.rstrip("\n").partition(" ")[2])
                if offset is None:
                    is_own = table.name == "wav.scp"  # of stage 8
                    yield (str(beside(path, table)) if is_own else path), False
                elif path not in archives:
                    archives.add(path)
                    yield path, True


def _promised(folder: Path) -> Iterator[Path]:
    """Files that a stage in `folder`, inside another stage, wrote outside of it."""
    if (folder / DONE).is_file():
        done = record_file.read(folder / DONE)
        for name in done.get("files", {}):
            if name.startswith(".."):
                yield Path(os.path.normpath(folder / name))


def _is_promise(name: Path) -> bool:
    hidden = any(part[0] == "." for part in name.parts)
    kept = any(part.startswith(CHECKPOINT) for part in name.parts)
    return not hidden and not kept and name.name != DROPPED


def main(words: list[str]) -> int:
    directory = Path(words[0])
    try:
        done = record_file.read(directory / DONE)
    except FileNotFoundError:
        return 1
    return 1 if broken(directory, done) else 0


if __name__ == "__main__":
    sys.exit(script("promises", partial(main, sys.argv[1:])))
