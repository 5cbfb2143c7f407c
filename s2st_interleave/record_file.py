"""The record of a stage as it lies on disk: `stage.json`, or `stage.open.json`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2st_interleave import typed_json
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json

# What readers rely on, wherever it is there: earlier versions did not write all of it.
Table = Mapping[str, object]
KINDS = {
    "stage": str,
    "fingerprint": str,
    "options": Table,
    "paths": Table,
    "inputs": Mapping[str, str],
    "files": Mapping[str, int],
    "digests": Mapping[str, str],
    "audio_bytes": int,
    "counts": {"in": int, "out": int, "dropped": Mapping[str, int]},
    "facts": Table,
    "bytes": int,
    "wall_sec": float,
}


def read(path: Path) -> dict[str, Any]:
    """The record in the file `path`; UserError, naming it, where it is none.

    The files that it names lie in its directory or beside it, as no other is of a stage.
    """
    done = read_json(path)
    try:
        _check(KINDS, done, str(path))
    except UserError as error:
        raise UserError(f"{error}; was it edited?") from None
    directory = os.path.abspath(path.parent)
    for name in (*done.get("files", ()), *done.get("digests", ())):
        file = os.path.normpath(os.path.join(directory, name))
        beside = os.path.dirname(file) == os.path.dirname(directory)
        if file == directory or not (file.startswith(f"{directory}/") or beside):
            raise UserError(
                f"{path}: it names the file {name}, which lies neither in {path.parent} "
                "nor beside it: no stage has written this record; move it away"
            )
    return done


def _check(kinds: Mapping[str, Any], content: Mapping[str, Any], where: str) -> None:
    for name in (name for name in kinds if name in content):
        kind, key = kinds[name], f"{where}: {name}"
        if isinstance(kind, dict):
            _check(kind, typed_json.typed(Table, content[name], key), key)
        else:
            typed_json.typed(kind, content[name], key)
