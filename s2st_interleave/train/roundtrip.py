"""What is saved is what is there: outputs of the model, and of its files read back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from s2st_interleave.errors import UserError
from s2st_interleave.precision import exact, spread_apart
from s2st_interleave.train import engine

# Shares of the outputs' spread: merged adapters round otherwise, and so does a GPU.
TOLERANCE, GPU_TOLERANCE = 1e-3, 1e-2


def checker(root: nn.Module, task: Any) -> Callable[[Path], None]:
    """A check of a folder that `task.save` has written: UserError where it holds another model.

    All ranks come here together; the function is for the first. It costs two passes over
    few inputs and no copy of the weights: of a billion, 4 s on one core, a tenth of
    what it takes to write them.
    """
    task.model.eval()
    with exact():
        ours = engine.evaluate(root, task.sample)

    def check(directory: Path) -> None:
        if ours is None:
            return
        far = spread_apart(task.sample_saved(directory), ours)
        on_cpu = task.model.device.type == "cpu"
        if not far < (TOLERANCE if on_cpu else GPU_TOLERANCE):
            raise UserError(
                f"a {task.model.config.model_type} model is another one when it is saved "
                f"and loaded (outputs are off by {far:.2g} of their spread): set "
                "--lora_rank 0 if it has adapters, or take another model"
            )

    return check
