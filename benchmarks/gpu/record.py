"""The JSON that a piece writes, and reads back for the table."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from s2st_interleave import typed_json
from s2st_interleave.files import read_json, write_json
from s2st_interleave.provenance import git_state

if TYPE_CHECKING:
    import torch

PACKAGES = ("torch", "transformers", "accelerate")
STATES = ("finished", "stopped", "failed")


@dataclass(frozen=True)
class Figure:
    """One row of the table.

    `ours` and `other` are in `unit`, more is better; `ratio` is the median of the ratios of
    neighbouring turns with its lowest and highest value, above 1 where ours is better.
    `mfu` is the share (0 to 1) of the card's peak of the data sheet, counted as `work` says;
    None where the card is unknown. Memory is the highest that torch had allocated, beyond
    what lay on the card before; None on a CPU. `planned_gb` is what plan/memory.py says.
    """

    unit: str
    ours: float
    other: float | None = None
    against: str = ""
    ratio: float | None = None
    lowest: float | None = None
    highest: float | None = None
    mfu: float | None = None
    other_mfu: float | None = None
    work: str = ""
    peak_gb: float | None = None
    other_peak_gb: float | None = None
    planned_gb: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Record:
    """What a piece has measured, by row, and on what.

    `state` is "finished", "stopped" (by its time limit, or killed: the rows are those that
    it had) or "failed", with the reason.
    """

    piece: str
    size: str
    state: str
    reason: str
    device: str
    versions: Mapping[str, str]
    git: str
    seconds: float
    figures: Mapping[str, Figure] = field(default_factory=dict)


def machine(device: "torch.device") -> tuple[str, dict[str, str]]:
    """The device's name, and versions of Python and of the packages that compute."""
    name = platform.processor() or platform.machine()
    if device.type == "cuda":
        import torch

        name = torch.cuda.get_device_name(device)
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return name, versions


def begun(piece: str, size: str, device: "torch.device") -> Record:
    """The record of a piece that has just begun, and counts as stopped until it ends."""
    name, versions = machine(device)
    reason = "it did not end: its time limit, or it was killed"
    git = git_state()
    state = f"{git['hash']}{', changed' if git['dirty'] else ''}"
    return Record(piece, size, "stopped", reason, name, versions, state, 0.0)


def write(folder: Path, record: Record) -> None:
    """Write <folder>/<piece>.json, by rename."""
    write_json(folder / f"{record.piece}.json", asdict(record))


def read(path: Path) -> Record:
    """Read what `write` wrote; UserError where a key or a type is wrong."""
    record = typed_json.read(Record, read_json(path), str(path))
    assert record.state in STATES, f"{path}: state {record.state}"
    return record
