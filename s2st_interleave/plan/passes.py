"""What a network's pass costs: its kernels, counted on tensors that hold no numbers.

torch runs the real module on the device "meta", where shapes are computed and nothing
else, and each kernel that it would start is noted with its operations and its bytes. So
no network has a formula of its own here, and one that changes is counted as it is then.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Pass:
    """How often each kernel runs in a pass; a kernel is (operations, bytes).

    Bytes are those of what it reads and writes, in fp32; see `_num_taps` for the exception.
    """

    kernels: Mapping[tuple[float, float], float]

    @property
    def flops(self) -> float:
        """Floating-point operations of all products."""
        return sum(flops * count for (flops, _), count in self.kernels.items())

    @property
    def launches(self) -> float:
        """Number of kernels."""
        return sum(self.kernels.values())

    def times(self, factor: float) -> "Pass":
        """This pass so many times over."""
        return Pass({kernel: n * factor for kernel, n in self.kernels.items()})


def added(passes: Iterable[Pass]) -> Pass:
    """One after the other."""
    kernels: dict[tuple[float, float], float] = {}
    for each in passes:
        for kernel, number in each.kernels.items():
            kernels[kernel] = kernels.get(kernel, 0) + number
    return Pass(kernels)


def count(run: Callable[[], Any]) -> Pass:
    """Kernels that `run` starts; all its tensors must be on the device "meta"."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves
    from torch.utils.flop_counter import flop_registry

    kernels: Counter[tuple[float, float]] = Counter()

    class Counting(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func is torch.ops.aten._local_scalar_dense.default:
                return 1  # "are all of them ...?", which no mask may ask here: yes
            result = func(*args, **(kwargs or {}))
            if not func.is_view:
                formula = flop_registry.get(func._overloadpacket)
                flops = (
                    formula(*args, **(kwargs or {}), out_val=result) if formula else 0
                )
                touched = sum(map(_bytes, tree_leaves((args, kwargs, result))))
                kernels[float(flops), float(_num_taps(func, args) * touched)] += 1
            return result

    with Counting():
        run()
    return Pass(kernels)


def _num_taps(kernel: Any, args: Sequence[Any]) -> int:
    """How often a convolution by channel goes over its data: once for each tap.

    It has no product of matrices: a core reaches a hundredth of its products there. All
    other kernels read and write once.
    """
    import torch

    convolutions = {  # places of weight and groups among the arguments
        torch.ops.aten.convolution: (1, 8),
        torch.ops.aten.convolution_backward: (2, 9),
    }
    weight, groups = convolutions.get(kernel._overloadpacket, (0, 0))
    if not groups or args[groups] == 1:
        return 1
    return math.prod(args[weight].shape[2:])


def _bytes(leaf: Any) -> int:
    import torch

    if not isinstance(leaf, torch.Tensor):
        return 0
    return leaf.numel() * leaf.element_size()
