"""A check of a saved model: read back, it must give the outputs of the one in memory."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from torch import nn
from transformers import PreTrainedModel

from s2st_interleave.errors import UserError
from s2st_interleave.precision import exact, spread_apart
from s2st_interleave.train import engine

if TYPE_CHECKING:
    from s2st_interleave.train.adamw import Task

# In standard deviations of the outputs: merged adapters and GPUs round differently.
TOLERANCE, GPU_TOLERANCE = 1e-3, 1e-2


def checker(root: nn.Module, task: "Task[Any]") -> Callable[[Path], None]:
    """Make a check of a folder that `task.save` has written.

    The check raises UserError where the folder holds another model. All ranks must call
    this together; rank 0 alone calls the check. It costs two passes over few inputs and no
    copy of the weights: 4 s on one core for a billion weights, a tenth of writing them.
    """
    task.model.eval()
    with exact():
        ours = engine.evaluate(root, task.sample)

    def check(directory: Path) -> None:
        theirs = task.sample_saved(directory)
        if ours is None or theirs is None:
            return
        far = spread_apart(theirs, ours)
        if not math.isfinite(far):
            raise UserError(
                "outputs of the saved model are not finite: its weights have grown too "
                "large; lower --lr or weight decay, with another tag"
            )
        on_cpu = next(task.model.parameters()).device.type == "cpu"
        if not far < (TOLERANCE if on_cpu else GPU_TOLERANCE):
            kind = cast(PreTrainedModel, task.model).config.model_type
            raise UserError(
                f"a {kind} model is another one when it is saved "
                f"and loaded (outputs are off by {far:.2g} of their spread): set "
                "--lora_rank 0 if it has adapters, or take another model"
            )

    return check
