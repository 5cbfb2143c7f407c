"""One training loop for every model of the recipe: pure in the step, exact to resume.

Batches, learning rate and, for as many ranks and the same cuts, dropout are functions of
(seed, step) alone, so that a run which was stopped and resumed is bit-identical to one which
was not; what else decides about a step is read from the lines of metrics.jsonl before it.
The last step is evaluated as well, whatever `eval_every` says: a run that is extended may
have its best checkpoint there. The loop owns resume,
evaluation, checkpoints, signals and the log; a `Learner` owns its model, its optimizer
and what a step is: adamw.py for a loss that is summed over targets, vocoder/gan.py for
two networks that take turns.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Protocol

import torch
from torch import nn

from s2st_interleave import keyed, parallel
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write, read_json_lines
from s2st_interleave.preemption import EXIT_REQUEUE
from s2st_interleave.progress import left, named, rate
from s2st_interleave.train import bad_steps, checkpoint
from s2st_interleave.train.bad_steps import BadSteps, NotFiniteError
from s2st_interleave.train.curves import Curves, Kind
from s2st_interleave.train.engine import Parallel
from s2st_interleave.train.learning import Expected, Watch
from s2st_interleave.train.options import LoopOptions, learning_rate
from s2st_interleave.train.stop_signals import stop_requests

Heed = Callable[[Mapping[str, float]], None]  # of a line of metrics.jsonl


@dataclass(frozen=True)
class StepResult:
    """The number of positions that this rank processed in a step, and metrics to log.

    The metrics are equal on all ranks.
    """

    tokens: int
    metrics: Mapping[str, float]


class Learner(Protocol):
    """A model, its optimizer, and the steps that train it."""

    @property
    def model(self) -> nn.Module: ...

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The optimizer, which `start` makes."""
        ...

    @property
    def shown(self) -> tuple[str, ...]:
        """Beginnings of the names of metrics that go to the screen."""
        ...

    def start(self, mode: Parallel) -> None:
        """Wrap the model for the ranks there are, after the loop has loaded its weights."""

    def step(self, step: int, lr: float) -> StepResult:
        """Take one optimizer step, pure in `step`.

        Raises NotFiniteError, on all ranks, before a bad loss or gradient changes weights.
        """
        ...

    def evaluate(self) -> dict[str, float]:
        """Scores on dev, `loss` among them, over all ranks."""
        ...

    def save(self, directory: Path) -> None:
        """Write model.safetensors and all that loading the model needs."""

    def checker(self) -> Callable[[Path], None]:
        """A check that rank 0 calls with a saved folder.

        It raises UserError where the folder holds another model.
        """
        ...


@dataclass(frozen=True)
class Outcome:
    """The last and the best checkpoint of a training, and what it took."""

    last: Path
    best: Path
    num_steps: int
    tokens_seen: int
    train_sec: float


def fit(
    learner: Learner,
    options: LoopOptions,
    directory: Path,
    metrics_every: int = 1,
    expected: Expected | None = None,
    heed: Heed | None = None,
    *,
    plain_loss: bool = True,
) -> Outcome:
    """Train to `max_steps`, resuming from the newest whole checkpoint in `directory`.

    A line of metrics.jsonl is written every `metrics_every` steps. `expected` are the shares
    of text that a text ratio makes, against which they are watched (learning.py). `heed` takes
    each line in its order, those of a resumed run first, and may change what the learner does
    in later steps. `plain_loss` says that the loss is made as dev loss is, so that the two
    compare. After a signal that asks it to stop it ends the step, saves, and exits with
    EXIT_REQUEUE. Raises UserError where lines that `heed` wants are missing.
    """
    with stop_requests() as asked:
        watch = Watch(options.max_steps, expected, plain_loss=plain_loss)
        return _fit(learner, options, directory, metrics_every, watch, heed, asked)


