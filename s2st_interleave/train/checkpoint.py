"""Checkpoints: `checkpoint-<step>/`, whole or absent; the newest two and the best stay."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from s2st_interleave.artifact import read_json, write_json
from s2st_interleave.train.lora import TRAINED_FILE

META = "meta.json"


@dataclass(frozen=True)
class Progress:
    """All loop state besides weights and optimizer."""

    step: int = 0  # optimizer steps done
    tokens_seen: int = 0
    train_sec: float = 0.0
    best_step: int = 0
    best_loss: float = float("inf")

    def advanced(self, tokens: int, train_sec: float) -> "Progress":
        return replace(
            self,
            step=self.step + 1,
            tokens_seen=self.tokens_seen + tokens,
            train_sec=train_sec,
        )

    def judged(self, loss: float) -> "Progress":
        if loss >= self.best_loss:
            return self
        return replace(self, best_step=self.step, best_loss=loss)


def path(directory: Path, step: int) -> Path:
    return directory / f"checkpoint-{step}"


def found(directory: Path) -> dict[int, Path]:
    """Whole checkpoints by step; one without meta.json was never finished."""
    metas = directory.glob(f"checkpoint-*/{META}")
    return {int(m.parent.name.split("-")[1]): m.parent for m in metas}


def resume(directory: Path, model: Any, optimizer: Any) -> Progress:
    """Load the newest whole checkpoint in place; a fresh Progress when there is none."""
    import torch
    from safetensors.torch import load_file, load_model

    checkpoints = found(directory)
    if not checkpoints:
        return Progress()
    newest = checkpoints[max(checkpoints)]
    trained = newest / TRAINED_FILE  # of adapters; the rest is as `model` came
    if trained.is_file():
        unknown = model.load_state_dict(load_file(trained), strict=False)[1]
        assert not unknown, f"{trained}: not of this model: {unknown[0]}"
    else:
        load_model(model, newest / "model.safetensors")
    state = torch.load(newest / "optimizer.pt", map_location="cpu", weights_only=True)
    optimizer.load_state_dict(state)
    return Progress(**read_json(newest / META))


def save(
    directory: Path,
    save_model: Callable[[Path], None],
    optimizer: Any,
    progress: Progress,
    keep_last: int,
) -> None:
    """Write one checkpoint beside its place, move it there, then thin out the old."""
    import torch

    target = path(directory, progress.step)
    temporary = directory / f".{target.name}.tmp"
    for left in (temporary, target):
        shutil.rmtree(left, ignore_errors=True)
    temporary.mkdir(parents=True)
    save_model(temporary)
    torch.save(optimizer.state_dict(), temporary / "optimizer.pt")
    write_json(temporary / META, asdict(progress))
    temporary.rename(target)

    checkpoints = found(directory)
    keep = {*sorted(checkpoints)[-max(1, keep_last) :], progress.best_step}
    for step in checkpoints.keys() - keep:
        shutil.rmtree(checkpoints[step])
