"""Number formats: weights and optimizer stay fp32, autocast takes products in bf16."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Literal

from s2st_interleave.errors import UserError

if TYPE_CHECKING:
    import torch

Dtype = Literal["auto", "fp32", "bf16"]


def use_bf16(dtype: Dtype, device: "torch.device") -> bool:
    """Does `dtype` mean bf16 on this device? `auto` does on GPUs that have it.

    On a CPU `auto` is fp32, which is bit-identical from run to run, and faster. Raises
    UserError for bf16 on a GPU that only emulates it, more slowly than fp32.
    """
    import torch

    has_it = device.type == "cuda" and torch.cuda.is_bf16_supported(
        including_emulation=False
    )
    if dtype == "bf16" and device.type == "cuda" and not has_it:
        raise UserError("this GPU has no bf16: set --dtype fp32")
    return dtype == "bf16" or (dtype == "auto" and has_it)


def autocast(device: "torch.device", bf16: bool) -> AbstractContextManager[object]:
    """A context in which matrix products are in bf16; without `bf16` it does nothing."""
    import torch

    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16)


@contextmanager
def exact() -> Iterator[None]:
    """A context in which all products on a GPU are in fp32, for outputs that are compared.

    By default convolutions are in TF32, and products of matrices where an image of a
    container says so ($TORCH_ALLOW_TF32_CUBLAS_OVERRIDE).
    """
    import torch

    matmul = torch.backends.cuda.matmul
    before, matmul.allow_tf32 = matmul.allow_tf32, False
    try:
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield
    finally:
        matmul.allow_tf32 = before


def spread_apart(first: "torch.Tensor", second: "torch.Tensor") -> float:
    """Largest difference of two tensors in standard deviations of the second.

    It is infinite where one of them holds a NaN.
    """
    distance = float((first - second).abs().max()) / max(float(second.std()), 1e-9)
    return distance if distance == distance else float("inf")
