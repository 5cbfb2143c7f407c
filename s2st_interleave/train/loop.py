"""One training loop for every model of the recipe: pure in the step, exact to resume.

Batches, learning rate and dropout are functions of (seed, step) alone, so that a run
which was stopped and resumed is bit-identical to one which was not. Under torchrun the
ranks share out a step's micro-batches, and the loss stays the mean over all of them.
"""

import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Literal, Protocol

from s2st_interleave import keyed
from s2st_interleave.config import RunOptions, option
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write, read_json_lines
from s2st_interleave.preemption import EXIT_REQUEUE
from s2st_interleave.train import checkpoint, parallel, roundtrip
from s2st_interleave.train.stop_signals import stop_requests


@dataclass(frozen=True, kw_only=True)
class LoopOptions(RunOptions):
    max_steps: int = option(1000, "optimizer steps", minimum=0)
    lr: float = option(5e-5, "peak learning rate of AdamW", above=0)
    lr_scheduler: Literal["constant", "linear", "cosine"] = option(
        "constant", "after the warm-up; only 'constant' can be extended later"
    )
    warmup_steps: int = option(0, "linear warm-up", minimum=0)
    weight_decay: float = option(0.0, "of AdamW", minimum=0)
    adam_beta2: float = option(
        0.999, "of AdamW; 0.98 forgets sooner, for short runs", minimum=0, below=1
    )
    max_grad_norm: float = option(1.0, "clip the gradient's norm", above=0)
    batch_size: int = option(32, "utterances per optimizer step", minimum=1)
    accum_grad: int = option(1, "micro-batches of a step, over all GPUs", minimum=1)
    parallel: Literal["ddp", "fsdp"] = option(
        "ddp", "under torchrun: weights whole on every GPU, or sharded", runtime=True
    )
    seed: int = option(1, "of batches, dropout and interleaving")
    save_every: int = option(100, "steps between checkpoints", runtime=True, minimum=1)
    keep_last: int = option(
        2, "checkpoints kept besides the best", runtime=True, minimum=1
    )
    eval_every: int = option(100, "steps between evaluations on dev", minimum=1)
    log_every: int = option(
        20, "steps between lines on the screen", runtime=True, minimum=1
    )

    def extendable(self) -> set[str]:
        """Options that may grow without making it another experiment."""
        return {"max_steps"} if self.lr_scheduler == "constant" else set()


class Task(Protocol):
    """What differs between the models that the loop trains."""

    model: Any

    def batches(self, step: int) -> Sequence[Any]:
        """This rank's micro-batches of a step, as many on every rank; pure in the step."""

    def num_targets(self, batch: Any) -> int:
        """What the summed loss is divided by, for example supervised tokens."""

    def loss_sum(self, batch: Any) -> Any:
        """Scalar tensor, summed over the targets of a micro-batch."""

    def facts(self, step: int, batches: Sequence[Any]) -> dict[str, float]:
        """More to log about a step, the same on all ranks but for one that must be there.

        `tokens`, the positions that this rank has processed, is summed over ranks.
        """

    def evaluate(self) -> dict[str, float]:
        """Scores on dev, over all ranks; `loss` (the lower the better) picks the best."""

    def save(self, directory: Path) -> None:
        """Write model.safetensors and all that loading the model needs."""

    def sample(self) -> Any:
        """What the model puts out for a few fixed inputs: a tensor on the CPU.

        In evaluation mode and float32. None where only our own code reads the model.
        """

    def sample_saved(self, directory: Path) -> Any:
        """The same, of what `save` has written, as its readers load it."""


@dataclass(frozen=True)
class Outcome:
    last: Path
    best: Path
    num_steps: int
    tokens_seen: int
    train_sec: float


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


def resolve_device(name: str) -> Any:
    """torch.device of --device; UserError where this machine has no such one."""
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    _check_device(name)
    if name == "cuda" and parallel.ranks().count > 1:
        name = f"cuda:{parallel.ranks().local}"
        torch.cuda.set_device(name)  # where nccl looks for it
    elif name == "cuda":  # jobs at once on this machine share out its GPUs
        slot = int(os.environ.get(parallel.JOB_SLOT, 0))
        name = f"cuda:{slot % max(1, torch.cuda.device_count())}"
    return torch.device(name)


