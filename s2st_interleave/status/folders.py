"""Walks a folder once: the records of stages below it, the scores, and the bytes by part."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from s2st_interleave import record_file
from s2st_interleave.errors import UserError
from s2st_interleave.promises import DONE, OPEN

# Folders of a recipe that stages write; a recipe is the folder that holds them.
PARTS = ("data", "dump", "exp", "downloads", "shared")
SKIPPED = {".git", ".venv", "__pycache__", "node_modules"}


@dataclass(frozen=True)
class Record:
    """A directory with a stage's record; `done` says which of the two it is."""

    directory: Path
    done: bool
    content: Mapping[str, Any]
    recipe: Path

    @property
    def stage(self) -> str:
        return str(self.content["stage"])

    @property
    def name(self) -> str:
        """The directory as the recipe names it."""
        return os.path.relpath(self.directory, self.recipe)

    @cached_property
    def home(self) -> Path:
        """The folder to which the record's paths are relative: where its command ran.

        That is the recipe, but where the stage's own directory lies on another disk: then
        the one above it, or the current one, from which most of them are there.
        """
        paths = self.content.get("paths", {})
        if not _own(self.directory, paths)[1].is_absolute():
            return self.recipe
        listed = [
            p for v in paths.values() for p in (v if isinstance(v, list) else [v])
        ]
        relative = [p for p in listed if isinstance(p, str) and not os.path.isabs(p)]
        homes = (self.recipe, Path.cwd(), *self.directory.parents)
        return max(homes, key=lambda home: sum((home / p).exists() for p in relative))


@dataclass(frozen=True)
class Found:
    """What a walk has seen, by recipe: records, folders of logs, and bytes by part."""

    records: Mapping[Path, list[Record]]
    logs: Mapping[Path, list[Path]]
    sizes: Mapping[Path, Mapping[str, int]]
    # Records that cannot be read, and why.
    damaged: Mapping[Path, list[tuple[Path, str]]] = field(default_factory=dict)

    @property
    def recipes(self) -> list[Path]:
        return sorted({*self.records, *self.logs, *self.damaged})


def walk(top: Path, *, weigh: bool = True) -> Found:
    """Look through a folder and all below it; `weigh` adds up the bytes of its files."""
    records: dict[Path, list[Record]] = defaultdict(list)
    logs: dict[Path, list[Path]] = defaultdict(list)
    sizes: dict[Path, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    damaged: dict[Path, list[tuple[Path, str]]] = defaultdict(list)
    # Where commands ran, by the folder that seems to be their recipe by its name.
    homes: dict[Path, Counter[Path]] = defaultdict(Counter)
    for folder, names in _folders(top, weigh):
        seeming = recipe_of(folder)
        if weigh and (part := _part(folder, seeming)):
            sizes[seeming][part] += sum(names.values())
        for name in (DONE, OPEN):
            if name in names:
                try:
                    record = read_record(folder, name)
                except FileNotFoundError:  # it was renamed meanwhile
                    break
                except UserError as error:
                    damaged[seeming].append((folder / name, str(error)))
                    break
                records[record.recipe].append(record)
                homes[seeming][record.recipe] += 1
                break
        if folder.name == "log" and any(name.endswith(".log") for name in names):
            logs[seeming].append(folder)
    most = {seeming: each.most_common(1)[0][0] for seeming, each in homes.items()}
    logs, sizes = _at_home(logs, sizes, most)
    lost: dict[Path, list[tuple[Path, str]]] = defaultdict(list)
    for seeming, some in damaged.items():
        lost[most.get(seeming, seeming)] += some
    for recipe in records:  # `top` may be a part of a recipe
        log = recipe / "exp" / "log"
        if not logs[recipe] and log.is_dir():
            logs[recipe].append(log)
    return Found(records, logs, sizes, lost)


def _at_home(
    logs: Mapping[Path, list[Path]],
    sizes: Mapping[Path, Mapping[str, int]],
    homes: Mapping[Path, Path],
) -> tuple[dict[Path, list[Path]], dict[Path, dict[str, int]]]:
    """Logs and bytes by the recipes whose records lie beside them.

    A quick run's exp lies in quick/, which is a folder of its recipe and no recipe.
    """
    found: dict[Path, list[Path]] = defaultdict(list)
    bytes_of: dict[Path, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for seeming, folders in logs.items():
        found[homes.get(seeming, seeming)] += folders
    for seeming, parts in sizes.items():
        recipe = homes.get(seeming, seeming)
        for part, count in parts.items():
            name = os.path.relpath(seeming / part, recipe)
            bytes_of[recipe][name] += count
    return found, bytes_of


def _folders(top: Path, weigh: bool) -> Iterator[tuple[Path, dict[str, int]]]:
    """Folders below `top`, with their files and the files' bytes (0 without `weigh`)."""
    waiting = [Path(os.path.abspath(top))]
    if not waiting[0].is_dir():
        raise UserError(f"{top}: no such folder")
    while waiting:
        folder, names = waiting.pop(), {}
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in SKIPPED:
                            waiting.append(folder / entry.name)
                    else:
                        names[entry.name] = _bytes(entry) if weigh else 0
        except (PermissionError, FileNotFoundError):  # it may be removed meanwhile
            continue
        yield folder, names


def _bytes(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:  # a run goes on meanwhile
        return 0


def read_record(folder: Path, name: str) -> Record:
    """The record in the file `name` of an absolute folder; UserError where it is damaged."""
    content = record_file.read(folder / name)
    if "stage" not in content:
        raise UserError(f"{folder / name}: no record of a stage")
    return Record(folder, name == DONE, content, _home(folder, content))


def _home(folder: Path, content: Mapping[str, Any]) -> Path:
    """The folder to which the paths of a record are relative: where its command ran.

    The option that names the stage's own directory tells it, or the folder that a
    comparison lies in. Another path may have the same name, and tells nothing.
    """
    place, own = _own(folder, content.get("paths", {}))
    for above in () if own.is_absolute() else place.parents:
        if Path(os.path.normpath(above / own)) == place:
            return above
    return recipe_of(folder)


def _own(folder: Path, paths: Mapping[str, Any]) -> tuple[Path, Path]:
    """A folder whose path a record names, and that path; an absolute one if it has none."""
    owners = {"out_dir": folder, "system_dir": folder.parent, "data_dir": folder}
    for name, place in owners.items():
        if isinstance(paths.get(name), str):
            return place, Path(paths[name])
    return folder, folder


def recipe_of(folder: Path) -> Path:
    """The recipe that a folder belongs to, by its name alone: what is above exp or data."""
    for above in (folder, *folder.parents):
        if above.name in PARTS and above.parent.name not in PARTS:
            return above.parent
    return folder


def _part(folder: Path, recipe: Path) -> str:
    """The part of a recipe that a folder's bytes count for: exp/<name>, dump/<name> ..."""
    parts = folder.relative_to(recipe).parts
    if not parts or parts[0] not in PARTS:
        return ""
    return "/".join(parts[: 2 if parts[0] in ("dump", "exp") else 1])
