"""The facts that a finished stage leaves to later stages in its `stage.json`, typed.

`TrainFacts.read(directory).tokens_seen` raises an error naming the stage that makes the
directory where that is not finished. Fields with a default may be missing in directories
of earlier versions.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from s2st_interleave import typed_json
from s2st_interleave.promises import DONE
from s2st_interleave.stage_dir import read_done


@dataclass(frozen=True)
class _Facts:
    """Facts of the command `made_by`, which writes the directory that holds them."""

    made_by: ClassVar[str]

    @classmethod
    def read(cls, directory: Path) -> Self:
        """The facts of a finished directory.

        Raises FileNotFoundError where it is not finished, UserError where a fact is
        missing or of another type.
        """
        return cls.of(read_done(directory, cls.made_by), directory)

    @classmethod
    def of(cls, done: Mapping[str, Any], directory: Path) -> Self:
        """The facts of a directory whose `stage.json` is `done`."""
        return typed_json.read(cls, done["facts"], str(directory / DONE), others=True)

    def to_json(self) -> dict[str, Any]:
        """The facts as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class KmeansFacts(_Facts):
    """A unit is `unit_sec` seconds long; None in directories of earlier versions."""

    made_by = "kmeans"
    unit_sec: float | None = None


@dataclass(frozen=True)
class UnitsFacts(_Facts):
    """Units of the codebook `kmeans`: `num_units` kinds, each `unit_sec` seconds long."""

    made_by = "units"
    num_units: int
    unit_sec: float
    kmeans: str | None = None


@dataclass(frozen=True)
class DumpFacts(_Facts):
    """`num_too_long` utterances are missing because the LLM `llm` has no room for them.

    `layout` names the blocks that were counted; None: speech and text of all sides.
    `kmeans` is the codebook of the units; None in directories of earlier versions.
    """

    made_by = "dump"
    num_too_long: int = 0
    llm: str | None = None
    layout: str | None = None
    kmeans: str | None = None


@dataclass(frozen=True)
class TrainFacts(_Facts):
    """Facts of stage 6; `last` and `best` are checkpoints.

    `tasks` maps a prompt name to a layout; it is None in directories of the version that
    could train only one task. `kmeans` is the codebook of the units, as in DumpFacts.
    """

    made_by = "train"
    last: str
    best: str
    num_steps: int
    tokens_seen: int
    train_sec: float
    tasks: dict[str, str] | None = None
    kmeans: str | None = None

    def checkpoint(self, which: str) -> str:
        """Name of the folder of the "last" or "best" checkpoint, in the experiment.

        It is no path: the experiment may have been moved.
        """
        return Path({"last": self.last, "best": self.best}[which]).name


@dataclass(frozen=True)
class DecodeFacts(_Facts):
    """Facts of stage 7: the checkpoint's folder, and the layout of the answers.

    `layout` is None in directories of the version that could decode only one task.
    `num_cut` is the number of answers written here that ended at their limit, by block,
    `kmeans` the codebook of the units, where the dump or the training tells.
    """

    made_by = "decode"
    checkpoint: str
    layout: str | None = None
    num_without_units: int = 0
    num_too_long: int = 0
    num_cut: dict[str, int] = field(default_factory=dict)
    kmeans: str | None = None


@dataclass(frozen=True)
class VocoderFacts(_Facts):
    """Facts of a vocoder: its codebook `kmeans`, and the audio samples that a unit gives."""

    made_by = "vocoder"
    backend: str
    num_units: int
    samples_per_unit: int
    train_sec: float
    kmeans: str | None = None
