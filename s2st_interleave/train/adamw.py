"""A model that AdamW trains on a loss summed over targets: LLM, encoder, WORLD vocoder."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import torch
from torch import nn

from s2st_interleave import parallel
from s2st_interleave.train import engine, roundtrip
from s2st_interleave.train.bad_steps import Contents, NotFiniteError, micro_batches
from s2st_interleave.train.loop import StepResult
from s2st_interleave.train.options import AdamWOptions

Batch = TypeVar("Batch")


class Task(Protocol[Batch]):
    """The batches, losses and files of a model."""

    @property
    def model(self) -> nn.Module: ...

    def batches(self, step: int) -> Sequence[Batch]:
        """This rank's micro-batches of a step, at least one; pure in the step.

        All ranks should have as many: one that has fewer does the last one twice.
        """
        ...

    def num_targets(self, batch: Batch) -> float:
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

    def contents(self, step: int, batches: Sequence[Batch]) -> list[Contents]:
        """Utterance ids and tensors of this rank's micro-batches of a step, for people."""
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

    The loss stays the mean over the targets of all ranks. `uses_all` is that of
    `engine.wrap`.
    """

    optimizer: torch.optim.AdamW

    def __init__(
        self,
        task: Task[Batch],
        options: AdamWOptions,
        shown: tuple[str, ...] = ("loss",),
        *,
        uses_all: bool = False,
    ) -> None:
        self.task, self.options, self.shown = task, options, shown
        self.uses_all = uses_all
        self.model = task.model

    def start(self, mode: engine.Parallel) -> None:
        self.root = engine.wrap(self.model, mode, uses_all=self.uses_all)
        on_gpu = next(self.model.parameters()).device.type == "cuda"
        wanted = self.options.fused_adamw
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            betas=(0.9, self.options.adam_beta2),
            weight_decay=self.options.weight_decay,
            fused=wanted == "true" or (wanted == "auto" and on_gpu),
        )

    def step(self, step: int, lr: float) -> StepResult:
        # 1. Gradients: the loss is one mean, however the batch is cut and shared.
        batches = self.task.batches(step)
        mine = sum(self.task.num_targets(batch) for batch in batches)
        shares = parallel.gathered((mine, len(batches)))
        num_targets = sum(share for share, _ in shares)
        most = max(count for _, count in shares)
        losses = []
        for number in range(most):
            # A rank with fewer micro-batches takes its last one again, which counts
            # nothing: sharded weights are gathered for all ranks, or for none.
            counts = number < len(batches)
            batch = batches[number] if counts else batches[-1]
            work = partial(self._share_of_loss, batch, num_targets, counts)
            losses.append(engine.backward(self.root, work, last=number == most - 1))
        norm = engine.clip(self.model, self.options.max_grad_norm)
        # A GPU is waited for here, and only here.
        *parts, norm = torch.stack([*losses, norm]).tolist()
        loss = parallel.sums({"loss": sum(parts)})["loss"]
        if not math.isfinite(loss) or not math.isfinite(norm):
            contents = self.task.contents(step, batches)
            each = [num_targets * part for part in parts]
            raise NotFiniteError(
                f"loss {loss}, gradient norm {norm}", micro_batches(contents, each)
            )

        # 2. Weights.
        engine.take_step(self.optimizer, lr, step)
        self.optimizer.zero_grad(set_to_none=True)
        more = engine.evaluate(self.root, partial(self.task.metrics, step, batches))
        tokens = int(more.pop("tokens"))
        metrics = {"loss": loss, "grad_norm": norm, "num_targets": num_targets}
        return StepResult(tokens, metrics | more)

    def evaluate(self) -> dict[str, float]:
        return engine.evaluate(self.root, self.task.evaluate)

    def save(self, directory: Path) -> None:
        self.task.save(directory)

    def checker(self) -> Callable[[Path], None]:
        return roundtrip.checker(self.root, self.task)

    def _share_of_loss(
        self, batch: Batch, num_targets: float, counts: bool
    ) -> torch.Tensor:
        share = self.task.loss_sum(batch) / num_targets
        return share if counts else 0.0 * share