def _check_device(name: str) -> None:
    """Raise UserError where this machine has no such device."""
    import torch

    kind, _, index = name.partition(":")
    num_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "cuda" and int(index or 0) >= num_gpus:
        raise UserError(
            f"--device {name}: this machine has {num_gpus} GPUs that PyTorch can use"
            + ("" if num_gpus else "; --device cpu works without")
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise UserError(
            f"--device {name}: PyTorch finds none; --device cpu works without"
        )


def set_threads(num_threads: int) -> None:
    import torch

    if num_threads:
        torch.set_num_threads(num_threads)


def fit(task: Task, options: LoopOptions, directory: Path) -> Outcome:
    """Train `task` to `max_steps`, resuming from the newest whole checkpoint.

    Asked to stop by a signal it ends the step, saves, and exits with EXIT_REQUEUE.
    """
    with stop_requests() as asked:
        return _fit(task, options, directory, asked)


def _fit(task: Task, options: LoopOptions, directory: Path, asked: Event) -> Outcome:
    import torch

    from s2st_interleave.train import engine

    # 1. Where did we stop?
    source = parallel.on_first(lambda: checkpoint.newest(directory))
    progress = checkpoint.load_model(source, task.model)
    root = engine.wrap(task.model, options.parallel)
    optimizer = torch.optim.AdamW(
        task.model.parameters(),
        lr=options.lr,
        betas=(0.9, options.adam_beta2),
        weight_decay=options.weight_decay,
    )
    checkpoint.load_optimizer(source, task.model, optimizer)
    metrics = Metrics(directory / "metrics.jsonl", progress.step)
    if progress.step:
        parallel.say(f"resuming from step {progress.step} of {options.max_steps}")
    clock = time.time() - progress.train_sec

    def save() -> None:
        check = roundtrip.checker(root, task)
        checkpoint.save(directory, task, optimizer, progress, options.keep_last, check)

    if options.max_steps == 0:  # an untrained stand-in is a model as well
        save()

    while progress.step < options.max_steps:
        step = progress.step

        # 2. One optimizer step: the loss is a mean over all targets of the whole batch,
        # however it is cut into micro-batches and shared out.
        task.model.train()
        torch.manual_seed(dropout_seed(options.seed, step))
        batches = task.batches(step)
        mine = sum(task.num_targets(batch) for batch in batches)
        num_targets = int(parallel.sums({"targets": mine})["targets"])
        loss = 0.0
        for number, batch in enumerate(batches, start=1):
            work = partial(_share_of_loss, task, batch, num_targets)
            loss += engine.backward(root, work, last=number == len(batches))
        said = parallel.sums({"loss": loss, "asked": asked.is_set()})
        loss, stop = said["loss"], bool(said["asked"])
        norm = engine.clip(task.model, options.max_grad_norm)
        if not math.isfinite(loss) or not torch.isfinite(norm):
            raise UserError(
                f"step {step}: loss {loss}, gradient norm {norm}: not finite"
            )
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(options, step)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

        # 3. Say what happened.
        facts = engine.read(root, partial(task.facts, step, batches))
        facts["tokens"] = int(parallel.sums({"tokens": facts["tokens"]})["tokens"])
        progress = progress.advanced(facts["tokens"], time.time() - clock)
        line = {"step": step, "loss": loss, "grad_norm": norm.item()}
        line |= {"lr": learning_rate(options, step), "num_targets": num_targets} | facts
        line |= {
            "tokens_seen": progress.tokens_seen,
            "sec": round(progress.train_sec, 2),
        }
        last = progress.step == options.max_steps

        # 4. Once in a while: evaluate, log, save.
        if last or progress.step % options.eval_every == 0:
            task.model.eval()
            scores = engine.read(root, task.evaluate)
            line |= {f"dev_{name}": value for name, value in scores.items()}
            progress = progress.judged(scores["loss"])
        metrics.add(line)
        if last or progress.step % options.log_every == 0 or "dev_loss" in line:
            parallel.say(_describe(line, options.max_steps))
        best_now = progress.best_step == progress.step
        if last or best_now or stop or progress.step % options.save_every == 0:
            metrics.flush()
            save()
        if stop and not last:
            leave(progress.step, options.max_steps)

    return Outcome(
        last=checkpoint.path(directory, progress.step),
        best=checkpoint.path(directory, progress.best_step),
        num_steps=progress.step,
        tokens_seen=progress.tokens_seen,
        train_sec=round(progress.train_sec, 1),
    )


def dropout_seed(seed: int, step: int) -> int:
    """Of this rank: two must not drop the same of different utterances."""
    rank = parallel.ranks().index
    return keyed.stable_hash(seed, "dropout", step, *([rank] if rank else []), bits=32)


def leave(step: int, max_steps: int) -> None:
    """End the process after a signal, with everything saved."""
    parallel.say(
        f"stopped by a signal after step {step} of {max_steps}; a checkpoint is "
        "written, the same command carries on"
    )
    raise SystemExit(EXIT_REQUEUE)


def _share_of_loss(task: Task, batch: Any, num_targets: int) -> Any:
    return task.loss_sum(batch) / num_targets


def _describe(line: dict[str, float], max_steps: int) -> str:
    done = line["step"] + 1
    left = line["sec"] / done * (max_steps - done)
    names = ["loss", "dev_loss", "dev_accuracy", "text_ratio"]
    names += [name for name in line if name.startswith("realised_")]
    values = "  ".join(f"{k} {line[k]:.3f}" for k in names if k in line)
    return (
        f"step {done:>5}/{max_steps}  {values}  {line['sec']:.0f} s, {left:.0f} s left"
    )


class Metrics:
    """metrics.jsonl, one line a step; a resumed run forgets the lines after its start.

    Rank 0 writes it.
    """

    def __init__(self, path: Path, step: int):
        lines = read_json_lines(path) if path.is_file() else []
        self.path = path
        self.lines = [json.dumps(line) for line in lines if line["step"] < step]

    def add(self, line: dict[str, float]) -> None:
        self.lines.append(json.dumps(line))

    def flush(self) -> None:
        if not parallel.ranks().is_first:
            return
        with atomic_write(self.path) as stream:
            stream.writelines(f"{line}\n" for line in self.lines)
