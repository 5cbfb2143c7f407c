"""Training of the light vocoder: WORLD parameters by regression."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_model
from torch.nn import functional

from s2st_interleave import keyed, parallel
from s2st_interleave.device import resolve_device
from s2st_interleave.train import checkpoint
from s2st_interleave.train.adamw import AdamWLearner
from s2st_interleave.train.bad_steps import Contents
from s2st_interleave.train.batches import batch_at, chunks, share
from s2st_interleave.train.loop import Outcome, fit
from s2st_interleave.vocoder import analysis
from s2st_interleave.vocoder.base import (
    WEIGHTS_FILE,
    Speech,
    TrainingOptions,
    save_description,
)
from s2st_interleave.vocoder.world import Options, WorldSizes
from s2st_interleave.vocoder.world_net import WorldNet, frames_per_unit

CEPSTRA_WEIGHT = 3.0  # the envelope carries the words
MAX_GAIN = 3.0  # of the envelope's movement; more would amplify a bad model's noise


def train(speech: Speech, block: Options, options: TrainingOptions) -> Outcome:
    """Learn from analyses, which are kept in `analysis`; the last checkpoint is used."""
    device = resolve_device(options.device)
    sizes = WorldSizes.of(block)
    frames_per_unit(speech.timing, sizes)  # before all recordings are analysed
    frames = parallel.on_first(
        lambda: analysis.analyse_all(
            speech.wavs,
            options.out_dir / "analysis",
            frame_ms=sizes.frame_ms,
            num_cepstra=sizes.num_cepstra,
            nj=options.nj,
        )
    )
    torch.manual_seed(keyed.stable_hash(options.seed, "vocoder init", bits=32))
    task = WorldTask(
        model=WorldNet(speech.timing, sizes).to(device),
        speech=speech,
        sizes=sizes,
        frames=frames,
        batch_size=options.batch_size,
        accum_grad=block.accum_grad,
        seed=options.seed,
        device=device,
    )
    outcome = fit(AdamWLearner(task, block), options, options.out_dir)
    parallel.on_first(lambda: checkpoint.export(outcome.last, options.out_dir))
    return outcome


@dataclass
class WorldTask:
    """The regression of WORLD parameters as train/adamw.py takes it."""

    model: WorldNet
    speech: Speech
    sizes: WorldSizes
    frames: Mapping[str, Path]  # analyses by utterance id
    batch_size: int
    accum_grad: int
    seed: int
    device: torch.device

    def __post_init__(self) -> None:
        mean, std = statistics([self.frames[u] for u in self.speech.train])
        self.model.mean.copy_(torch.from_numpy(mean))
        self.model.std.copy_(torch.from_numpy(std))

    def batches(self, step: int) -> list[dict[str, torch.Tensor]]:
        return [
            self._collate(
                [self._crop(u, keyed.generator(self.seed, step, u)) for u in part]
            )
            for part in self._parts(step)
        ]

    def _parts(self, step: int) -> list[Sequence[str]]:
        """This rank's utterances of a step, by micro-batch."""
        chosen = batch_at(self.speech.train, step, self.batch_size, self.seed)
        return share(chosen, self.accum_grad)

    def contents(
        self, step: int, batches: Sequence[Mapping[str, torch.Tensor]]
    ) -> list[Contents]:
        return list(zip(self._parts(step), batches, strict=True))

    def num_targets(self, batch: Mapping[str, torch.Tensor]) -> int:
        return int(batch["mask"].sum())

    def loss_sum(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return reduce(torch.add, self._losses(batch).values())

    def metrics(
        self, step: int, batches: Sequence[Mapping[str, torch.Tensor]]
    ) -> dict[str, float]:
        tokens = sum(int((b["units"] != self.model.padding).sum()) for b in batches)
        return {"tokens": tokens}

    def evaluate(self) -> dict[str, float]:
        """Losses per frame on whole dev utterances; `loss` is their sum.

        It also sets the network's `gain`, which says how much more spoken envelopes move
        than the network's on dev. Training does not read it.
        """
        totals: dict[str, float] = {}
        num_frames, spoken, regressed = 0, torch.zeros(()), torch.zeros(())
        for part in chunks(self.speech.dev, self.batch_size):
            batch = self._collate([self._crop(utterance) for utterance in part])
            for name, loss in self._losses(batch).items():
                totals[name] = totals.get(name, 0.0) + loss.item()
            num_frames += self.num_targets(batch)
            spoken = spoken + _movement(self._normalised(batch), batch["mask"])
            envelopes = self.model(batch["units"])
            regressed = regressed + _movement(envelopes, batch["mask"])
        spoken, regressed = parallel.total(torch.stack([spoken, regressed]))
        self.model.gain.copy_((spoken / regressed).sqrt().clamp(1.0, MAX_GAIN))
        totals = parallel.sums(totals | {"frames": num_frames})
        num_frames = totals.pop("frames")
        scores = {name: total / num_frames for name, total in totals.items()}
        return {"loss": sum(scores.values())} | scores

    def save(self, directory: Path) -> None:
        save_model(self.model, str(directory / WEIGHTS_FILE))
        save_description(directory, "world", self.speech.timing, self.sizes)

    def sample(self) -> None:
        """None: our own code alone reads what is saved, and tests compare it."""

    def sample_saved(self, directory: Path) -> None:
        """None, as `sample`."""

    def _crop(
        self, utterance: str, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Units and frames of a random crop, or of the whole utterance."""
        units, per_unit = self.speech.units[utterance], self.model.frames_per_unit
        frames = analysis.read(self.frames[utterance])
        # The encoder may make one unit more or less than fit into the samples.
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
        """Right-padded units (batch, units), frames and mask (batch, frames, ...)."""
        longest, per_unit = max(len(u) for u, _ in crops), self.model.frames_per_unit
        units = torch.full((len(crops), longest), self.model.padding)
        frames = torch.zeros(len(crops), longest * per_unit, len(self.model.mean))
        mask = torch.zeros(len(crops), longest * per_unit)
        for row, (crop, target) in enumerate(crops):
            units[row, : len(crop)] = torch.from_numpy(crop)
            frames[row, : len(target)] = torch.from_numpy(target)
            mask[row, : len(target)] = 1
        batch = {"units": units, "frames": frames, "mask": mask}
        return {name: tensor.to(self.device) for name, tensor in batch.items()}

    def _normalised(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return (batch["frames"] - self.model.mean) / self.model.std

    def _losses(self, batch: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Losses by name, scalars summed over frames.

        Each is a mean over its columns, in standard deviations; that of cepstra is weighted.
        """
        columns, mask, frames = (
            self.model(batch["units"]),
            batch["mask"],
            batch["frames"],
        )
        voiced = frames[..., analysis.VOICED]
        error = (columns - self._normalised(batch)).abs()
        voicing = functional.binary_cross_entropy_with_logits(
            columns[..., analysis.VOICED], voiced, reduction="none"
        )
        aperiodicity = error[..., analysis.APERIODICITY : analysis.CEPSTRA].mean(-1)
        # Weighted by their spread: high cepstra hardly move, and mostly by noise.
        spread = self.model.std[analysis.CEPSTRA :]
        cepstra = (error[..., analysis.CEPSTRA :] * spread).sum(-1) / spread.sum()
        return {
            "log_f0": (error[..., analysis.LOG_F0] * mask).sum(),
            "voicing": (voicing * mask).sum(),
            # Unvoiced frames are noise, whatever their aperiodicity.
            "aperiodicity": (aperiodicity * voiced * mask).sum(),
            "cepstra": CEPSTRA_WEIGHT * (cepstra * mask).sum(),
        }


def _movement(frames: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Sum over utterances of the variance of each cepstrum in time, (num_cepstra,)."""
    cepstra, mask = frames[..., analysis.CEPSTRA :], mask.unsqueeze(-1)
    count = mask.sum(dim=1, keepdim=True)
    centre = (cepstra * mask).sum(dim=1, keepdim=True) / count
    return (((cepstra - centre) ** 2 * mask) / count).sum(dim=(0, 1))


def statistics(paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation, float32 (columns,), over the frames of all files."""
    count, total, squares = 0, np.zeros(()), np.zeros(())
    for path in paths:
        frames = analysis.read(path).astype(np.float64)
        count += len(frames)
        total = total + frames.sum(axis=0)
        squares = squares + (frames**2).sum(axis=0)
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 1e-8))
    return mean.astype(np.float32), std.astype(np.float32)
