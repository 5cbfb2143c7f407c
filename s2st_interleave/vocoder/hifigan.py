"""The paper's back-end (Sec. 3.1): a unit embedding in front of ESPnet's HiFi-GAN.

This file has its options; its networks are in hifigan_net.py, its training is in gan.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2st_interleave.config import option
from s2st_interleave.errors import UserError
from s2st_interleave.vocoder.base import Sizes, Speech, TrainingOptions, Vocoder

if TYPE_CHECKING:
    import torch

    from s2st_interleave.train.loop import Outcome


GROUPS = 16  # of the convolutions of its discriminators, at most


@dataclass(frozen=True, kw_only=True)
class HifiganSizes(Sizes):
    """Sizes of the networks; defaults are ParallelWaveGAN's for LJSpeech, at 50 Hz.

    Raises UserError for sizes of which no network can be built.
    """

    channels: int = option(512, "width before the first upsampling", minimum=1)
    kernel_size: int = option(7, "of the first and the last convolution", minimum=1)
    upsample_scales: tuple[int, ...] = option(
        (5, 4, 4, 2, 2), "their product is the samples of a unit", minimum=1
    )
    resblock_kernel_sizes: tuple[int, ...] = option((3, 7, 11), "fusion", minimum=1)
    resblock_dilations: tuple[int, ...] = option((1, 3, 5), "of each block", minimum=1)
    discriminator_channels: int = option(128, "of each scale's first layer", minimum=1)
    period_channels: int = option(32, "of each period's first layer", minimum=1)
    max_discriminator_channels: int = option(1024, "of the later layers", minimum=1)
    num_mels: int = option(80, "of the mel loss", minimum=1)

    def __post_init__(self) -> None:
        for size in (self.kernel_size, *self.resblock_kernel_sizes):
            if size % 2 == 0:
                raise UserError(f"hifigan's kernels are of odd sizes, not {size}")
        least = 2 ** len(self.upsample_scales)  # each upsampling halves them
        if self.channels < least:
            raise UserError(f"channels {self.channels}: hifigan wants {least} or more")
        if 1 in self.upsample_scales:
            raise UserError(
                "upsample_scales: hifigan wants 2 or more, a 1 changes nothing"
            )
        for name in ("discriminator_channels", "max_discriminator_channels"):
            width = getattr(self, name)
            if width % GROUPS:
                raise UserError(f"{name} {width}: hifigan wants multiples of {GROUPS}")


@dataclass(frozen=True, kw_only=True)
class Options(HifiganSizes):
    """Sizes, weights of losses, the fall of the learning rate, and how it is computed."""

    lr_halve_every: int = option(
        200_000, "steps between halvings of lr, four at most", minimum=1
    )
    lambda_mel: float = option(45.0, "weight of the mel loss", minimum=0)
    lambda_feat_match: float = option(2.0, "weight of feature matching", minimum=0)
    lambda_adv: float = option(1.0, "weight of the adversarial loss", minimum=0)


def train(speech: Speech, block: Options, options: TrainingOptions) -> "Outcome":
    """As `Backend.train`."""
    from s2st_interleave.vocoder import gan

    return gan.train(speech, block, options)


def load(
    directory: Path, description: Mapping[str, Any], device: "torch.device | str"
) -> Vocoder:
    """As `Backend.load`."""
    from s2st_interleave.vocoder import hifigan_net

    return hifigan_net.HifiganVocoder.load(directory, description, device)
