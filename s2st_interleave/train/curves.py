"""Curves of a training for TensorBoard and W&B, derived from the lines of metrics.jsonl.

They hold what metrics.jsonl holds and nothing else: TensorBoard's file is written anew when
a training goes on, so that a run that was killed and resumed has the curves of one that was
not. Times are seconds of training. One process writes: rank 0.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from s2st_interleave.files import remove_tree
from s2st_interleave.promises import OPEN
from s2st_interleave.record import digest

Kind = Literal["tensorboard", "wandb"]
FOLDER = "tensorboard"


class Writer(Protocol):
    """Takes the lines of metrics.jsonl in their order."""

    def add(self, line: Mapping[str, float]) -> None: ...

    def flush(self) -> None: ...


class Curves:
    """Passes the lines of metrics.jsonl on, each once; ImportError without a package."""

    def __init__(self, kinds: Sequence[Kind], directory: Path) -> None:
        makers = {"tensorboard": TensorBoard, "wandb": Wandb}
        self._writers: list[Writer] = [makers[kind](directory) for kind in kinds]
        self._num_written = 0

    def write(self, lines: Sequence[str]) -> None:
        """Write what was added to `lines`, all of metrics.jsonl, since the last call."""
        if not self._writers:
            return
        for text in lines[self._num_written :]:
            line = json.loads(text)
            for writer in self._writers:
                writer.add(line)
        self._num_written = len(lines)
        for writer in self._writers:
            writer.flush()


def tag(name: str) -> str:
    """The name of a curve: those of dev, text shares and probes stand together.

    >>> tag("dev_loss"), tag("loss"), tag("realised_src"), tag("tokens_seen")
    ('dev/loss', 'train/loss', 'text/realised_src', 'train/tokens_seen')
    """
    if name.startswith("dev_"):
        return f"dev/{name.removeprefix('dev_')}"
    if name.startswith("probe_"):
        return f"probe/{name.removeprefix('probe_')}"
    is_text = name == "text_ratio" or name.startswith("realised_")
    return f"text/{name}" if is_text else f"train/{name}"


def scalars(line: Mapping[str, float]) -> dict[str, float]:
    """The values of a line by the names of their curves."""
    return {tag(k): v for k, v in line.items() if k not in ("step", "sec")}


class TensorBoard:
    """Scalars below `<directory>/tensorboard`, which is written anew."""

    def __init__(self, directory: Path) -> None:
        # torch would tell its absence in other words.
        import tensorboard  # noqa: F401  # pyrefly: ignore[missing-import]
        from torch.utils.tensorboard import SummaryWriter

        remove_tree(directory / FOLDER)
        self.writer = SummaryWriter(str(directory / FOLDER))

    def add(self, line: Mapping[str, float]) -> None:
        step, sec = int(line["step"]) + 1, line["sec"]
        for name, value in scalars(line).items():
            self.writer.add_scalar(name, value, step, walltime=sec)

    def flush(self) -> None:
        self.writer.flush()


class Wandb:
    """A W&B run of the directory's name, which goes on where it was.

    Its id follows from the directory and from what is trained in it. $WANDB_PROJECT,
    $WANDB_MODE and the like are W&B's own.
    """

    def __init__(self, directory: Path) -> None:
        import wandb  # pyrefly: ignore[missing-import]

        opened = directory / OPEN
        record = json.loads(opened.read_text("utf-8")) if opened.is_file() else {}
        what = record.get("inputs", {})
        self.run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "s2st_interleave"),
            name=str(directory),
            id=digest([str(directory.absolute()), what])[:16],
            resume="allow",
            dir=str(directory),
            config=record.get("options", {}),
        )

    def add(self, line: Mapping[str, float]) -> None:
        step = int(line["step"]) + 1
        if step >= self.run.step:  # what it has already is not sent twice
            self.run.log({**scalars(line), "sec": line["sec"]}, step=step)

    def flush(self) -> None:
        pass
