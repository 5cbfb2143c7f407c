"""The light backend: units -> WORLD parameters by regression -> pyworld's synthesis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_model
from torch import nn
from torch.nn import functional

from s2st_interleave import keyed
from s2st_interleave.data import audio
from s2st_interleave.train.batches import batch_at, split
from s2st_interleave.vocoder import analysis
from s2st_interleave.vocoder.base import (
    WEIGHTS_FILE,
    Rate,
    WorldSizes,
    check_units,
    read_rate,
    save_description,
)

KERNEL_SIZE = 7


class Block(nn.Module):
    """A ConvNeXt block over (batch, length, channels); padding stays zero."""

    def __init__(self, channels: int):
        super().__init__()
        half = KERNEL_SIZE // 2
        self.mix_time = nn.Conv1d(
            channels, channels, KERNEL_SIZE, padding=half, groups=channels
        )
        self.norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, 2 * channels)
        self.narrow = nn.Linear(2 * channels, channels)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        mixed = self.mix_time(x.transpose(1, 2)).transpose(1, 2)
        update = self.narrow(functional.gelu(self.widen(self.norm(mixed))))
        return (x + update) * mask


class WorldNet(nn.Module):
    """Units (batch, num_units) -> normalised WORLD parameters of every frame.

    Blocks at the rate of units give the context (units are coarse, and what sounds in
    one depends on its neighbours), those at the rate of frames the detail.
    """

    def __init__(self, rate: Rate, sizes: WorldSizes):
        super().__init__()
        self.frames_per_unit = frames_per_unit(rate, sizes)
        self.padding = rate.num_units
        num_columns = analysis.CEPSTRA + sizes.num_cepstra
        wide, fine = sizes.unit_channels, sizes.frame_channels
        self.embed = nn.Embedding(rate.num_units + 1, sizes.embedding_dim)
        self.enter = nn.Linear(sizes.embedding_dim, wide)
        self.unit_blocks = nn.ModuleList(
            Block(wide) for _ in range(sizes.num_unit_blocks)
        )
        self.spread = nn.Linear(wide, self.frames_per_unit * fine)
        self.frame_blocks = nn.ModuleList(
            Block(fine) for _ in range(sizes.num_frame_blocks)
        )
        self.norm = nn.LayerNorm(fine)
        self.leave = nn.Linear(fine, num_columns)
        self.register_buffer("mean", torch.zeros(num_columns))
        self.register_buffer("std", torch.ones(num_columns))

    def forward(self, units: torch.Tensor) -> torch.Tensor:
        """Float (batch, num_units * frames_per_unit, columns); voicing is a logit."""
        mask = (units != self.padding).unsqueeze(-1).float()
        x = self.enter(self.embed(units)) * mask
        for block in self.unit_blocks:
            x = block(x, mask)
        mask = mask.repeat_interleave(self.frames_per_unit, dim=1)
        x = self.spread(x).unflatten(2, (self.frames_per_unit, -1)).flatten(1, 2) * mask
        for block in self.frame_blocks:
            x = block(x, mask)
        return self.leave(self.norm(x))

    def normalise_by(self, mean: np.ndarray, std: np.ndarray) -> None:
        self.mean.copy_(torch.from_numpy(mean))
        self.std.copy_(torch.from_numpy(std))


def frames_per_unit(rate: Rate, sizes: WorldSizes) -> int:
    """Raises ValueError where a unit is not a whole number of frames."""
    samples = rate.sample_rate * sizes.frame_ms / 1000
    if rate.sample_rate != audio.SAMPLE_RATE:
        raise ValueError(f"world: wants 16 kHz, not {rate.sample_rate} Hz")
    if rate.samples_per_unit % samples:
        raise ValueError(
            f"frame_ms {sizes.frame_ms}: {rate.samples_per_unit} samples of a unit are "
            f"no multiple of the {samples:g} of a frame"
        )
    return int(rate.samples_per_unit / samples)


@dataclass
class WorldTask:
    """The loop's view of the regression (train/loop.py)."""

    model: WorldNet
    rate: Rate
    sizes: WorldSizes
    units: Mapping[str, np.ndarray]  # of training and dev utterances
    frames: Mapping[str, Path]  # their analyses
    train: Sequence[str]
    dev: Sequence[str]
    batch_size: int
    accum_grad: int
    seed: int
    device: Any

    def __post_init__(self) -> None:
        mean, std = statistics([self.frames[utterance] for utterance in self.train])
        self.model.normalise_by(mean, std)

    def batches(self, step: int) -> list[dict[str, Any]]:
        chosen = batch_at(self.train, step, self.batch_size, self.seed)
        crops = [
            self._crop(one, keyed.generator(self.seed, step, one)) for one in chosen
        ]
        return [self._collate(part) for part in split(crops, self.accum_grad)]

    def num_targets(self, batch: Mapping[str, Any]) -> int:
        return int(batch["mask"].sum())

    def loss_sum(self, batch: Mapping[str, Any]) -> torch.Tensor:
        return sum(self._losses(batch).values())

    def facts(
        self, step: int, batches: Sequence[Mapping[str, Any]]
    ) -> dict[str, float]:
        tokens = sum(int((b["units"] != self.model.padding).sum()) for b in batches)
        return {"tokens": tokens}

    def evaluate(self) -> dict[str, float]:
        """Losses per frame on whole dev utterances; `loss` is their sum."""
        totals: dict[str, float] = {}
        num_frames = 0
        for start in range(0, len(self.dev), self.batch_size):
            part = self.dev[start : start + self.batch_size]
            batch = self._collate([self._crop(utterance) for utterance in part])
            for name, loss in self._losses(batch).items():
                totals[name] = totals.get(name, 0.0) + loss.item()
            num_frames += self.num_targets(batch)
        scores = {name: total / num_frames for name, total in totals.items()}
        return {"loss": sum(scores.values())} | scores

    def save(self, directory: Path) -> None:
        save_model(self.model, directory / WEIGHTS_FILE)
        save_description(directory, "world", self.rate, self.sizes)

    def _crop(
        self, utterance: str, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Units and frames of a random crop, or of the whole utterance."""
        units, per_unit = self.units[utterance], self.model.frames_per_unit
        frames = np.load(self.frames[utterance])
        # An encoder may see one unit more or less than the samples hold.
        units = units[: max(1, len(frames) // per_unit)]
        frames = frames[: len(units) * per_unit]
        if rng is None or len(units) <= self.sizes.crop_units:
            return units, frames
        start = int(rng.integers(len(units) - self.sizes.crop_units + 1))
        end = start + self.sizes.crop_units
        return units[start:end], frames[start * per_unit : end * per_unit]

    def _collate(
        self, crops: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> dict[str, torch.Tensor]:
        """Right-padded units (batch, units); frames and their mask (batch, frames, .)."""
        longest, per_unit = max(len(u) for u, _ in crops), self.model.frames_per_unit
        units = torch.full((len(crops), longest), self.model.padding)
        frames = torch.zeros(len(crops), longest * per_unit, len(self.model.mean))
        mask = torch.zeros(len(crops), longest * per_unit)
        for row, (one, target) in enumerate(crops):
            units[row, : len(one)] = torch.from_numpy(one)
            frames[row, : len(target)] = torch.from_numpy(target)
            mask[row, : len(target)] = 1
        made = {"units": units, "frames": frames, "mask": mask}
        return {name: tensor.to(self.device) for name, tensor in made.items()}

    def _losses(self, batch: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Summed over frames; each a mean over its columns, in standard deviations."""
        found, mask, frames = self.model(batch["units"]), batch["mask"], batch["frames"]
        wanted = (frames - self.model.mean) / self.model.std
        voiced = frames[..., analysis.VOICED]
        error = (found - wanted).abs()
        voicing = functional.binary_cross_entropy_with_logits(
            found[..., analysis.VOICED], voiced, reduction="none"
        )
        aperiodicity = error[..., analysis.APERIODICITY : analysis.CEPSTRA].mean(-1)
        return {
            "log_f0": (error[..., analysis.LOG_F0] * mask).sum(),
            "voicing": (voicing * mask).sum(),
            # Unvoiced frames are noise whatever it says.
            "aperiodicity": (aperiodicity * voiced * mask).sum(),
            "cepstra": (error[..., analysis.CEPSTRA :].mean(-1) * mask).sum(),
        }


def statistics(paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of every column over all frames, float32."""
    count, total, squares = 0, 0.0, 0.0
    for path in paths:
        frames = np.load(path).astype(np.float64)
        count += len(frames)
        total = total + frames.sum(axis=0)
        squares = squares + (frames**2).sum(axis=0)
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 1e-8))
    return mean.astype(np.float32), std.astype(np.float32)


@dataclass
class WorldVocoder:
    """A trained WorldNet and pyworld (vocoder/base.py's `Vocoder`)."""

    model: WorldNet
    rate: Rate
    sizes: WorldSizes
    device: Any

    def __post_init__(self) -> None:
        self.sample_rate = self.rate.sample_rate
        self.samples_per_unit = self.rate.samples_per_unit

    @classmethod
    def load(
        cls, directory: Path, description: dict[str, Any], device: Any
    ) -> "WorldVocoder":
        rate, sizes = read_rate(description), WorldSizes.of(description)
        model = WorldNet(rate, sizes)
        model.load_state_dict(load_file(directory / WEIGHTS_FILE))
        return cls(model.to(device).eval(), rate, sizes, device)

    def synthesise(self, units: np.ndarray) -> np.ndarray:
        """Float32 (num_units * samples_per_unit,) of int (num_units,)."""
        units = check_units(units, self.rate.num_units)
        with torch.inference_mode():
            found = self.model(torch.from_numpy(units)[None].to(self.device))[0]
            voiced = torch.sigmoid(found[:, analysis.VOICED])
            frames = found * self.model.std + self.model.mean
        frames[:, analysis.VOICED] = voiced
        length = len(units) * self.samples_per_unit
        return analysis.synthesise(frames.cpu().numpy(), self.sizes.frame_ms, length)
