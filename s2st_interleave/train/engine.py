"""A model on several ranks: whole on each (DDP) or sharded (FSDP2, `fully_shard`)."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Literal, TypeVar

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from s2st_interleave import parallel

T = TypeVar("T")
Parallel = Literal["ddp", "fsdp"]


class WorkModule(nn.Module):
    """A model and any work that reads it: DDP and FSDP2 act before and after `forward`."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, work: Callable[[], T]) -> T:
        return work()


def wrap(model: nn.Module, mode: Parallel) -> nn.Module:
    """What `backward` and `evaluate` take; `model` itself stays what tasks work with.

    Sharding replaces its parameters: make the optimizer afterwards.
    """
    root = WorkModule(model)
    if parallel.ranks().count == 1:
        return root
    parallel.connected()
    return _sharded(root) if mode == "fsdp" else _replicated(root)


def backward(root: nn.Module, work: Callable[[], Any], *, last: bool = True) -> float:
    """Add the gradients of the loss that `work` computes; its value.

    After the `last` micro-batch of a step they are summed over the ranks.
    """
    replicated = isinstance(root, DistributedDataParallel)
    with root.no_sync() if replicated and not last else nullcontext():
        loss = root(work)
        loss.backward()
    return loss.item()


def evaluate(root: nn.Module, work: Callable[[], T]) -> T:
    """Do `work` that needs the weights but no gradients; every rank has to."""
    with torch.no_grad():
        result = root(work)
    if is_sharded(root):
        root.reshard()
    return result


def clip(model: nn.Module, max_norm: float) -> torch.Tensor:
    """Clip the gradient's norm over all ranks' parameters; the norm before."""
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    return norm.full_tensor() if hasattr(norm, "full_tensor") else norm


def is_sharded(model: nn.Module) -> bool:
    return any(hasattr(p, "full_tensor") for p in model.parameters())


@contextmanager
def whole(model: nn.Module) -> Iterator[None]:
    """Inside, a sharded model's parameters are whole and on the CPU, on rank 0.

    For saving: whoever writes the model need not know that it was sharded.
    """
    shards = [
        (module._parameters, name, shard)
        for module in model.modules()
        for name, shard in module._parameters.items()
        if hasattr(shard, "full_tensor")
    ]
    wholes: dict[int, Any] = {}  # tied parameters stay tied
    for _, _, shard in shards:
        if id(shard) not in wholes:
            full = shard.detach().full_tensor()  # all ranks together
            mine = parallel.ranks().is_first
            # A copy: the gathered one may be a view of something longer.
            wholes[id(shard)] = (
                nn.Parameter(full.to("cpu", copy=True), shard.requires_grad)
                if mine
                else shard
            )
    for owner, name, shard in shards:
        owner[name] = wholes[id(shard)]
    try:
        yield
    finally:
        for owner, name, shard in shards:
            owner[name] = shard


def _replicated(root: WorkModule) -> nn.Module:
    # A model may have parameters that its training leaves out (an encoder's mask
    # embedding); where it has none, torch finds the search for them worth a warning.
    warnings.filterwarnings("ignore", message="find_unused_parameters=True")
    made = DistributedDataParallel(
        root, forward_sync_buffers=False, find_unused_parameters=True
    )
    made.register_comm_hook(None, _sum)
    return made


def _sum(_: None, bucket: distributed.GradBucket) -> torch.futures.Future[torch.Tensor]:
    """DDP's own reduction is a mean over ranks; ours have unequal numbers of targets."""
    summed = distributed.all_reduce(bucket.buffer(), async_op=True)
    return summed.get_future().then(lambda future: future.value()[0])


def _sharded(root: WorkModule) -> nn.Module:
    device = next(root.parameters()).device.type
    mesh = init_device_mesh(device, (parallel.ranks().count,))
    modules = [*_blocks(root), root]  # what is left over belongs to the root
    for module in modules:
        fully_shard(module, mesh=mesh)
    for module in modules:
        # Means are wrong on gloo (pytorch issue 162338), and not what we want.
        module.set_force_sum_reduction_for_comms(True)
        module.set_gradient_divide_factor(1.0)
    return root


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    """The layers of a transformer: elements of its outermost lists."""
    for child in module.children():
        if isinstance(child, nn.ModuleList):
            yield from (
                layer for layer in child if any(True for _ in layer.parameters())
            )
        else:
            yield from _blocks(child)
