"""Reads units that other toolkits wrote: text.km, fairseq's manifest and .km, ark, scp."""

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
    """Units by name, int32 (num_units,), and faults of names without units."""

    units: dict[str, np.ndarray]
    faults: dict[str, str]


def read(source: Path, kind: Format) -> UnitFile:
    """Units by the names in the file; UserError where it is not of the kind.

    text: a name and its units a line, with a space, a tab or "|" between, or an object
    with "audio" and "hubert". ESPnet's text.km, textless-lib, fairseq's
    quantize_with_kmeans.py and speech-resynthesis write these.
    fairseq: `x.km` with units alone and beside it `x.tsv`, whose first line is a folder and
    whose others are `<file> <samples>`; or an `x.km` with names and "|".
    scp: `x.scp` beside `x.ark` of vectors of integers.
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
            if "_" in text:  # Python's own 1_000
                raise ValueError
            units[name] = np.array([int(word) for word in text.split()], np.int32)
        except (ValueError, OverflowError):
            faults[name] = f"{where}: not all are whole numbers"
    return UnitFile({k: v for k, v in units.items() if k not in faults}, faults)


def _name_and_units(line: str) -> tuple[str, str]:
    """Split a line at the space, tab or "|" between them; a name may have "|" in it."""
    if line.startswith("{"):
        return _object_name_and_units(line)
    name, _, units = line.rpartition("|")
    if name.strip() and (units.split() or ["0"])[0].lstrip("-").isdigit():
        return name.strip(), units
    name, _, units = line.strip().partition("\t" if "\t" in line.strip() else " ")
    return name.strip(), units


def _object_name_and_units(line: str) -> tuple[str, str]:
    """Name and units in the text of a dict, as speech-resynthesis writes it."""
    try:
        entry = ast.literal_eval(line)
        name = next(entry[key] for key in ("id", "audio", "name") if key in entry)
        units = next(entry[key] for key in ("units", "hubert", "code") if key in entry)
    except (
        *(ValueError, SyntaxError, TypeError, StopIteration),
        *(RecursionError, MemoryError),  # brackets within brackets
    ):
        return line, "no object with a name and units"
    return str(name), units if isinstance(units, str) else " ".join(map(str, units))


def fingerprint(source: Path, kind: Format) -> str:
    """Hash of all files that `read` reads, those with the names as well."""
    content = Input(source).fingerprint()
    manifest = source.with_suffix(".tsv")
    if kind == "fairseq" and manifest.is_file():  # names may be in the .km itself
        return digest([content, Input(manifest).fingerprint()])
    if kind == "scp":  # arks may be moved: their content and the places in them count
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
    """File and place in it, from `x.ark:12`, `x.ark:12[0:3]`, or a file alone."""
    match = re.fullmatch(r"(.+?)(:\d+(\[.*\])?)?", value)
    return (match[1], match[2] or "") if match else (value, "")


def _manifest(path: Path) -> list[str]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the manifest beside the .km")
    rows = [line for _, line in read_lines(path)]
    return [row.split("\t")[0] for row in rows[1:]]


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
    """Write units (num_units,) by id as lines of `<id> <unit> <unit> ...`."""
    write_table(path, {k: " ".join(map(str, vector)) for k, vector in units.items()})
