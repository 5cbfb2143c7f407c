"""Sets the device and the number of threads on which a command runs its models."""

import torch

from s2st_interleave import parallel
from s2st_interleave.errors import UserError
from s2st_interleave.launch import gpus


def resolve_device(name: str) -> torch.device:
    """The device that `--device` names; UserError where this machine does not have it."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
        if name == "cpu" and (num := gpus.num_unused()):
            raise UserError(
                f"this machine has {num} GPUs that PyTorch cannot use (an old driver, or a "
                "torch without CUDA): --device cpu works without"
            )
    _check_device(name)
    if name == "cuda" and parallel.ranks().count > 1:
        name = f"cuda:{parallel.ranks().local}"
        torch.cuda.set_device(name)  # nccl takes the current device
    elif name == "cuda":  # launch/local.py shows each job GPUs of its own
        name = "cuda:0"
    return torch.device(name)


def _check_device(name: str) -> None:
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
    """Use `num_threads` CPU threads; 0 leaves the number to PyTorch."""
    if num_threads:
        torch.set_num_threads(num_threads)
