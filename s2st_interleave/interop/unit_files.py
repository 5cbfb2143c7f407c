"""Units as other toolkits keep them: text.km, fairseq's manifest and .km, ark and scp."""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from s2st_interleave.data.kaldi import read_table, write_table
from s2st_interleave.errors import UserError
from s2st_interleave.record import digest
from s2st_interleave.stage_dir import Input
from s2st_interleave.text_file import read_lines
from s2st_interleave.units import store

Format = Literal["text", "fairseq", "scp"]


@dataclass(frozen=True)
class UnitFile:
    """int32 (num_units,) by name, and what is wrong with those that have none."""

    units: dict[str, np.ndarray]
    faults: dict[str, str]


def read(source: Path, kind: Format) -> UnitFile:
    """Units by the name that the file has; UserError where it is no such file.

    text: a name and its units a line, with a space, a tab or "|" between, or an object
    with "audio" and "hubert": ESPnet's text.km, textless-lib, fairseq's
    quantize_with_kmeans.py, speech-resynthesis. fairseq: `x.km` with units
    only, and beside it `x.tsv` whose first line is a folder and whose others are `<file>
    <samples>`; or an `x.km` with names and "|". scp: `x.scp` beside `x.ark` of vectors
    of integers.
    """
    if not source.is_file():
        raise FileNotFoundError(f"{source} is missing; it holds the units")
    if kind == "scp":
        return _read_scp(source)
    lines = [line for _, line in read_lines(source)]
    if kind == "text" or (lines and all("|" in line for line in lines)):
        return _read_text(source, map(_name_and_units, lines))
    names = _manifest(source.with_suffix(".tsv"))
    if len(names) != len(lines):
        raise UserError(
            f"{source}: {len(lines)} lines, its manifest names {len(names)} files"
        )
    return _read_text(source, zip(names, lines, strict=True))


def _read_text(source: Path, lines: Iterable[tuple[str, str]]) -> UnitFile:
    units: dict[str, np.ndarray] = {}
    faults: dict[str, str] = {}
    for number, (name, text) in enumerate(lines, 1):
        if not name:
            raise UserError(f"{source}:{number}: empty line")
        where = f"{source}:{number}: utterance {name}"
        if name in units:
            faults[name] = f"{where} occurs twice"
        try:
            units[name] = np.array([int(word) for word in text.split()], np.int32)
        except (ValueError, OverflowError):
            faults[name] = f"{where}: not all are whole numbers"
    return UnitFile({k: v for k, v in units.items() if k not in faults}, faults)


def _name_and_units(line: str) -> tuple[str, str]:
    """Of a line with a space, a tab or "|" between them; a name may have "|" in it."""
    if line.startswith("{"):
        return _of_object(line)
    name, bar, units = line.rpartition("|")
    if bar and (units.split() or ["0"])[0].lstrip("-").isdigit():
        return name.strip(), units
    name, _, units = line.strip().partition("\t" if "\t" in line.strip() else " ")
    return name.strip(), units


def _of_object(line: str) -> tuple[str, str]:
    """Of `{"audio": "a.wav", "hubert": "71 8"}`, as speech-resynthesis writes Python's."""
    try:
        found = ast.literal_eval(line)
        name = next(found[key] for key in ("id", "audio", "name") if key in found)
        units = next(found[key] for key in ("units", "hubert", "code") if key in found)
    except (ValueError, SyntaxError, TypeError, StopIteration):
        return line, "no object with a name and units"
    return str(name), units if isinstance(units, str) else " ".join(map(str, units))


def fingerprint(source: Path, kind: Format) -> str:
    """Of all files that `read` reads: whose units they are counts as the units do."""
    content = Input(source).fingerprint()
    manifest = source.with_suffix(".tsv")
    if kind == "fairseq" and manifest.is_file():  # names may be in the .km itself
        return digest([content, Input(manifest).fingerprint()])
    if kind == "scp":  # where the arks lie does not count, what lies where in them does
        table = {k: _place(value) for k, value in _places(source).items()}
        arks = {ark: Input(Path(ark)).fingerprint() for ark, _ in table.values()}
        return digest([(k, arks[ark], rest) for k, (ark, rest) in table.items()])
    return content


def _places(source: Path) -> dict[str, str]:
    table = read_table(source)
    for name, place in table.items():
        if place.strip().endswith("|"):
            raise UserError(
                f"{source}: {name} is a pipe ('{place}'), which is not run: write an ark"
            )
    return table


def _place(value: str) -> tuple[str, str]:
    """File and what follows it: `x.ark:12`, `x.ark:12[0:3]`, or a file alone."""
    found = re.fullmatch(r"(.+?)(:\d+(\[.*\])?)?", value)
    return (found[1], found[2] or "") if found else (value, "")


def _manifest(path: Path) -> list[str]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the manifest beside the .km")
    _, *rows = (line for _, line in read_lines(path))
    return [row.split("\t")[0] for row in rows]


def _read_scp(source: Path) -> UnitFile:
    _places(source)
    units, faults = store.read_units(source.with_suffix("")), {}
    for name, vector in units.items():
        if vector.ndim != 1 or not np.issubdtype(vector.dtype, np.integer):
            faults[name] = (
                f"{source}: utterance {name}: {vector.dtype} of shape {vector.shape}, "
                "wants a vector of integers"
            )
    sound = {k: v.astype(np.int32) for k, v in units.items() if k not in faults}
    return UnitFile(sound, faults)


def write_text(path: Path, units: Mapping[str, np.ndarray]) -> None:
    """`<id> <unit> <unit> ...` a line, by id."""
    write_table(path, {k: " ".join(map(str, one)) for k, one in units.items()})
