"""Training of the unit HiFi-GAN: two networks that take turns at every step.

The order is that of ParallelWaveGAN's trainer: generator, then discriminators on speech
generated anew.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from espnet2.gan_tts.hifigan.loss import (
    DiscriminatorAdversarialLoss,
    FeatureMatchLoss,
    GeneratorAdversarialLoss,
    MelSpectrogramLoss,
)
from safetensors.torch import save_model
from torch.distributed.tensor import DTensor

from s2st_interleave import keyed, parallel
from s2st_interleave.data import audio
from s2st_interleave.device import resolve_device
from s2st_interleave.train import engine
from s2st_interleave.train.bad_steps import MicroBatch, NotFiniteError
from s2st_interleave.train.batches import batch_at, chunks, share
from s2st_interleave.train.loop import Outcome, StepResult, fit
from s2st_interleave.train.prefetch import Prefetch
from s2st_interleave.vocoder.base import (
    WEIGHTS_FILE,
    Speech,
    TrainingOptions,
    save_description,
)
from s2st_interleave.vocoder.hifigan import HifiganSizes, Options
from s2st_interleave.vocoder.hifigan_net import Gan, export

BETAS = (0.5, 0.9)  # of Adam, both networks; the recipe's
MAX_HALVINGS = 4  # the recipe's milestones: 200k, 400k, 600k, 800k


def train(speech: Speech, block: Options, options: TrainingOptions) -> Outcome:
    """Learn a voice; the last checkpoint's generator becomes the vocoder.

    The discriminators, which are most of the weights, are left out.
    """
    learner = GanLearner(
        speech,
        block,
        batch_size=options.batch_size,
        seed=options.seed,
        device=resolve_device(options.device),
    )
    # Not every step gets a line of metrics: a full run has a million steps.
    every = options.log_every
    outcome = fit(learner, options, options.out_dir, metrics_every=every)
    parallel.on_first(lambda: export(outcome.last, options.out_dir))
    return outcome


class GanLearner:
    """Batches, losses, steps and files of the adversarial training (train/loop.py)."""

    optimizer: torch.optim.Adam  # one over both networks, of which one learns at a time
    shown = ("mel", "feat_match", "adv", "discriminator")

    def __init__(
        self,
        speech: Speech,
        block: Options,
        *,
        batch_size: int,
        seed: int,
        device: torch.device,
    ) -> None:
        self.speech, self.block = speech, block
        self.batch_size, self.seed, self.device = batch_size, seed, device
        self.sizes = HifiganSizes.of(block)
        torch.manual_seed(keyed.stable_hash(seed, "vocoder init", bits=32))
        self.model = Gan(speech.timing, self.sizes).to(device)
        # Sums over discriminators and layers: the recipe's weights are meant for them.
        self.adversarial = GeneratorAdversarialLoss(average_by_discriminators=False)
        self.real_or_fake = DiscriminatorAdversarialLoss(
            average_by_discriminators=False
        )
        self.feature_match = FeatureMatchLoss(
            average_by_layers=False, average_by_discriminators=False
        )
        self.mel = MelSpectrogramLoss(
            fs=speech.timing.sample_rate,
            n_mels=block.num_mels,
            fmax=speech.timing.sample_rate // 2,
            log_base=None,
        ).to(device)
        self.batches = Prefetch(self._batch)  # crops are read from disk
        self._before: list[torch.Tensor] = []  # room for what a step may have to undo

    def start(self, mode: engine.Parallel) -> None:
        if mode == "fsdp":  # the step of either network reads both, and gathers both
            root = engine.wrap(self.model, mode)
            self.roots = dict.fromkeys(("generator", "discriminator"), root)
        else:
            self.roots = {
                name: engine.wrap(network, mode)
                for name, network in self.model.named_children()
            }
        # Adam's count of steps lies on the GPU only where it is fused, and _foreach_copy_
        # copies tensors one by one where one of them lies elsewhere.
        on_gpu = next(self.model.parameters()).is_cuda
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), betas=BETAS, fused=on_gpu
        )

    def step(self, step: int, lr: float) -> StepResult:
        """One step of the generator, then of the discriminators, in the recipe's order.

        In the first step the discriminators learn alone. The losses are means over the
        crops of all ranks: each adds its share of them.
        """
        units, real = self.batches(step)
        lr = halved(lr, step, self.block.lr_halve_every)
        share_of_batch = len(units) / self.batch_size
        losses: dict[str, torch.Tensor] = {}

        def generator_loss() -> torch.Tensor:
            losses.update(self._generator_losses(units, real))
            weighted = [
                getattr(self.block, f"lambda_{k}") * v for k, v in losses.items()
            ]
            return sum(weighted[1:], weighted[0]) * share_of_batch

        def discriminator_loss() -> torch.Tensor:
            losses["discriminator"] = self._discriminator_loss(units, real)
            return losses["discriminator"] * share_of_batch

        with self._as_before_if_not_finite():
            if step > 0:
                self._learn("generator", generator_loss, step, lr)
            self._learn("discriminator", discriminator_loss, step, lr)
        values = torch.stack(list(losses.values())).tolist()  # a GPU waits once
        means = parallel.sums(
            {k: v * share_of_batch for k, v in zip(losses, values, strict=True)}
        )
        return StepResult(units.numel(), {"lr": lr} | means)

    def evaluate(self) -> dict[str, float]:
        """Mel loss on one fixed crop of each dev utterance: `loss`."""
        return engine.evaluate(self.roots["generator"], self._dev_loss)

    def save(self, directory: Path) -> None:
        save_model(self.model, str(directory / WEIGHTS_FILE))
        save_description(directory, "hifigan", self.speech.timing, self.sizes)

    def checker(self) -> Callable[[Path], None]:
        """Check nothing: our own code alone reads what is saved, and tests compare it."""
        return lambda directory: None

    @contextmanager
    def _as_before_if_not_finite(self) -> Iterator[None]:
        """Undo a step that is left out: by the discriminators' turn the generator has learned.

        Weights and state of the generator, and all buffers, are copied before each step, all
        of them at once: a GPU would wait for the launches of a thousand copies.
        """
        learned, state = list(self.model.generator.parameters()), self.optimizer.state
        known = [weight for weight in learned if weight in state]
        tensors = [*learned, *self.model.buffers()]
        tensors += [state[weight][key] for weight in known for key in state[weight]]
        tensors = [
            each.to_local() if isinstance(each, DTensor) else each for each in tensors
        ]
        # In the first step Adam has no state yet.
        if len(tensors) != len(self._before):
            self._before = [torch.empty_like(each) for each in tensors]
        with torch.no_grad():
            torch._foreach_copy_(self._before, tensors)
        try:
            yield
        except NotFiniteError:
            with torch.no_grad():
                torch._foreach_copy_(tensors, self._before)
            for weight in set(learned) - set(known):
                state.pop(weight, None)
            raise

    def _learn(
        self, name: str, loss: Callable[[], torch.Tensor], step: int, lr: float
    ) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        own_loss = engine.backward(self.roots[name], loss)
        own_norm = engine.gradient_norm(getattr(self.model, name))
        mine, norm = torch.stack([own_loss.detach(), own_norm]).tolist()
        total = parallel.sums({"loss": mine})["loss"]
        if not math.isfinite(total) or not math.isfinite(norm):
            units, real = self.batches(step)
            tensors = {"units": units, "waveforms": real}
            part = MicroBatch(self._utterances(step), tensors, mine)
            raise NotFiniteError(
                f"loss {total} of the {name}, gradient norm {norm}", [part]
            )
        for other, network in self.model.named_children():
            if other != name:  # the loss went through it; Adam must leave it as it is
                network.zero_grad(set_to_none=True)
        engine.take_step(self.optimizer, lr, step)

    def _generator_losses(
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

    def _discriminator_loss(
        self, units: torch.Tensor, real: torch.Tensor
    ) -> torch.Tensor:
        with torch.no_grad():
            fake = self.model.generator(units)
        judge = self.model.discriminator
        real_loss, fake_loss = self.real_or_fake(judge(fake), judge(real))
        return real_loss + fake_loss

    def _dev_loss(self) -> dict[str, float]:
        dev, total = self.speech.dev, 0.0
        for part in chunks(dev, self.batch_size):
            crops = [self._crop(u, keyed.generator("dev crop", u)) for u in part]
            units, real = self._collate(crops)
            total += self.mel(self.model.generator(units), real).item() * len(part)
        return {"loss": parallel.sums({"loss": total})["loss"] / len(dev)}

    def _batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """This rank's units (crops, crop_units) and waveforms (crops, 1, samples)."""
        return self._collate(
            [
                self._crop(u, keyed.generator(self.seed, step, u))
                for u in self._utterances(step)
            ]
        )

    def _utterances(self, step: int) -> Sequence[str]:
        """This rank's utterances of a step."""
        chosen = batch_at(self.speech.train, step, self.batch_size, self.seed)
        (utterances,) = share(chosen, 1)
        return utterances

    def _crop(
        self, utterance: str, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Units and samples of a random crop; a short utterance is repeated."""
        size, per_unit = self.sizes.crop_units, self.speech.timing.samples_per_unit
        units, wav = self.speech.units[utterance], self.speech.wavs[utterance]
        # The encoder may make one unit more or less than fit into the samples.
        num_units = min(len(units), audio.num_samples(wav, of=utterance) // per_unit)
        if num_units < size:
            num_units = max(1, num_units)
            wave = np.resize(audio.read(wav, of=utterance), num_units * per_unit)
            return np.resize(units[:num_units], size), np.resize(wave, size * per_unit)
        start = int(rng.integers(num_units - size + 1))
        end = start + size
        wave = audio.read_span(wav, start * per_unit, end * per_unit, of=utterance)
        return units[start:end], wave

    def _collate(
        self, crops: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        units = torch.from_numpy(np.stack([units for units, _ in crops])).long()
        waves = torch.from_numpy(np.stack([wave for _, wave in crops])).unsqueeze(1)
        return units.to(self.device), waves.to(self.device)


def halved(lr: float, step: int, every: int) -> float:
    """The learning rate, halved after each `every` steps, four times at most."""
    return lr / 2 ** min(step // every, MAX_HALVINGS)
