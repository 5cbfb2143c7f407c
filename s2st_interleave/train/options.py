"""Options of every training, and those of trainings by AdamW on a summed loss."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from s2st_interleave.config import MOST_IN_BATCH, MOST_SEED, RunOptions, option
from s2st_interleave.train.curves import Kind


@dataclass(frozen=True, kw_only=True)
class LoopOptions(RunOptions):
    """Options of train/loop.py, for every model that it trains."""

    max_steps: int = option(1000, "optimizer steps", minimum=0)
    lr: float = option(5e-5, "peak learning rate", above=0)
    lr_scheduler: Literal["constant", "linear", "cosine"] = option(
        "constant", "after the warm-up; only 'constant' can be extended later"
    )
    warmup_steps: int = option(0, "linear warm-up", minimum=0)
    batch_size: int = option(
        32, "utterances per optimizer step", minimum=1, maximum=MOST_IN_BATCH
    )
    parallel: Literal["ddp", "fsdp"] = option(
        "ddp", "under torchrun: weights whole on every GPU, or sharded", runtime=True
    )
    seed: int = option(
        1, "of batches, dropout and interleaving", minimum=0, maximum=MOST_SEED
    )
    save_every: int = option(100, "steps between checkpoints", runtime=True, minimum=1)
    keep_last: int = option(
        2, "checkpoints kept besides the best", runtime=True, minimum=1
    )
    keep_optimizer: Literal["last", "all"] = option(
        "last",
        "checkpoints whose optimizer state stays when the training ends: the last goes on",
        runtime=True,
    )
    max_bad_steps: int = option(
        0,
        "steps to leave out whose loss or gradient is not finite; one more stops",
        runtime=True,
        minimum=0,
    )
    eval_every: int = option(100, "steps between evaluations on dev", minimum=1)
    log_every: int = option(
        20, "steps between lines on the screen", runtime=True, minimum=1
    )

    report_to: tuple[Kind, ...] = option(
        (), "tensorboard, wandb: curves of metrics.jsonl as well", runtime=True
    )

    def criterion(self, scores: Mapping[str, float]) -> float:
        """What of the scores on dev is lowest at the best checkpoint."""
        return scores["loss"]

    def extendable(self) -> set[str]:
        """Options that may grow while the run stays the same experiment."""
        return {"max_steps"} if self.lr_scheduler == "constant" else set()


@dataclass(frozen=True, kw_only=True)
class AdamWOptions:
    """Options of train/adamw.py, besides those of the loop."""

    weight_decay: float = option(0.0, "of AdamW", minimum=0)
    adam_beta2: float = option(
        0.999, "of AdamW; 0.98 forgets sooner, for short runs", minimum=0, below=1
    )
    max_grad_norm: float = option(1.0, "clip the gradient's norm", above=0)
    fused_adamw: Literal["auto", "true", "false"] = option(
        "auto",
        "one pass over the weights, faster, rounds otherwise; auto: on a GPU",
        new=True,
    )
    accum_grad: int = option(1, "micro-batches of a step, over all GPUs", minimum=1)


@dataclass(frozen=True, kw_only=True)
class TrainOptions(LoopOptions, AdamWOptions):
    """Options of a training of one model by AdamW: the LLM or the encoder."""


def learning_rate(options: LoopOptions, step: int) -> float:
    """Learning rate of 0-based `step`."""
    if step < options.warmup_steps:
        return options.lr * (step + 1) / options.warmup_steps
    if options.lr_scheduler == "constant":
        return options.lr
    done = (step - options.warmup_steps) / max(
        1, options.max_steps - options.warmup_steps
    )
    share = (
        1 - done
        if options.lr_scheduler == "linear"
        else (1 + math.cos(math.pi * done)) / 2
    )
    return options.lr * share
