"""Units as other toolkits keep them: text.km, fairseq's manifest and .km, ark and scp."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from s2st_interleave.artifact import Input, digest
from s2st_interleave.data.kaldi import read_table, write_table
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


def fingerprint(source: Path, kind: Format) -> str:
    """Of all files that `read` reads: whose units they are counts as the units do."""
    content = Input(source).fingerprint()
    if kind == "fairseq":
        return digest([content, Input(source.with_suffix(".tsv")).fingerprint()])
    if kind == "scp":  # where the arks lie does not count, what lies where in them does
        table = {k: _place(value) for k, value in read_table(source).items()}
        arks = {ark: Input(Path(ark)).fingerprint() for ark, _ in table.values()}
        return digest([(k, arks[ark], rest) for k, (ark, rest) in table.items()])
    return content


def _place(value: str) -> tuple[str, str]:
    """File and what follows it: `x.ark:12`, `x.ark:12[0:3]`, or a file alone."""
    found = re.fullmatch(r"(.+?)(:\d+(\[.*\])?)?", value)
    return (found[1], found[2] or "") if found else (value, "")


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
