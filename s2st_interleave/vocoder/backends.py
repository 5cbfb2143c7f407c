"""The list of unit vocoders, and the function that loads a trained one.

`hifigan` is the paper's (Sec. 3.1); `world` is a light one that trains in minutes on a
CPU core. A new kind is a module with the members of `Backend`, and a line here; its
options are the block of its name in conf/vocoder.yaml. The first is the default.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from s2st_interleave.config import nearest
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.vocoder import hifigan, world
from s2st_interleave.vocoder.base import VOCODER_FILE, Backend, Vocoder

if TYPE_CHECKING:
    import torch

BACKENDS: dict[str, Backend] = {
    "hifigan": hifigan,
    "world": world,
}


def load(directory: Path, device: "torch.device | str" = "cpu") -> Vocoder:
    """Load a trained vocoder from a stage's directory, or from one of its checkpoints.

    Raises UserError when there is none, or one of a back-end that does not exist.
    """
    path = directory / VOCODER_FILE
    if not path.is_file():
        raise UserError(f"{directory}: no vocoder here, {VOCODER_FILE} is missing")
    description = read_json(path)
    name = description.get("backend")
    if name not in BACKENDS:
        near = nearest(str(name), BACKENDS)
        raise UserError(f"{path}: unknown backend '{name}'{near}")
    return BACKENDS[name].load(directory, description, device)
