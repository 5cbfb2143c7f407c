"""What every unit vocoder does, the sizes of the two there are, and how one is loaded.

`hifigan` is the paper's (Sec. 3.1); `world` is a light one that trains in minutes on a
CPU core. Both map every unit to a fixed number of samples: units are not deduplicated,
so that no duration has to be predicted.
"""

from dataclasses import asdict, dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from s2st_interleave.config import nearest, option
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json, write_json

VOCODER_FILE = "vocoder.json"
WEIGHTS_FILE = "model.safetensors"
BACKENDS = {
    "world": ("s2st_interleave.vocoder.world", "WorldVocoder"),
    "hifigan": ("s2st_interleave.vocoder.hifigan", "HifiganVocoder"),
}
S = TypeVar("S", bound="Sizes")


class Vocoder(Protocol):
    """Units to a waveform; what `load` returns."""

    sample_rate: int
    samples_per_unit: int  # 640 at 25 Hz, 320 at 50 Hz

    def synthesise(self, units: np.ndarray) -> np.ndarray:
        """Float32 (num_units * samples_per_unit,) of int32 units (num_units,).

        Raises UserError for no units at all and for units that are none.
        """


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What both backends are built from: a part of their `vocoder.json`."""

    crop_units: int = option(26, "units of a training example", minimum=1)
    embedding_dim: int = option(128, "of a unit; ours, the paper names none", minimum=1)

    @classmethod
    def of(cls: type[S], values: Any) -> S:
        """These fields of options (an object) or of a `vocoder.json` (a mapping)."""
        if not isinstance(values, dict):
            return cls(**{f.name: getattr(values, f.name) for f in fields(cls)})
        found = {field.name: values[field.name] for field in fields(cls)}
        return cls(
            **{k: tuple(v) if isinstance(v, list) else v for k, v in found.items()}
        )


@dataclass(frozen=True, kw_only=True)
class WorldSizes(Sizes):
    """The light backend's: units -> WORLD parameters, two resolutions in time."""

    unit_channels: int = option(256, "world: width at the rate of units", minimum=1)
    num_unit_blocks: int = option(4, "world: blocks there; 4 see +-12 units", minimum=0)
    frame_channels: int = option(160, "world: width at the rate of frames", minimum=1)
    num_frame_blocks: int = option(4, "world: blocks there", minimum=0)
    dropout: float = option(0.0, "world: in embeddings and blocks", minimum=0, below=1)
    frame_ms: float = option(10.0, "world: milliseconds of an analysis frame", above=0)
    num_cepstra: int = option(
        40, "world: coefficients of the spectral envelope", minimum=1
    )


@dataclass(frozen=True, kw_only=True)
class HifiganSizes(Sizes):
    """The paper's backend; defaults are ParallelWaveGAN's LJSpeech recipe at 50 Hz."""

    channels: int = option(512, "hifigan: width before the first upsampling", minimum=1)
    kernel_size: int = option(
        7, "hifigan: of the first and the last convolution", minimum=1
    )
    upsample_scales: tuple[int, ...] = option(
        (5, 4, 4, 2, 2), "hifigan: their product is the samples of a unit", minimum=1
    )
    resblock_kernel_sizes: tuple[int, ...] = option(
        (3, 7, 11), "hifigan: fusion", minimum=1
    )
    resblock_dilations: tuple[int, ...] = option(
        (1, 3, 5), "hifigan: of each block", minimum=1
    )
    discriminator_channels: int = option(
        128, "hifigan: of each scale's first layer", minimum=1
    )
    period_channels: int = option(
        32, "hifigan: of each period's first layer", minimum=1
    )
    max_discriminator_channels: int = option(
        1024, "hifigan: of the later layers", minimum=1
    )
    num_mels: int = option(80, "hifigan: of the mel loss", minimum=1)

    def __post_init__(self) -> None:
        for size in (self.kernel_size, *self.resblock_kernel_sizes):
            if size % 2 == 0:
                raise UserError(f"hifigan's kernels are of odd sizes, not {size}")
        least = 2 ** len(self.upsample_scales)  # each upsampling halves them
        if self.channels < least:
            raise UserError(f"channels {self.channels}: hifigan wants {least} or more")


@dataclass(frozen=True)
class Rate:
    """How units lie in time and how many there are: the other part of the file."""

    num_units: int
    samples_per_unit: int
    sample_rate: int


def save_description(directory: Path, backend: str, rate: Rate, sizes: Sizes) -> None:
    write_json(
        directory / VOCODER_FILE, {"backend": backend} | asdict(rate) | asdict(sizes)
    )


def read_rate(description: dict[str, Any]) -> Rate:
    return Rate(**{field.name: description[field.name] for field in fields(Rate)})


def load(directory: Path, device: Any = "cpu") -> Vocoder:
    """The trained vocoder in `directory`: a stage's, or one of its checkpoints.

    Raises UserError when there is none, or one of a backend that does not exist.
    """
    path = directory / VOCODER_FILE
    if not path.is_file():
        raise UserError(f"{directory}: no vocoder here, {VOCODER_FILE} is missing")
    description = read_json(path)
    name = description.get("backend")
    if name not in BACKENDS:
        near = nearest(str(name), BACKENDS)
        raise UserError(f"{path}: unknown backend '{name}'{near}")
    module, cls = BACKENDS[name]
    return getattr(import_module(module), cls).load(directory, description, device)


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
