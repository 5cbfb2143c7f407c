"""A model that AdamW trains on a loss summed over targets: LLM, encoder, WORLD vocoder."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import torch
from torch import nn

from s2st_interleave import parallel
from s2st_interleave.errors import UserError
from s2st_interleave.train import engine, roundtrip
from s2st_interleave.train.loop import StepResult
from s2st_interleave.train.options import AdamWOptions

Batch = TypeVar("Batch")


class Task(Protocol[Batch]):
    """The batches, losses and files of a model."""

    @property
    def model(self) -> nn.Module: ...

    def batches(self, step: int) -> Sequence[Batch]:
        """This rank's micro-batches of a step, as many on every rank; pure in the step."""
        ...

    def num_targets(self, batch: Batch) -> int:
        """The number that the summed loss is divided by, for example supervised tokens."""
        ...

    def loss_sum(self, batch: Batch) -> torch.Tensor:
        """Scalar loss, summed over the targets of a micro-batch."""
        ...

    def metrics(self, step: int, batches: Sequence[Batch]) -> dict[str, float]:
        """More values to log about a step, computed without gradients.

        They must include `tokens`, the number of positions that this rank has processed;
        all other values must be equal on every rank.
        """
        ...

    def evaluate(self) -> dict[str, float]:
        """Scores on dev as in `Learner.evaluate` of loop.py, without gradients."""
        ...

    def save(self, directory: Path) -> None:
        """Write the model as in `Learner.save`."""

    def sample(self) -> torch.Tensor | None:
        """Outputs of the model for a few fixed inputs, float32 on the CPU.

        They are computed in evaluation mode. None where only our own code reads the model.
        """
        ...

    def sample_saved(self, directory: Path) -> torch.Tensor | None:
        """Outputs for the same inputs of the model that `save` has written there."""
        ...


class AdamWLearner(Generic[Batch]):
    """A `Learner` of loop.py: under torchrun, ranks share a step's micro-batches.

    The loss stays the mean over the targets of all ranks.
    """

    optimizer: torch.optim.AdamW

    def __init__(
        self,
        task: Task[Batch],
        options: AdamWOptions,
        shown: tuple[str, ...] = ("loss",),
    ) -> None:
        self.task, self.options, self.shown = task, options, shown
        self.model = task.model

    def start(self, mode: engine.Parallel) -> None:
        self.root = engine.wrap(self.model, mode)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            betas=(0.9, self.options.adam_beta2),
            weight_decay=self.options.weight_decay,
        )

    def step(self, step: int, lr: float) -> StepResult:
        # 1. Gradients: the loss is one mean, however the batch is cut and shared.
        batches = self.task.batches(step)
        mine = sum(self.task.num_targets(batch) for batch in batches)
        num_targets = int(parallel.sums({"targets": mine})["targets"])
        loss = 0.0
        for number, batch in enumerate(batches, start=1):
            work = partial(self._share_of_loss, batch, num_targets)
            loss += engine.backward(self.root, work, last=number == len(batches))
        loss = parallel.sums({"loss": loss})["loss"]
        norm = engine.clip(self.model, self.options.max_grad_norm)
        if not math.isfinite(loss) or not torch.isfinite(norm):
            raise UserError(
                f"step {step}: loss {loss}, gradient norm {norm}: not finite; lower --lr "
                "or add --warmup_steps, with another tag"
            )

        # 2. Weights.
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        more = engine.evaluate(self.root, partial(self.task.metrics, step, batches))
        tokens = int(more.pop("tokens"))
        metrics = {"loss": loss, "grad_norm": norm.item(), "num_targets": num_targets}
        return StepResult(tokens, metrics | more)

    def evaluate(self) -> dict[str, float]:
        return engine.evaluate(self.root, self.task.evaluate)

    def save(self, directory: Path) -> None:
        self.task.save(directory)

    def checker(self) -> Callable[[Path], None]:
        return roundtrip.checker(self.root, self.task)

    def _share_of_loss(self, batch: Batch, num_targets: int) -> torch.Tensor:
        return self.task.loss_sum(batch) / num_targets
