"""The networks of the paper's vocoder (Sec. 3.1): a unit embedding, then ESPnet's HiFi-GAN.

`espnet2.gan_tts.hifigan` is the port of ParallelWaveGAN by its own author. Units are
not deduplicated, so that there is no duration predictor. gan.py trains the networks.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from espnet2.gan_tts.hifigan import (
    HiFiGANGenerator,
    HiFiGANMultiScaleMultiPeriodDiscriminator,
)
from safetensors.torch import load_file, save
from torch import nn

from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.vocoder.base import (
    VOCODER_FILE,
    WEIGHTS_FILE,
    UnitTiming,
    check_units,
    read_timing,
)
from s2st_interleave.vocoder.hifigan import HifiganSizes
from s2st_interleave.weights import reading

GENERATOR = "generator."  # prefix of the names of its weights in a checkpoint

# ESPnet calls it; the name that torch prefers has other names of weights.
warnings.filterwarnings("ignore", message="`torch.nn.utils.weight_norm` is deprecated")


class UnitGenerator(nn.Module):
    """Units (batch, num_units) -> samples (batch, 1, num_units * samples_per_unit).

    Raises UserError where the upsampling does not make the samples of a unit.
    """

    def __init__(self, timing: UnitTiming, sizes: HifiganSizes):
        super().__init__()
        scales = sizes.upsample_scales
        if prod(scales) != timing.samples_per_unit:
            raise UserError(
                f"upsample_scales {' '.join(map(str, scales))} make {prod(scales)} "
                f"samples of a unit, which has {timing.samples_per_unit}"
            )
        self.embed = nn.Embedding(timing.num_units, sizes.embedding_dim)
        self.network = HiFiGANGenerator(
            in_channels=sizes.embedding_dim,
            channels=sizes.channels,
            kernel_size=sizes.kernel_size,
            upsample_scales=list(scales),
            upsample_kernel_sizes=[2 * scale for scale in scales],
            resblock_kernel_sizes=list(sizes.resblock_kernel_sizes),
            resblock_dilations=[
                list(sizes.resblock_dilations) for _ in sizes.resblock_kernel_sizes
            ],
        )

    def forward(self, units: torch.Tensor) -> torch.Tensor:
        return self.network(self.embed(units).transpose(1, 2))


class Gan(nn.Module):
    """Both networks, so that a checkpoint is one file of weights."""

    def __init__(self, timing: UnitTiming, sizes: HifiganSizes):
        super().__init__()
        self.generator = UnitGenerator(timing, sizes)
        common = {"max_downsample_channels": sizes.max_discriminator_channels}
        self.discriminator = HiFiGANMultiScaleMultiPeriodDiscriminator(
            scale_discriminator_params=common
            | {
                "channels": sizes.discriminator_channels,
                "downsample_scales": [4, 4, 4, 4, 1],
            },
            period_discriminator_params=common
            | {
                "channels": sizes.period_channels,
                "downsample_scales": [3, 3, 3, 3, 1],
            },
        )


def export(checkpoint: Path, directory: Path) -> None:
    """Write the generator of a checkpoint alone, as a vocoder that `load` reads."""
    weights = load_file(checkpoint / WEIGHTS_FILE)
    kept = {k: v for k, v in weights.items() if k.startswith(GENERATOR)}
    with atomic_write(directory / WEIGHTS_FILE, "wb") as stream:
        stream.write(save(kept))
    with atomic_write(directory / VOCODER_FILE, "wb") as stream:
        stream.write((checkpoint / VOCODER_FILE).read_bytes())


@dataclass
class HifiganVocoder:
    """A trained generator (vocoder/base.py's `Vocoder`)."""

    model: UnitGenerator
    timing: UnitTiming
    device: torch.device | str

    def __post_init__(self) -> None:
        self.sample_rate = self.timing.sample_rate
        self.samples_per_unit = self.timing.samples_per_unit

    @classmethod
    def load(
        cls, directory: Path, description: Mapping[str, Any], device: torch.device | str
    ) -> "HifiganVocoder":
        timing = read_timing(description)
        model = UnitGenerator(timing, HifiganSizes.of(description))
        with reading(directory / WEIGHTS_FILE):
            weights = load_file(directory / WEIGHTS_FILE)
            model.load_state_dict(
                {
                    name.removeprefix(GENERATOR): weight
                    for name, weight in weights.items()
                    if name.startswith(GENERATOR)
                }
            )
        # Weight norm only helps training; without it synthesis is faster.
        model.network.remove_weight_norm()
        return cls(model.to(device).eval(), timing, device)

    def synthesise(self, units: np.ndarray) -> np.ndarray:
        """Make float32 (num_units * samples_per_unit,) of int (num_units,)."""
        units = check_units(units, self.timing.num_units)
        with torch.inference_mode():
            wave = self.model(torch.from_numpy(units)[None].to(self.device))
        return wave[0, 0].cpu().numpy()
