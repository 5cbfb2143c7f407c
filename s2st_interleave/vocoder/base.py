"""What every unit vocoder does, and what a back-end of stage 8 offers.

All map every unit to a fixed number of samples: units are not deduplicated, so that no
duration has to be predicted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.errors import UserError
from s2st_interleave.files import write_json
from s2st_interleave.train.options import LoopOptions

if TYPE_CHECKING:
    import torch

    from s2st_interleave.train.loop import Outcome

VOCODER_FILE = "vocoder.json"
WEIGHTS_FILE = "model.safetensors"
S = TypeVar("S", bound="Sizes")


class Vocoder(Protocol):
    """Units to a waveform; what `load` returns."""

    sample_rate: int
    samples_per_unit: int  # 640 at 25 Hz, 320 at 50 Hz

    def synthesise(self, units: np.ndarray) -> np.ndarray:
        """Float32 (num_units * samples_per_unit,) of int32 units (num_units,).

        Raises UserError for no units at all and for units that are none.
        """
        ...


@dataclass(frozen=True)
class UnitTiming:
    """How units lie in time and how many there are: a part of a `vocoder.json`."""

    num_units: int
    samples_per_unit: int
    sample_rate: int


@dataclass(frozen=True)
class Speech:
    """Recordings of the voice to learn and their units, both by utterance id."""

    timing: UnitTiming
    wavs: Mapping[str, Path]
    units: Mapping[str, np.ndarray]
    train: Sequence[str]
    dev: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(LoopOptions):
    """What every back-end's training follows, besides options of its own."""

    out_dir: Path = option(REQUIRED, "exp/<vocoder> to write")
    lr: float = option(2e-4, "peak learning rate; hifigan's recipe has 2e-4", above=0)
    batch_size: int = option(16, "crops per optimizer step", minimum=1)
    nj: int = option(
        1, "processes of what is made of recordings beforehand", runtime=True, minimum=1
    )


class Backend(Protocol):
    """One kind of vocoder: a module that offers these. It is imported for `--help` too,
    which has to be quick: torch is imported where it is needed.
    """

    Options: type  # a frozen dataclass with defaults, the block of options of this kind

    def train(self, speech: Speech, own: Any, options: TrainingOptions) -> "Outcome":
        """Learn a voice, `own` being the Options; leave in `options.out_dir` what `load` reads.

        All ranks come here together.
        """
        ...

    def load(
        self,
        directory: Path,
        description: Mapping[str, Any],
        device: "torch.device | str",
    ) -> Vocoder:
        """The vocoder in a directory whose `vocoder.json` says `description`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What a network is built from: the other part of its `vocoder.json`."""

    crop_units: int = option(26, "units of a training example", minimum=1)
    embedding_dim: int = option(128, "of a unit; ours, the paper names none", minimum=1)

    @classmethod
    def of(cls: type[S], values: Any) -> S:
        """These fields of options (an object) or of a `vocoder.json` (a mapping)."""
        if not isinstance(values, Mapping):
            return cls(**{f.name: getattr(values, f.name) for f in fields(cls)})
        sizes = {field.name: values[field.name] for field in fields(cls)}
        return cls(
            **{k: tuple(v) if isinstance(v, list) else v for k, v in sizes.items()}
        )


def save_description(
    directory: Path, backend: str, timing: UnitTiming, sizes: Any
) -> None:
    """Write what `load` needs besides weights; `sizes` is a dataclass, say a `Sizes`."""
    write_json(
        directory / VOCODER_FILE, {"backend": backend} | asdict(timing) | asdict(sizes)
    )


def read_timing(description: Mapping[str, Any]) -> UnitTiming:
    names = [field.name for field in fields(UnitTiming)]
    return UnitTiming(**{name: description[name] for name in names})


def check_units(units: np.ndarray, num_units: int) -> np.ndarray:
    """`units` as int64 (num_units,); UserError where no speech can be made of them."""
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
