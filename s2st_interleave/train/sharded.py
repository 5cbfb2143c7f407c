"""The optimizer's state of several ranks, on disk (torch.distributed.checkpoint).

It is kept by the names of parameters, and any number of ranks can read it, sharded or not.
Every rank writes its own shards, or a part of what all of them have.
"""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.distributed import checkpoint as dcp
from torch.distributed.checkpoint.metadata import TensorStorageMetadata
from torch.distributed.tensor import DTensor, distribute_tensor

from s2st_interleave import parallel


def save(directory: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Write the optimizer's state; every rank writes a part."""
    state = {
        f"{name}/{what}": value
        for name, parameter in model.named_parameters()
        for what, value in optimizer.state[parameter].items()
    }
    dcp.save(state, checkpoint_id=directory)


def load(directory: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Load the state in place, into this run's shards or into whole tensors."""
    parameters = dict(model.named_parameters())
    written = dcp.FileSystemReader(directory).read_metadata().state_dict_metadata
    values: dict[str, Any] = {}
    for key, meta in written.items():
        assert isinstance(meta, TensorStorageMetadata), f"{key}: `save` writes tensors"
        parameter = parameters[key.rpartition("/")[0]]
        same = meta.size == parameter.shape
        values[key] = torch.empty_like(parameter) if same else torch.empty(meta.size)
    with warnings.catch_warnings():
        # It warns that it works in a single process, which is what we want.
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        dcp.load(values, checkpoint_id=directory, no_dist=parallel.ranks().count == 1)
    numbers = {name: number for number, name in enumerate(parameters)}
    state: dict[int, dict[str, Any]] = {}
    for key, value in values.items():
        name, _, what = key.rpartition("/")
        state.setdefault(numbers[name], {})[what] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def distribute(whole: dict[str, Any], model: nn.Module) -> dict[str, Any]:
    """Shard each tensor of an optimizer's whole `state_dict` as its parameter is."""

    def shard(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        if value.shape != like.shape or not isinstance(like, DTensor):
            return value  # the count of steps
        value = value.to(like.device)
        return distribute_tensor(
            value, like.device_mesh, like.placements, src_data_rank=None
        )

    parameters = list(model.parameters())
    state = {
        number: {k: shard(v, parameters[number]) for k, v in values.items()}
        for number, values in whole["state"].items()
    }
    return whole | {"state": state}
