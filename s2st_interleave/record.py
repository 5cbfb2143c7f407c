"""The record of a stage's options and inputs, and how it differs from an earlier one."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from s2st_interleave import blocks, config, effects, newer
from s2st_interleave.blocks import leaves
from s2st_interleave.promises import DONE, and_more

NUM_SHOWN = 10  # lines about what differs within an input
Record = dict[str, Any]  # `stage.open.json`, and the first part of `stage.json`


class Origin(Protocol):
    """An input of a stage."""

    def fingerprint(self) -> str:
        """A hash of the input's content, which does not depend on where it lies."""
        ...

    def changes(self, directory: Path) -> list[str]:
        """A line for each part that has changed since `directory` was made, if known."""
        ...


def digest(value: Any) -> str:
    """sha256 of a JSON value, in hexadecimal; the order of keys does not matter."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def outputs(digests: Mapping[str, str]) -> str:
    """Digest of a stage's outputs, by which later stages notice that it was remade."""
    return digest({k: v for k, v in digests.items() if not k.startswith("..")})


def of(stage: str, options: Any, inputs: Mapping[str, Origin | str]) -> Record:
    """The record of a stage with these options and inputs.

    Paths are recorded for readers, but are no part of the fingerprint: a recipe may be
    moved. The inputs' own fingerprints stand for their content.
    """
    resolved = blocks.flat(config.to_dict(options))
    values = {name for name, leaf in leaves(type(options)).items() if not leaf.runtime}
    paths = {name for name in values if _is_path(blocks.value_at(options, name))}
    content = {k: v for k, v in resolved.items() if k in values - paths}
    content = blocks.nested(content)
    prints = {
        name: origin if isinstance(origin, str) else origin.fingerprint()
        for name, origin in inputs.items()
    }
    return {
        "stage": stage,
        "fingerprint": digest([stage, content, prints]),
        "options": content,
        "paths": {k: resolved[k] for k in sorted(paths)},
        "inputs": prints,
    }


def _is_path(value: Any) -> bool:
    first = value[0] if isinstance(value, tuple) and value else value
    return isinstance(first, Path)


def grown(before: Record, now: Record, options: Any) -> set[str]:
    """Names of the options that make a run longer than before, so that it goes on."""
    extendable = options.extendable() if hasattr(options, "extendable") else set()
    old, new = before["options"], now["options"]
    return {
        key
        for key in extendable
        if None not in (old.get(key), new.get(key)) and new[key] > old[key]
    }


def difference(
    before: Record,
    now: Record,
    options: Any,
    inputs: Mapping[str, Origin | str],
    directory: Path,
) -> list[str]:
    """A line for each option and input that differs from those `directory` was made with.

    Options without effect now do not count, nor do options that the earlier version did
    not have, as long as they have the default that stands for what it did.
    """
    earlier = _earlier(before["options"], now["options"], options)
    runtime = {k for k, leaf in leaves(type(options)).items() if leaf.runtime}
    passed = runtime | grown(before, now, options) | effects.void_names(options)
    lines = [
        f"option {key}: was {old}, is {new}"
        for key, old, new in _unequal(earlier, blocks.flat(now["options"]))
        if key not in passed
    ]
    for key, old, new in _unequal(before["inputs"], now["inputs"]):
        origin = inputs.get(key, "")
        path = getattr(origin, "path", None)
        lines.append(newer.input_line(key, old, new, path, before, now))
        changes = _changes(origin, old, new, now, directory)
        lines += [f"  {change}" for change in changes[:NUM_SHOWN]]
        if len(changes) > NUM_SHOWN:
            lines.append(f" {and_more(len(changes) - NUM_SHOWN)}")
    return lines


def _changes(
    origin: Origin | str, old: str | None, new: str | None, now: Record, directory: Path
) -> list[str]:
    """Lines about what differs within an input that has other content than before."""
    if not (newer.is_hash(old) and newer.is_hash(new)):
        return []
    if not isinstance(origin, str):
        return origin.changes(directory)
    # It is known by a hash alone: the files that are newer are those of some option.
    places = [path for path in newer.paths_of(now) if path != directory]
    return [
        line
        for path in places
        if not (path / DONE).is_file()
        for line in newer.newer_files(path, directory, only_files=True)
    ]


def _earlier(before: Record, now: Record, options: Any) -> Record:
    """Options of an earlier version under the names and paths that they have today."""
    translate = getattr(options, "earlier", dict)
    known = blocks.flat(translate(before))
    new = {
        name: config.plain(leaf.default)
        for name, leaf in leaves(type(options)).items()
        if leaf.new and name in blocks.flat(now)
    }
    return new | known


def _unequal(old: Record, new: Record) -> list[tuple[str, Any, Any]]:
    keys = sorted(old.keys() | new.keys())
    pairs = [(key, old.get(key), new.get(key)) for key in keys]
    return [(key, a, b) for key, a, b in pairs if a != b]
