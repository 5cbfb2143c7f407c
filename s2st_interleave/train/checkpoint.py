"""Checkpoints: `checkpoint-<step>/`, whole or absent; the newest few and the best stay."""

import math
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from torch import nn

from s2st_interleave import parallel, record_file
from s2st_interleave.errors import UserError
from s2st_interleave.files import (
    atomic_write,
    read_as,
    remove_tree,
    sync,
    sync_tree,
    write_json,
)
from s2st_interleave.llm.options import HEADS_FILE, TRAINED_FILE
from s2st_interleave.promises import DONE
from s2st_interleave.train import checksums, engine, sharded
from s2st_interleave.weights import reading

if TYPE_CHECKING:
    from s2st_interleave.train.loop import Learner

# One file, or several numbered ones: `save_pretrained` cuts at 50 GB.
WEIGHTS = "model*.safetensors"
META, OPTIMIZER = "meta.json", "optimizer.pt"
COPIED = 1 << 20  # bytes at a time
SHARDS = "shards"  # in place of OPTIMIZER where several ranks have written it
BY_SIGNAL = "by_signal"  # marks one that an undisturbed training would not have saved
MAY_GO = (OPTIMIZER, SHARDS)  # a finished training keeps those of its last checkpoint


@dataclass(frozen=True)
class Progress:
    """All loop state besides weights and optimizer."""

    step: int = 0  # optimizer steps done
    tokens_seen: int = 0
    train_sec: float = 0.0
    best_step: int = 0
    best_loss: float = float("inf")  # of the criterion by which checkpoints compare

    def advanced(self, tokens: int, train_sec: float) -> "Progress":
        return replace(
            self,
            step=self.step + 1,
            tokens_seen=self.tokens_seen + tokens,
            train_sec=train_sec,
        )

    def judged(self, loss: float, criterion: float) -> "Progress":
        """Note a dev loss, and the criterion, which is lowest at the best checkpoint.

        UserError if the loss is not finite: no later one would be lower.
        """
        if not math.isfinite(loss):
            raise UserError(
                f"step {self.step}: dev_loss is {loss}, not finite; lower --lr or add "
                "--warmup_steps, with another tag"
            )
        if criterion >= self.best_loss:
            return self
        return replace(self, best_step=self.step, best_loss=criterion)


def path(directory: Path, step: int) -> Path:
    return directory / f"checkpoint-{step}"


def by_step(directory: Path) -> dict[int, Path]:
    """Whole checkpoints by step; one without meta.json was never finished.

    A copy that someone has put beside them, say `checkpoint-4-mine`, is none.
    """
    metas = directory.glob(f"checkpoint-*/{META}")
    steps = {m.parent: m.parent.name.removeprefix("checkpoint-") for m in metas}
    return {int(k): path for path, k in steps.items() if k.isascii() and k.isdigit()}


def newest(directory: Path, max_steps: int) -> Path | None:
    """The newest checkpoint whose files are what was written; None where there is none.

    A broken one is told of and removed, so that training takes its steps again. What a
    process that was killed had begun to write, or to remove, goes as well. UserError for
    one that is of another step than its name says, or of more than `max_steps`.
    """
    _remove_left(directory)
    checkpoints = by_step(directory)
    for step in sorted(checkpoints, reverse=True):
        broken = checksums.broken_file(checkpoints[step], MAY_GO)
        if broken is None:
            _check_step(checkpoints[step], step, max_steps)
            return checkpoints[step]
        older = [before for before in checkpoints if before < step]
        goes_on = f"from step {max(older)}" if older else "from the start"
        print(
            f"{broken} is broken: {checkpoints[step].name} is removed, and training goes "
            f"on {goes_on}",
            flush=True,
        )
        _remove(checkpoints[step])
    return None


