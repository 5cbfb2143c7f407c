"""What a finished stage tells the stages after it: the `facts` of its `stage.json`, typed.

`TrainFacts.read(directory).tokens_seen` raises UserError, naming the stage that makes it,
where the directory is not finished. A field with a default came later: directories of
earlier versions have it not.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from s2st_interleave import typed_json
from s2st_interleave.promises import DONE
from s2st_interleave.stage_dir import read_done


class _Facts:
    """Facts of one command, which has written the directory that they are read from."""

    made_by: ClassVar[str]

    @classmethod
    def read(cls, directory: Path) -> Self:
        return cls.of(read_done(directory, cls.made_by), directory)

    @classmethod
    def of(cls, done: Mapping[str, Any], directory: Path) -> Self:
        """The same of a `stage.json` that was read before."""
        return typed_json.read(cls, done["facts"], str(directory / DONE), others=True)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)  # type: ignore[call-overload]


@dataclass(frozen=True)
class UnitsFacts(_Facts):
    """`num_units` different ones, each `unit_sec` seconds long, of the codebook `kmeans`."""

    made_by = "units"
    num_units: int
    unit_sec: float
    kmeans: str | None = None


@dataclass(frozen=True)
class DumpFacts(_Facts):
    """`num_too_long` utterances are missing because the LLM `llm` has no room for them.

    `layout` names the blocks that were counted; None: speech and text of all sides.
    """

    made_by = "dump"
    num_too_long: int = 0
    llm: str | None = None
    layout: str | None = None


@dataclass(frozen=True)
class TrainFacts(_Facts):
    """Of stage 6; `last` and `best` are checkpoints, `tasks` maps a prompt name to a layout.

    `tasks` is None where the version that trained knew one task alone.
    """

    made_by = "train"
    last: str
    best: str
    num_steps: int
    tokens_seen: int
    train_sec: float
    tasks: dict[str, str] | None = None

    def checkpoint(self, which: str) -> str:
        """The folder's name of "last" or "best": the experiment may have been moved since."""
        return Path({"last": self.last, "best": self.best}[which]).name


@dataclass(frozen=True)
class DecodeFacts(_Facts):
    """The folder of the checkpoint that answered, and the layout of its answers.

    `layout` is None where the version that decoded knew one task alone.
    """

    made_by = "decode"
    checkpoint: str
    layout: str | None = None
    num_without_units: int = 0
    num_too_long: int = 0


@dataclass(frozen=True)
class VocoderFacts(_Facts):
    """Of a vocoder: the codebook whose units it speaks, and how many samples one has."""

    made_by = "vocoder"
    backend: str
    num_units: int
    samples_per_unit: int
    train_sec: float
    kmeans: str | None = None
