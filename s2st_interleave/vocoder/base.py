"""The interfaces of unit vocoders and of their back-ends in stage 8, and what they share.

All vocoders map every unit to a fixed number of samples. Units are not deduplicated, so
that no duration has to be predicted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from s2st_interleave.config import MOST_IN_BATCH, MOST_JOBS, REQUIRED, option
from s2st_interleave.errors import UserError
from s2st_interleave.files import write_json
from s2st_interleave.train.options import LoopOptions

if TYPE_CHECKING:
    import torch

    from s2st_interleave.train.loop import Outcome

VOCODER_FILE = "vocoder.json"
WEIGHTS_FILE = "model.safetensors"


class Vocoder(Protocol):
    """Turns units into a waveform."""

    sample_rate: int
    samples_per_unit: int  # 640 at 25 Hz, 320 at 50 Hz

    def synthesise(self, units: np.ndarray) -> np.ndarray:
        """Make float32 (num_units * samples_per_unit,) of int32 units (num_units,).

        Raises UserError where there are no units, or units outside the codebook.
        """
        ...


@dataclass(frozen=True)
class UnitTiming:
    """The number of units, and their length in samples: a part of a `vocoder.json`."""

    num_units: int
    samples_per_unit: int
    sample_rate: int


@dataclass(frozen=True)
class Speech:
    """Recordings of the voice to learn and their int32 units, both by utterance id."""

    timing: UnitTiming
    wavs: Mapping[str, Path]
    units: Mapping[str, np.ndarray]
    train: Sequence[str]
    dev: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(LoopOptions):
    """Options of every back-end's training, besides those in its own block."""

    out_dir: Path = option(REQUIRED, "exp/<vocoder> to write")
    lr: float = option(2e-4, "peak learning rate; hifigan's recipe has 2e-4", above=0)
    batch_size: int = option(
        16, "crops per optimizer step", minimum=1, maximum=MOST_IN_BATCH
    )
    nj: int = option(
        1,
        "processes that analyse recordings beforehand",
        runtime=True,
        minimum=1,
        maximum=MOST_JOBS,
    )


class Backend(Protocol):
    """One kind of vocoder: a module with these members.

    It is imported for `--help` too, which has to be quick: it imports torch only when it
    trains or loads.
    """

    Options: type  # a frozen dataclass with defaults, the block of options of this kind

    def train(self, speech: Speech, block: Any, options: TrainingOptions) -> "Outcome":
        """Learn a voice, and write to `options.out_dir` the files that `load` reads.

        `block` is an object of the module's `Options`. All ranks must call this together.
        """
        ...

    def load(
        self,
        directory: Path,
        description: Mapping[str, Any],
        device: "torch.device | str",
    ) -> Vocoder:
        """Load the vocoder of a directory; `description` is its `vocoder.json`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes that a network is built from: the other part of its `vocoder.json`."""

    crop_units: int = option(26, "units of a training example", minimum=1)
    embedding_dim: int = option(128, "of a unit; ours, the paper names none", minimum=1)

    @classmethod
    def of(cls, values: "Sizes | Mapping[str, Any]") -> Self:
        """Take these fields from options, which have more, or from a `vocoder.json`."""
        if not isinstance(values, Mapping):
            values = vars(values)
        sizes: dict[str, Any] = {}
        for field in fields(cls):
            value = values[field.name]
            sizes[field.name] = tuple(value) if isinstance(value, list) else value
        return cls(**sizes)


def save_description(
    directory: Path, backend: str, timing: UnitTiming, sizes: Any
) -> None:
    """Write a `vocoder.json`; `sizes` is a dataclass of all that `load` needs to know."""
    write_json(
        directory / VOCODER_FILE, {"backend": backend} | asdict(timing) | asdict(sizes)
    )


def read_timing(description: Mapping[str, Any]) -> UnitTiming:
    """The timing in a `vocoder.json`."""
    names = [field.name for field in fields(UnitTiming)]
    return UnitTiming(**{name: description[name] for name in names})


def check_units(units: np.ndarray, num_units: int) -> np.ndarray:
    """Return `units` as int64 (n,); UserError where no speech can be made of them."""
    units = np.asarray(units)
    if units.ndim != 1 or not np.issubdtype(units.dtype, np.integer):
        raise UserError(
            f"units are {units.dtype} of shape {units.shape}, want int (n,)"
        )
    if not len(units):
        raise UserError("no units")
    if units.min() < 0 or units.max() >= num_units:
        wrong = units[(units < 0) | (units >= num_units)][0]
        raise UserError(f"unit {wrong} is not one of 0..{num_units - 1}")
    return units.astype(np.int64)