def _check_step(checkpoint: Path, step: int, max_steps: int) -> None:
    told = read_as(Progress, checkpoint / META).step
    if told != step or step > max_steps:
        raise UserError(
            f"{checkpoint} is of step {told} by its {META}, in a training of {max_steps} "
            f"steps: is it of another training? {_without(checkpoint)}"
        )


def _temporary(checkpoint: Path) -> Path:
    return checkpoint.with_name(f".{checkpoint.name}.tmp")


def _remove(checkpoint: Path) -> None:
    """Remove a checkpoint, renamed first: half of it must not stay after a kill."""
    remove_tree(_temporary(checkpoint))
    checkpoint.rename(_temporary(checkpoint))
    remove_tree(_temporary(checkpoint))


def _remove_left(directory: Path) -> None:
    for left in directory.glob(".checkpoint-*.tmp"):
        remove_tree(left)


def load_model(source: Path | None, model: nn.Module) -> Progress:
    """Load a checkpoint's weights in place; without one, return a fresh Progress."""
    if source is None:
        return Progress()
    trained = source / TRAINED_FILE  # adapters; all other weights are those of `model`
    if trained.is_file():
        for file in (trained, *source.glob(HEADS_FILE)):
            _load_file(file, model, source)
    else:
        _load_weights(model, source)
    return read_as(Progress, source / META)


def _without(source: Path) -> str:
    return f"remove {source}, and training goes on from the checkpoint before it"


def _load_file(file: Path, model: nn.Module, source: Path) -> set[str]:
    """Load a file's weights into `model`; return their names."""
    with reading(file, _without(source)):
        part = load_file(file)
        unknown = model.load_state_dict(part, strict=False).unexpected_keys
    if unknown:
        raise UserError(f"{file} holds the weights of another model: {unknown[0]}")
    return set(part)


def _load_weights(model: nn.Module, source: Path) -> None:
    """Load from one or several files; names that share a tensor are written once."""
    files = [*sorted(source.glob(WEIGHTS)), *source.glob(HEADS_FILE)]
    seen = {name for file in files for name in _load_file(file, model, source)}
    state = model.state_dict(keep_vars=True)
    held = {id(value) for name, value in state.items() if name in seen}
    missing = [name for name, value in state.items() if id(value) not in held]
    if missing:
        raise UserError(
            f"{source}: {len(missing)} weights are missing in {WEIGHTS}, first "
            f"{missing[0]}: {_without(source)}"
        )


