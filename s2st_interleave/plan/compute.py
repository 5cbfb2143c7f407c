"""Floating-point operations of a training, and the data sheets of GPUs.

The forward pass of a micro-batch of r rows of length l, with t positions that have a loss,
takes

    2 r l * matrix weights of all layers  +  2 t h (V + n (h + U))  +  4 r l^2 q * layers

operations for n heads that predict further ones of U units (attention computes all r l^2
scores, those that the mask hides as well); the backward pass takes twice as many. Gradient
checkpointing computes the layers once more, except for the last matrix of each, whose
product the backward pass does not need.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from s2st_interleave.plan.counts import MicroBatch
from s2st_interleave.plan.memory import Precision
from s2st_interleave.plan.sizes import LlmSizes


@dataclass(frozen=True)
class Gpu:
    """Memory in bytes, and the data sheet's peaks: dense operations and bytes a second."""

    memory: float
    bf16: float
    tf32: float
    fp32: float
    bandwidth: float

    def peak(self, precision: Precision | Literal["tf32"]) -> float:
        """Operations a second at this precision."""
        return {"bf16": self.bf16, "tf32": self.tf32, "fp32": self.fp32}[precision]


GPUS = {
    "A100": Gpu(80e9, 312e12, 156e12, 19.5e12, 2.04e12),
    "H100": Gpu(80e9, 989e12, 494e12, 67e12, 3.35e12),
    "H200": Gpu(141e9, 989e12, 494e12, 67e12, 4.8e12),
    "RTX 4090": Gpu(24e9, 165e12, 82.6e12, 82.6e12, 1.01e12),
}


def flops(
    sizes: LlmSizes, micro: Iterable[MicroBatch], *, checkpointing: bool = False
) -> int:
    """Operations of forward and backward passes; evaluation and AdamW are left out."""
    total = 0
    for batch in micro:
        positions = batch.rows * batch.length
        scores = 4 * batch.rows * batch.length**2 * sizes.query
        layers = sizes.num_layers * (2 * positions * sizes.layer_matmul + scores)
        head = 2 * batch.targets * (sizes.embedding + sizes.head_matmul)
        total += 3 * (layers + head)
        if checkpointing:
            last = 2 * positions * sizes.hidden * sizes.intermediate
            total += layers - sizes.num_layers * last
    return total
