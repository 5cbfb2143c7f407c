"""The light back-end's network, and the vocoder that it makes with pyworld.

regression.py trains the network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from s2st_interleave.data import audio
from s2st_interleave.errors import UserError
from s2st_interleave.vocoder import analysis
from s2st_interleave.vocoder.base import (
    WEIGHTS_FILE,
    UnitTiming,
    check_units,
    read_timing,
)
from s2st_interleave.vocoder.world import WorldSizes
from s2st_interleave.weights import reading

KERNEL_SIZE = 7


class Block(nn.Module):
    """A ConvNeXt block over (batch, length, channels); padding stays zero."""

    def __init__(self, channels: int, dropout: float):
        super().__init__()
        half = KERNEL_SIZE // 2
        self.mix_time = nn.Conv1d(
            channels, channels, KERNEL_SIZE, padding=half, groups=channels
        )
        self.norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, 2 * channels)
        self.narrow = nn.Linear(2 * channels, channels)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        mixed = self.mix_time(x.transpose(1, 2)).transpose(1, 2)
        update = self.narrow(functional.gelu(self.widen(self.norm(mixed))))
        return (x + self.drop(update)) * mask


class WorldNet(nn.Module):
    """Units (batch, num_units) -> normalised WORLD parameters of every frame.

    Blocks at the rate of units give the context, since units are coarse and their sound
    depends on their neighbours. Blocks at the rate of frames give the detail.
    """

    def __init__(self, timing: UnitTiming, sizes: WorldSizes):
        super().__init__()
        self.frames_per_unit = frames_per_unit(timing, sizes)
        self.padding = timing.num_units
        num_columns = analysis.CEPSTRA + sizes.num_cepstra
        wide, fine = sizes.unit_channels, sizes.frame_channels
        self.embed = nn.Embedding(timing.num_units + 1, sizes.embedding_dim)
        self.drop = nn.Dropout(sizes.dropout)
        self.enter = nn.Linear(sizes.embedding_dim, wide)
        self.unit_blocks = nn.ModuleList(
            Block(wide, sizes.dropout) for _ in range(sizes.num_unit_blocks)
        )
        self.spread = nn.Linear(wide, self.frames_per_unit * fine)
        self.frame_blocks = nn.ModuleList(
            Block(fine, sizes.dropout) for _ in range(sizes.num_frame_blocks)
        )
        self.norm = nn.LayerNorm(fine)
        self.leave = nn.Linear(fine, num_columns)
        self.register_buffer("mean", torch.zeros(num_columns))
        self.register_buffer("std", torch.ones(num_columns))
        self.register_buffer("gain", torch.ones(sizes.num_cepstra))

    def forward(self, units: torch.Tensor) -> torch.Tensor:
        """Float (batch, num_units * frames_per_unit, columns); voicing is a logit.

        `units` are int64 (batch, num_units), padded with `self.padding`.
        """
        mask = (units != self.padding).unsqueeze(-1).float()
        x = self.enter(self.drop(self.embed(units))) * mask
        for block in self.unit_blocks:
            x = block(x, mask)
        mask = mask.repeat_interleave(self.frames_per_unit, dim=1)
        x = self.spread(x).unflatten(2, (self.frames_per_unit, -1)).flatten(1, 2) * mask
        for block in self.frame_blocks:
            x = block(x, mask)
        return self.leave(self.norm(x))

    def frames(self, units: torch.Tensor) -> torch.Tensor:
        """WORLD parameters (num_frames, columns) of one utterance's units (num_units,).

        A regressed envelope moves less than a spoken one and sounds muffled; `gain`
        stretches it about its mean to the variance of speech (Toda's global variance).
        """
        columns = self(units[None])[0]
        frames = columns * self.std + self.mean
        frames[:, analysis.VOICED] = torch.sigmoid(columns[:, analysis.VOICED])
        centre = frames[:, analysis.CEPSTRA :].mean(dim=0)
        moved = frames[:, analysis.CEPSTRA :] - centre
        frames[:, analysis.CEPSTRA :] = centre + self.gain * moved
        return frames


def frames_per_unit(timing: UnitTiming, sizes: WorldSizes) -> int:
    """The frames of a unit; UserError where it is not a whole number of them."""
    samples = timing.sample_rate * sizes.frame_ms / 1000
    if timing.sample_rate != audio.SAMPLE_RATE:
        raise UserError(f"world: wants 16 kHz, not {timing.sample_rate} Hz")
    number = timing.samples_per_unit / samples
    if abs(number - round(number)) > 1e-6 * number:
        raise UserError(
            f"frame_ms {sizes.frame_ms}: {timing.samples_per_unit} samples of a unit are "
            f"no multiple of the {samples:g} of a frame"
        )
    return round(number)


@dataclass
class WorldVocoder:
    """A trained WorldNet and pyworld (vocoder/base.py's `Vocoder`)."""

    model: WorldNet
    timing: UnitTiming
    sizes: WorldSizes
    device: torch.device | str

    def __post_init__(self) -> None:
        self.sample_rate = self.timing.sample_rate
        self.samples_per_unit = self.timing.samples_per_unit

    @classmethod
    def load(
        cls, directory: Path, description: Mapping[str, Any], device: torch.device | str
    ) -> "WorldVocoder":
        timing, sizes = read_timing(description), WorldSizes.of(description)
        model = WorldNet(timing, sizes)
        with reading(directory / WEIGHTS_FILE):
            model.load_state_dict(load_file(directory / WEIGHTS_FILE))
        return cls(model.to(device).eval(), timing, sizes, device)

    def synthesise(self, units: np.ndarray) -> np.ndarray:
        """Make float32 (num_units * samples_per_unit,) of int (num_units,)."""
        units = check_units(units, self.timing.num_units)
        with torch.inference_mode():
            frames = self.model.frames(torch.from_numpy(units).to(self.device))
        length = len(units) * self.samples_per_unit
        return analysis.synthesise(frames.cpu().numpy(), self.sizes.frame_ms, length)