def load_optimizer(
    source: Path | None, model: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Load the optimizer's state in place, whatever number of ranks has written it."""
    if source is None:
        return
    if (source / SHARDS).is_dir():
        sharded.load(source / SHARDS, model, optimizer)
        return
    if not (source / OPTIMIZER).is_file():
        raise UserError(
            f"{source}: no optimizer state, which a finished training keeps in its last "
            "checkpoint alone (--keep_optimizer all): was a later one removed? Train anew "
            "with another tag, or with --overwrite true"
        )
    with reading(source / OPTIMIZER, _without(source)):
        state = _mapped(source / OPTIMIZER)
        if engine.is_sharded(model):
            state = sharded.distribute(state, model)
        else:
            on_gpu = next(model.parameters()).device.type != "cpu"
            state = _copied(state, only_steps=on_gpu)
    optimizer.load_state_dict(state)


def _mapped(file: Path) -> dict[str, Any]:
    """An optimizer's state whose tensors are read from disk when they are used.

    Every rank reads it, and eight copies of it do not fit in a machine's memory.
    """
    return torch.load(file, map_location="cpu", weights_only=True, mmap=True)


def _copied(state: dict[str, Any], *, only_steps: bool) -> dict[str, Any]:
    """The state with copies of what the optimizer would keep as it is: the file may go.

    On a GPU these are the numbers of steps alone; all else is moved there.
    """

    def own(value: Any) -> Any:
        if not isinstance(value, torch.Tensor) or (only_steps and value.dim()):
            return value
        return value.clone()

    copies = {
        number: {name: own(value) for name, value in values.items()}
        for number, values in state["state"].items()
    }
    return state | {"state": copies}


def prune(directory: Path) -> None:
    """Remove the optimizer's state of all whole checkpoints but the newest."""
    checkpoints = by_step(directory)
    for step in sorted(checkpoints)[:-1]:
        (checkpoints[step] / OPTIMIZER).unlink(missing_ok=True)
        remove_tree(checkpoints[step] / SHARDS)


def save(
    directory: Path,
    learner: "Learner",
    progress: Progress,
    keep_last: int,
    *,
    by_signal: bool = False,
) -> None:
    """Write one checkpoint beside its place, move it there, then remove old ones.

    One saved only because of a signal goes with the next, so that a training that was
    interrupted keeps the same ones in the end.

    The checkpoint holds the whole model, as its readers want it, and the optimizer's state
    in one file, or in one of each rank. Rank 0 reads the model back, but after a signal:
    UserError where it is not the one that was saved. All ranks must call this together.
    """
    check = learner.checker()
    target = path(directory, progress.step)
    temporary = _temporary(target)

    def begin() -> None:
        _remove_left(directory)
        remove_tree(target)
        temporary.mkdir(parents=True)

    def end() -> None:
        write_json(temporary / META, asdict(progress))
        if by_signal:
            (temporary / BY_SIGNAL).touch()
        checksums.write(temporary)
        # On disk, content and name, before an older one goes: the power may be cut.
        sync_tree(temporary)
        temporary.rename(target)
        sync(directory)
        checkpoints = by_step(directory)
        due = [k for k, at in checkpoints.items() if not (at / BY_SIGNAL).exists()]
        keep = {*sorted(due)[-max(1, keep_last) :], progress.best_step, progress.step}
        for step in checkpoints.keys() - keep:
            _remove(checkpoints[step])

    parallel.on_first(begin)
    with engine.whole(learner.model):
        parallel.on_first(lambda: learner.save(temporary))
    if parallel.ranks().count > 1:  # each rank writes a part, sharded or not
        sharded.save(temporary / SHARDS, learner.model, learner.optimizer)
    else:
        state = learner.optimizer.state_dict
        parallel.on_first(lambda: torch.save(state(), temporary / OPTIMIZER))
    if not by_signal:  # a scheduler kills soon, and who resumes compares the digests
        parallel.on_first(lambda: check(temporary))
    parallel.on_first(end)


def of(directory: Path, name: str) -> Path:
    """The folder of the checkpoint `name` of a finished training.

    Raises FileNotFoundError where it was removed, which makes no training invalid, and
    UserError where it is not what was written, or that of another training.
    """
    if not (directory / name).is_dir():
        raise FileNotFoundError(
            f"{directory / name} is gone, {directory} is finished: was it removed? "
            f"Decode another (--checkpoint last, best), or move {directory} away and "
            "train again: ./run.sh --stage 6 --stop_stage 6"
        )
    done = record_file.read(directory / DONE) if (directory / DONE).is_file() else {}
    known = {
        k.removeprefix(f"{name}/"): sha256
        for k, sha256 in done.get("digests", {}).items()
        if k.startswith(f"{name}/")
    }
    if broken := checksums.broken_file(directory / name, unread=MAY_GO, known=known):
        raise UserError(
            f"{broken} is broken, or of another training: copy it again, or move {directory} "
            "away and train again: ./run.sh --stage 6 --stop_stage 6"
        )
    return directory / name


def export(checkpoint: Path, directory: Path) -> None:
    """Copy a checkpoint's model to `directory`, without optimizer state and progress."""
    for old in directory.glob(f"{WEIGHTS}*"):  # they may be another number of files
        old.unlink()
    for file in checkpoint.iterdir():
        if file.is_file() and file.name not in (OPTIMIZER, META, checksums.FILE):
            with (
                atomic_write(directory / file.name, "wb") as copy,
                file.open("rb") as stream,
            ):
                shutil.copyfileobj(stream, copy, COPIED)
