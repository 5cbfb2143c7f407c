"""Units as other toolkits keep them: text.km, fairseq's manifest and .km, ark and scp."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from s2st_interleave.data.kaldi import write_table
from s2st_interleave.errors import UserError
from s2st_interleave.units import store

Format = Literal["text", "fairseq", "scp"]


def read(source: Path, kind: Format) -> dict[str, np.ndarray]:
    """int32 (num_units,) by utterance id; UserError naming file, line and utterance.

    text: `<id> <unit> <unit> ...` a line, as ESPnet's text.km. fairseq: `x.km` with
    units only, and beside it `x.tsv` whose first line is a folder and whose others
    are `<file> <samples>`; the file's name without its ending is the id. scp: `x.scp`
    beside `x.ark` of int vectors.
    """
    if not source.is_file():
        raise FileNotFoundError(f"{source} is missing; it holds the units")
    if kind == "scp":
        return _read_scp(source)
    lines = source.read_text(encoding="utf-8").splitlines()
    if kind == "text":
        rows = [line.split() for line in lines]
        empty = next((n for n, row in enumerate(rows, 1) if not row), None)
        if empty:
            raise UserError(f"{source}:{empty}: empty line")
        named = [(row[0], row[1:]) for row in rows]
    else:
        names = _manifest(source.with_suffix(".tsv"))
        if len(names) != len(lines):
            raise UserError(
                f"{source}: {len(lines)} lines, its manifest names {len(names)} files"
            )
        named = [(n, row.split()) for n, row in zip(names, lines, strict=True)]
    found: dict[str, np.ndarray] = {}
    for number, (utterance, words) in enumerate(named, 1):
        if utterance in found:
            raise UserError(f"{source}:{number}: utterance {utterance} occurs twice")
        try:
            found[utterance] = np.array([int(word) for word in words], dtype=np.int32)
        except ValueError:
            raise UserError(
                f"{source}:{number}: utterance {utterance}: not all are whole numbers"
            ) from None
    return found


def _manifest(path: Path) -> list[str]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the manifest beside the .km")
    _, *rows = path.read_text(encoding="utf-8").splitlines()
    return [Path(row.split("\t")[0]).stem for row in rows]


def _read_scp(source: Path) -> dict[str, np.ndarray]:
    units = store.read_units(source.with_suffix(""))
    for utterance, one in units.items():
        if one.ndim != 1 or not np.issubdtype(one.dtype, np.integer):
            raise UserError(
                f"{source}: utterance {utterance}: {one.dtype} of shape {one.shape}, "
                "wants a vector of integers"
            )
    return {utterance: one.astype(np.int32) for utterance, one in units.items()}


def write_text(path: Path, units: Mapping[str, np.ndarray]) -> None:
    """`<id> <unit> <unit> ...` a line, by id."""
    write_table(path, {k: " ".join(map(str, one)) for k, one in units.items()})
