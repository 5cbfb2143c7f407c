"""Training of the unit HiFi-GAN: pure in the step, exact to resume, as train/loop.py.

A loop of its own because two networks with two optimizers take turns. The order of
ParallelWaveGAN's trainer: generator, then discriminators on speech generated anew.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from espnet2.gan_tts.hifigan.loss import (
    DiscriminatorAdversarialLoss,
    FeatureMatchLoss,
    GeneratorAdversarialLoss,
    MelSpectrogramLoss,
)
from safetensors.torch import save_model

from s2st_interleave import keyed, parallel
from s2st_interleave.data import audio
from s2st_interleave.errors import UserError
from s2st_interleave.train import checkpoint, engine
from s2st_interleave.train.batches import batch_at, chunks, share
from s2st_interleave.train.loop import (
    LoopOptions,
    Metrics,
    Outcome,
    learning_rate,
    leave,
)
from s2st_interleave.train.prefetch import Prefetch
from s2st_interleave.train.stop_signals import stop_requests
from s2st_interleave.vocoder.base import (
    WEIGHTS_FILE,
    HifiganSizes,
    Rate,
    save_description,
)
from s2st_interleave.vocoder.hifigan import Gan

BETAS = (0.5, 0.9)  # of Adam, both networks; the recipe's
MAX_HALVINGS = 4  # the recipe's milestones: 200k, 400k, 600k, 800k


@dataclass(frozen=True)
class LossWeights:
    mel: float = 45.0
    feat_match: float = 2.0
    adv: float = 1.0


@dataclass
class GanTask:
    """Batches, losses and files of the adversarial training."""

    rate: Rate
    sizes: HifiganSizes
    weights: LossWeights
    units: Mapping[str, np.ndarray]  # of training and dev utterances
    wavs: Mapping[str, Path]
    train: Sequence[str]
    dev: Sequence[str]
    batch_size: int
    seed: int
    device: Any
    model: Gan = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(keyed.stable_hash(self.seed, "vocoder init", bits=32))
        self.model = Gan(self.rate, self.sizes).to(self.device)
        # Sums over discriminators and layers: the recipe's weights are meant for them.
        self.adversarial = GeneratorAdversarialLoss(average_by_discriminators=False)
        self.real_or_fake = DiscriminatorAdversarialLoss(
            average_by_discriminators=False
        )
        self.feature_match = FeatureMatchLoss(
            average_by_layers=False, average_by_discriminators=False
        )
        self.mel = MelSpectrogramLoss(
            fs=self.rate.sample_rate,
            n_mels=self.sizes.num_mels,
            fmax=self.rate.sample_rate // 2,
            log_base=None,
        ).to(self.device)

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Units (crops, crop_units) and waveforms (crops, 1, samples) of a step.

        This rank's of the `batch_size` crops.
        """
        chosen = batch_at(self.train, step, self.batch_size, self.seed)
        (mine,) = share(chosen, 1)
        return self._collate(
            [self._crop(one, keyed.generator(self.seed, step, one)) for one in mine]
        )

    def generator_losses(
        self, units: torch.Tensor, real: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Unweighted losses of the generator."""
        fake = self.model.generator(units)
        judged = self.model.discriminator(fake)
        with torch.no_grad():
            judged_real = self.model.discriminator(real)
        return {
            "mel": self.mel(fake, real),
            "feat_match": self.feature_match(judged, judged_real),
            "adv": self.adversarial(judged),
        }

    def discriminator_loss(
        self, units: torch.Tensor, real: torch.Tensor
    ) -> torch.Tensor:
        with torch.no_grad():
            fake = self.model.generator(units)
        judge = self.model.discriminator
        real_loss, fake_loss = self.real_or_fake(judge(fake), judge(real))
        return real_loss + fake_loss

    def evaluate(self) -> dict[str, float]:
        """Mel loss on one fixed crop of each dev utterance: `loss`."""
        total = 0.0
        for part in chunks(self.dev, self.batch_size):
            crops = [self._crop(one, keyed.generator("dev crop", one)) for one in part]
            units, real = self._collate(crops)
            total += self.mel(self.model.generator(units), real).item() * len(part)
        return {"loss": parallel.sums({"loss": total})["loss"] / len(self.dev)}

    def save(self, directory: Path) -> None:
        save_model(self.model, directory / WEIGHTS_FILE)
        save_description(directory, "hifigan", self.rate, self.sizes)

    def _crop(
        self, utterance: str, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Units and samples of a random crop; a short utterance is said again."""
        size, samples_per_unit = self.sizes.crop_units, self.rate.samples_per_unit
        units, wave = self.units[utterance], audio.read(self.wavs[utterance])
        # An encoder may see one unit more or less than the samples hold.
        num_units = max(1, min(len(units), len(wave) // samples_per_unit))
        units = units[:num_units]
        wave = np.resize(wave, num_units * samples_per_unit)
        if num_units < size:
            return np.resize(units, size), np.resize(wave, size * samples_per_unit)
        start = int(rng.integers(num_units - size + 1))
        first, last = start * samples_per_unit, (start + size) * samples_per_unit
        return units[start : start + size], wave[first:last]

    def _collate(
        self, crops: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        units = torch.from_numpy(np.stack([one for one, _ in crops])).long()
        waves = torch.from_numpy(np.stack([wave for _, wave in crops])).unsqueeze(1)
        return units.to(self.device), waves.to(self.device)


def gan_learning_rate(options: LoopOptions, step: int, halve_every: int) -> float:
    halvings = min(step // halve_every, MAX_HALVINGS)
    return learning_rate(options, step) / 2**halvings


@dataclass(frozen=True)
class Learner:
    """One optimizer over both networks, of which one learns at a time."""

    gan: Gan
    roots: Mapping[str, torch.nn.Module]  # what `engine` takes for a network's step
    optimizer: torch.optim.Optimizer

    @classmethod
    def of(cls, gan: Gan, how: engine.Parallel) -> "Learner":
        if how == "fsdp":  # either network's step reads both, and so gathers both
            roots = dict.fromkeys(("generator", "discriminator"), engine.wrap(gan, how))
        else:
            roots = {name: engine.wrap(net, how) for name, net in gan.named_children()}
        return cls(gan, roots, torch.optim.Adam(gan.parameters(), betas=BETAS))

    def learn(self, name: str, loss: Callable[[], torch.Tensor], lr: float) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        engine.backward(self.roots[name], loss)
        for other, network in self.gan.named_children():
            if other != name:  # the loss went through it, and Adam skips what has none
                network.zero_grad(set_to_none=True)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()


def train_step(
    task: GanTask,
    learner: Learner,
    units: torch.Tensor,
    real: torch.Tensor,
    lr: float,
    *,
    generator: bool,
) -> dict[str, float]:
    """One step of the generator, then of the discriminators, in the recipe's order.

    Without `generator` (the first step) the discriminators learn alone. The losses are
    means over the crops of all ranks: each adds its share of them.
    """
    task.model.train()
    share_of_batch = len(units) / task.batch_size
    losses: dict[str, torch.Tensor] = {}

    def generator_loss() -> torch.Tensor:
        losses.update(task.generator_losses(units, real))
        weighted = sum(getattr(task.weights, k) * v for k, v in losses.items())
        return weighted * share_of_batch

    def discriminator_loss() -> torch.Tensor:
        losses["discriminator"] = task.discriminator_loss(units, real)
        return losses["discriminator"] * share_of_batch

    if generator:
        learner.learn("generator", generator_loss, lr)
    learner.learn("discriminator", discriminator_loss, lr)
    return parallel.sums({k: v.item() * share_of_batch for k, v in losses.items()})


def fit(task: GanTask, options: Any, directory: Path) -> Outcome:
    """Train to `max_steps`, resuming from the newest whole checkpoint.

    Asked to stop by a signal it ends the step, saves, and exits with EXIT_REQUEUE.
    """
    with stop_requests() as asked:
        return _fit(task, options, directory, asked)


def _fit(task: GanTask, options: Any, directory: Path, asked: Event) -> Outcome:
    # 1. Where did we stop?
    source = parallel.on_first(lambda: checkpoint.newest(directory))
    progress = checkpoint.load_model(source, task.model)
    learner = Learner.of(task.model, options.parallel)
    checkpoint.load_optimizer(source, task.model, learner.optimizer)
    metrics = Metrics(directory / "metrics.jsonl", progress.step)
    if progress.step:
        parallel.say(f"resuming from step {progress.step} of {options.max_steps}")
    clock = time.time() - progress.train_sec
    batch = Prefetch(task.batch)  # crops are read from disk
    if options.max_steps == 0:  # an untrained stand-in is a model as well
        checkpoint.save(directory, task, learner.optimizer, progress, options.keep_last)

    while progress.step < options.max_steps:
        step = progress.step

        # 2. Both networks.
        units, real = batch(step)
        lr = gan_learning_rate(options, step, options.lr_halve_every)
        line = {"step": step, "lr": lr}
        line |= train_step(task, learner, units, real, lr, generator=step > 0)
        if not all(map(math.isfinite, line.values())):
            raise UserError(f"step {step}: a loss is not finite: {line}")

        # 3. Say what happened; once in a while evaluate and save.
        said = parallel.sums({"units": units.numel(), "asked": asked.is_set()})
        stop = bool(said["asked"])
        progress = progress.advanced(int(said["units"]), time.time() - clock)
        line |= {"tokens_seen": progress.tokens_seen, "sec": progress.train_sec}
        last = progress.step == options.max_steps
        if last or progress.step % options.eval_every == 0:
            task.model.eval()
            scores = engine.read(learner.roots["generator"], task.evaluate)
            line["dev_loss"] = scores["loss"]
            progress = progress.judged(line["dev_loss"])
        # Not every step: a full run has millions.
        if last or "dev_loss" in line or progress.step % options.log_every == 0:
            metrics.add(line)
            shown = "  ".join(f"{k} {v:.3f}" for k, v in line.items() if k != "step")
            parallel.say(f"step {progress.step:>7}/{options.max_steps}  {shown}")
        best_now = progress.best_step == progress.step
        if last or best_now or stop or progress.step % options.save_every == 0:
            metrics.flush()
            checkpoint.save(
                directory, task, learner.optimizer, progress, options.keep_last
            )
        if stop and not last:
            leave(progress.step, options.max_steps)
    return Outcome(
        last=checkpoint.path(directory, progress.step),
        best=checkpoint.path(directory, progress.best_step),
        num_steps=progress.step,
        tokens_seen=progress.tokens_seen,
        train_sec=round(progress.train_sec, 1),
    )