def _fit(
    learner: Learner,
    options: LoopOptions,
    directory: Path,
    metrics_every: int,
    watch: Watch,
    heed: Heed | None,
    asked: Event,
) -> Outcome:
    # 1. Where did we stop?
    source = parallel.on_first(lambda: checkpoint.newest(directory, options.max_steps))
    progress = checkpoint.load_model(source, learner.model)
    learner.start(options.parallel)
    checkpoint.load_optimizer(source, learner.model, learner.optimizer)
    metrics = Metrics(directory / "metrics.jsonl", progress.step, options.report_to)
    _replay(metrics, progress.step, watch, heed)
    if progress.step:
        parallel.say(
            named(f"resuming from step {progress.step} of {options.max_steps}")
        )
    bad = BadSteps(directory, options.max_bad_steps, metrics.num_bad)
    clock = time.monotonic() - progress.train_sec
    if options.max_steps == 0:  # an untrained stand-in is a model as well
        checkpoint.save(directory, learner, progress, options.keep_last)

    while progress.step < options.max_steps:
        step, lr = progress.step, learning_rate(options, progress.step)

        # 2. One optimizer step.
        learner.model.train()
        torch.manual_seed(dropout_seed(options.seed, step))
        try:
            result = learner.step(step, lr)
        except NotFiniteError as error:
            learner.optimizer.zero_grad(set_to_none=True)
            bad.leave_out(step, lr, error)
            result = StepResult(0, {bad_steps.KEY: 1.0})

        # 3. Count tokens and seconds, over all ranks.
        sums = parallel.sums({"tokens": result.tokens, "asked": asked.is_set()})
        tokens, stop = int(sums["tokens"]), bool(sums["asked"])
        progress = progress.advanced(tokens, time.monotonic() - clock)
        line = {"step": step, "lr": lr, **result.metrics, "tokens": tokens}
        line |= {
            "tokens_seen": progress.tokens_seen,
            "sec": round(progress.train_sec, 2),
        }
        last = progress.step == options.max_steps

        # 4. Once in a while: evaluate, log, save.
        if last or progress.step % options.eval_every == 0:
            learner.model.eval()
            scores = learner.evaluate()
            line |= {f"dev_{name}": value for name, value in scores.items()}
            progress = progress.judged(scores["loss"], options.criterion(scores))
        is_logged = last or "dev_loss" in line or bad_steps.KEY in line
        if is_logged or progress.step % metrics_every == 0:
            metrics.add(line)
        for doubt in watch.add(line):
            parallel.say(named(f"warning: {doubt}"))
        if heed:
            heed(line)
        if is_logged or progress.step % options.log_every == 0:
            parallel.say(_describe(line, options.max_steps, learner.shown))
        best_now = progress.best_step == progress.step
        is_due = last or best_now or progress.step % options.save_every == 0
        if is_due or stop:
            metrics.flush()
            bad_steps.check_weights(learner.model, progress.step)
            checkpoint.save(
                directory,
                learner,
                progress,
                options.keep_last,
                by_signal=not is_due,
            )
        if stop and not last:
            _leave(progress.step, options.max_steps)

    if options.keep_optimizer == "last":
        parallel.on_first(lambda: checkpoint.prune(directory))
    return Outcome(
        last=checkpoint.path(directory, progress.step),
        best=checkpoint.path(directory, progress.best_step),
        num_steps=progress.step,
        tokens_seen=progress.tokens_seen,
        train_sec=round(progress.train_sec, 1),
    )


def _replay(
    metrics: "Metrics", num_steps: int, watch: Watch, heed: Heed | None
) -> None:
    """Tell those who watch a training of the steps that earlier runs have taken."""
    told = len({json.loads(line)["step"] for line in metrics.lines})
    if heed and told < num_steps:
        raise UserError(
            f"{metrics.path} has lines of {told} of the {num_steps} steps, and the text "
            "ratio of the next one follows from them: bring back the file, or train anew "
            "with --overwrite true"
        )
    for line in map(json.loads, metrics.lines):
        watch.add(line)
        if heed:
            heed(line)


def dropout_seed(seed: int, step: int) -> int:
    """Seed of dropout at a step; it differs per rank."""
    rank = parallel.ranks().index
    return keyed.stable_hash(seed, "dropout", step, *([rank] if rank else []), bits=32)


def _leave(step: int, max_steps: int) -> None:
    """End the process after a signal, with everything saved."""
    parallel.say(
        named(
            f"stopped by a signal after step {step} of {max_steps}; a checkpoint is "
            "written, the same command carries on"
        )
    )
    raise SystemExit(EXIT_REQUEUE)


def _describe(line: Mapping[str, float], max_steps: int, shown: tuple[str, ...]) -> str:
    done = int(line["step"]) + 1
    names = [name for name in line if name.startswith((*shown, "dev_"))]
    values = "  ".join(f"{name} {line[name]:.3f}" for name in names)
    pace = f"{rate(done, line['sec'], 'steps')}, {left(done, max_steps, line['sec'])}"
    return named(f"step {done:>5}/{max_steps}  {values}  {pace}")


class Metrics:
    """The lines of metrics.jsonl, one a step, which rank 0 writes.

    A resumed run drops the lines of steps that it will take again. `report_to` gets the
    same lines (curves.py).
    """

    def __init__(self, path: Path, step: int, report_to: Sequence[Kind] = ()):
        lines = read_json_lines(path) if path.is_file() else []
        self.path = path
        kept = [line for line in lines if line["step"] < step]
        self.lines = [json.dumps(line) for line in kept]
        self.num_bad = sum(bad_steps.KEY in line for line in kept)
        self.curves = Curves(
            report_to if parallel.ranks().is_first else (), path.parent
        )

    def add(self, line: Mapping[str, float]) -> None:
        self.lines.append(json.dumps(line))

    def flush(self) -> None:
        if not parallel.ranks().is_first:
            return
        with atomic_write(self.path) as stream:
            stream.writelines(f"{line}\n" for line in self.lines)
        self.curves.write(self.lines)
