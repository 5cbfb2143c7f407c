"""Number formats: weights and optimizer stay fp32, autocast takes products in bf16."""

from typing import Any, Literal

from s2st_interleave.errors import UserError

Dtype = Literal["auto", "fp32", "bf16"]


def use_bf16(dtype: Dtype, device: Any) -> bool:
    """Is bf16 what `dtype` means on this torch.device? `auto`: on GPUs that have it.

    On a CPU `auto` is fp32, which is bit-identical from run to run, and faster. Raises
    UserError where bf16 is asked of a GPU without it: emulated, it is slower than fp32.
    """
    import torch

    has_it = device.type == "cuda" and torch.cuda.is_bf16_supported(
        including_emulation=False
    )
    if dtype == "bf16" and device.type == "cuda" and not has_it:
        raise UserError("this GPU has no bf16: set --dtype fp32")
    return dtype == "bf16" or (dtype == "auto" and has_it)


def autocast(device: Any, bf16: bool) -> Any:
    """A context in which matrix products are in bf16, or nothing changes."""
    import torch

    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16)


def exact() -> Any:
    """A context in which convolutions are in fp32: on a GPU torch takes TF32 for them.

    For outputs that are compared; products of matrices are in fp32 by themselves.
    """
    import torch

    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


def spread_apart(first: Any, second: Any) -> float:
    """Largest difference of two tensors in standard deviations; infinite for a NaN."""
    far = float((first - second).abs().max()) / max(float(second.std()), 1e-9)
    return far if far == far else float("inf")
