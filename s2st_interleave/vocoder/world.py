"""The light back-end: units -> WORLD parameters -> pyworld's synthesis.

This file has its options; its network is in world_net.py, its training in regression.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2st_interleave.config import option
from s2st_interleave.train.options import AdamWOptions
from s2st_interleave.vocoder.analysis import FFT_SIZE
from s2st_interleave.vocoder.base import Sizes, Speech, TrainingOptions, Vocoder

if TYPE_CHECKING:
    import torch

    from s2st_interleave.train.loop import Outcome


@dataclass(frozen=True, kw_only=True)
class WorldSizes(Sizes):
    """Sizes of the network from units to WORLD parameters, in two resolutions of time."""

    unit_channels: int = option(256, "width at the rate of units", minimum=1)
    num_unit_blocks: int = option(
        4, "blocks there; 4 see +-12 units", minimum=0, maximum=1000
    )
    frame_channels: int = option(160, "width at the rate of frames", minimum=1)
    num_frame_blocks: int = option(4, "blocks there", minimum=0, maximum=1000)
    dropout: float = option(0.0, "in embeddings and blocks", minimum=0, below=1)
    frame_ms: float = option(10.0, "milliseconds of an analysis frame", above=0)
    num_cepstra: int = option(
        40,
        "coefficients of the spectral envelope",
        minimum=1,
        maximum=FFT_SIZE // 2 + 1,
    )


@dataclass(frozen=True, kw_only=True)
class Options(WorldSizes, AdamWOptions):
    """Sizes, and the options of the optimizer."""


def train(speech: Speech, block: Options, options: TrainingOptions) -> "Outcome":
    """As `Backend.train`."""
    from s2st_interleave.vocoder import regression

    return regression.train(speech, block, options)


def load(
    directory: Path, description: Mapping[str, Any], device: "torch.device | str"
) -> Vocoder:
    """As `Backend.load`."""
    from s2st_interleave.vocoder import world_net

    return world_net.WorldVocoder.load(directory, description, device)
