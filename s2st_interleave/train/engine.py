"""A model on several ranks: whole on each (DDP) or sharded (FSDP2, `fully_shard`)."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Literal, TypeVar

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from s2st_interleave import parallel
from s2st_interleave.errors import UserError

T = TypeVar("T")
Parallel = Literal["ddp", "fsdp"]


class WorkModule(nn.Module):
    """Runs any work that reads a model as `forward`, where DDP and FSDP2 do their part."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, work: Callable[[], T]) -> T:
        return work()


def wrap(model: nn.Module, mode: Parallel, *, uses_all: bool = False) -> nn.Module:
    """Wrap `model` for `backward` and `evaluate`; tasks go on to use `model` itself.

    Sharding replaces its parameters: make the optimizer afterwards. `uses_all` says that
    every trained parameter gets a gradient in every pass; else each pass is searched for
    those that get none.
    """
    root = WorkModule(model)
    if parallel.ranks().count == 1:
        return root
    parallel.connected()
    return _sharded(root) if mode == "fsdp" else _replicated(root, uses_all)


def compile_model(model: nn.Module, mode: Parallel) -> None:
    """Compile `model` in place, for batches of any shape; names of weights stay.

    Where its weights are sharded each layer is compiled by itself, because gathering a
    layer's weights happens between layers.
    """
    is_cut = mode == "fsdp" and parallel.ranks().count > 1
    for module in _blocks(model) if is_cut else [model]:
        module.compile(dynamic=True)


def backward(
    root: nn.Module, work: Callable[[], torch.Tensor], *, last: bool = True
) -> torch.Tensor:
    """Add the gradients of the scalar loss that `work` computes, and return it, detached.

    After the `last` micro-batch of a step the gradients are summed over the ranks. The
    loss stays on its device: reading it would wait for a GPU to finish.
    """
    is_replica = isinstance(root, DistributedDataParallel)
    with root.no_sync() if is_replica and not last else nullcontext():
        loss = root(work)
        loss.backward()
    return loss.detach()


def evaluate(root: nn.Module, work: Callable[[], T]) -> T:
    """Do `work` that needs the weights but no gradients; every rank must call this."""
    with torch.no_grad():
        result = root(work)
    if isinstance(root, FSDPModule):
        root.reshard()
    return result


def clip(model: nn.Module, max_norm: float) -> torch.Tensor:
    """Clip the gradient's norm over all ranks' parameters; return the norm before."""
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    return norm.full_tensor() if isinstance(norm, DTensor) else norm


def gradient_norm(model: nn.Module) -> torch.Tensor:
    """The norm of all gradients of a model, over all ranks' parameters."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    return norm.full_tensor() if isinstance(norm, DTensor) else norm


def take_step(optimizer: torch.optim.Optimizer, lr: float, step: int) -> None:
    """Let an optimizer change the weights; UserError where its step is beyond all floats.

    Weights and states may then be changed in part, and must not be saved.
    """
    for group in optimizer.param_groups:
        group["lr"] = lr
    try:
        optimizer.step()
    except RuntimeError as error:
        if "without overflow" not in str(error):
            raise
        raise UserError(
            f"step {step}: at learning rate {lr:g} the optimizer's step is beyond all "
            "floats: lower --lr, with another tag"
        ) from error


def is_sharded(model: nn.Module) -> bool:
    return any(isinstance(parameter, DTensor) for parameter in model.parameters())


@contextmanager
def whole(model: nn.Module) -> Iterator[None]:
    """Inside, a sharded model's parameters are whole and on the CPU, on rank 0.

    For saving: whoever writes the model need not know that it was sharded.
    """
    shards = [
        (module._parameters, name, shard)
        for module in model.modules()
        for name, shard in module._parameters.items()
        if isinstance(shard, DTensor)
    ]
    wholes: dict[int, nn.Parameter] = {}  # tied parameters stay tied
    for _, _, shard in shards:
        if id(shard) not in wholes:
            full = shard.full_tensor().detach()  # all ranks together
            # A copy, because the gathered tensor may be a view of a longer one.
            wholes[id(shard)] = (
                nn.Parameter(full.to("cpu", copy=True), shard.requires_grad)
                if parallel.ranks().is_first
                else shard
            )
    for owner, name, shard in shards:
        owner[name] = wholes[id(shard)]
    try:
        yield
    finally:
        for owner, name, shard in shards:
            owner[name] = shard


def _replicated(root: WorkModule, uses_all: bool) -> nn.Module:
    # A model may have parameters that its training leaves out (an encoder's mask
    # embedding); where it has none, torch finds the search for them worth a warning.
    warnings.filterwarnings("ignore", message="find_unused_parameters=True")
    replica = DistributedDataParallel(
        root,
        forward_sync_buffers=False,
        find_unused_parameters=not uses_all,
        gradient_as_bucket_view=True,  # no second copy of all gradients
    )
    replica.register_comm_hook(None, _sum)
    return replica


def _sum(_: None, bucket: distributed.GradBucket) -> torch.futures.Future[torch.Tensor]:
    """Sum gradients over ranks, whose numbers of targets differ; DDP takes their mean."""
    summed = distributed.all_reduce(bucket.buffer(), async_op=True)
    return summed.get_future().then(lambda future: future.value()[0])


def _sharded(root: WorkModule) -> nn.Module:
    device = next(root.parameters()).device.type
    mesh = init_device_mesh(device, (parallel.ranks().count,))
    modules = [*_blocks(root), root]  # what is left over belongs to the root
    for module in [fully_shard(module, mesh=mesh) for module in modules]:
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
