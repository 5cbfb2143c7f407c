"""The work of a stage, and the seconds that it takes on a device, part by part.

What runs on the device takes, for each kernel, the longer of its operations over the
device's products and its bytes over its memory's bandwidth. On top of that come the parts
that keep it waiting; where other processes or a queue do them ahead, only what is longer
than the device's own work counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from s2st_interleave.plan.compute import GPUS
from s2st_interleave.plan.memory import Precision
from s2st_interleave.plan.passes import Pass, added
from s2st_interleave.plan.rates import Device, Rates

DTYPES: tuple[Literal["bf16", "tf32", "fp32"], ...] = ("bf16", "tf32", "fp32")
HIDING = 1 / 3  # sums hide behind the later half of a step's last backward pass
PARTS = (
    "arithmetic",
    "memory",
    "launches",
    "loading",
    "imbalance",
    "evaluation",
    "gradients",
    "saving",
    "one process",
    "starting",
)


@dataclass(frozen=True)
class Work:
    """What one of `gpus` GPUs does in a stage, and what all of them wait for."""

    stage: str
    gpus: int = 1
    passes: tuple[Pass, ...] = ()
    evaluations: tuple[Pass, ...] = ()
    imbalance: float = 1.0  # of the slowest GPU to the mean
    dtype: str = (
        ""  # of products: bf16, tf32, fp32; "": what the training is planned with
    )
    loading_sec: float = 0.0  # of a core, for this GPU's share
    loaders: float = 0.0  # cores that load for it, where not as many as the rates say
    own_sec: float = 0.0  # of the process that feeds the GPU, while the GPU works
    alone_sec: float = 0.0  # one process works, all others wait
    num_sums: float = 0.0  # of gradients over all GPUs
    summed_bytes: float = 0.0  # each time
    hiding: float = 0.0  # the share of the passes behind which sums hide
    saved_bytes: float = 0.0
    starts: float = 1.0  # of a process, its model read
    read_bytes: float = 0.0  # at each start


def gpu(name: str, precision: Precision, rates: Rates) -> Device:
    """A GPU of compute.GPUS; bytes of passes are fp32's, so bf16 has more a second."""
    kind = GPUS[name]
    memory = kind.bandwidth * rates.memory_share
    kinds: dict[str, tuple[float, float]] = {
        dtype: (
            kind.peak(dtype) * rates.product_share,
            memory / rates.bf16_bytes if dtype == "bf16" else memory,
        )
        for dtype in DTYPES
    }
    return Device(
        name=name,
        products=kinds[precision][0],
        memory=kinds[precision][1],
        launch_sec=rates.launch_sec,
        ahead=True,
        loaders=rates.loaders,
        kinds=kinds,
    )


def core(rates: Rates) -> Device:
    """A core that computes as well as loads, as in the mini recipe."""
    return Device(
        name="core",
        products=rates.core_products,
        memory=rates.core_memory,
        launch_sec=rates.core_launch_sec,
        ahead=False,
        loaders=0,
    )


def seconds(
    work: Work, device: Device, rates: Rates, gpus_per_node: int = 8
) -> dict[str, float]:
    """Seconds of each of PARTS; their sum is the stage's wall time."""
    device = device.at(work.dtype)
    parts = dict.fromkeys(PARTS, 0.0)
    parts |= _device(added(work.passes), device)
    computing = sum(parts.values())
    parts["imbalance"] = computing * (work.imbalance - 1)
    busy = computing * work.imbalance
    if device.loaders:
        ahead = work.loading_sec / (work.loaders or device.loaders)
        parts["loading"] = max(0.0, ahead - busy, work.own_sec - busy)
    else:
        parts["loading"] = work.loading_sec + work.own_sec
    parts["evaluation"] = sum(_device(added(work.evaluations), device).values())
    sums = work.num_sums * _sum_sec(work, rates, gpus_per_node)
    parts["gradients"] = max(0.0, sums - work.hiding * busy)
    parts["saving"] = work.saved_bytes / rates.write_rate
    parts["one process"] = work.alone_sec
    parts["starting"] = work.starts * (
        rates.start_sec + work.read_bytes / rates.read_rate
    )
    return parts


def saved_bytes(num_weights: int, gpus: int) -> float:
    """Of a checkpoint: rank 0's weights, and each rank's part of AdamW's two moments."""
    return num_weights * (4 + 8 / gpus)


def bound(parts: Mapping[str, float]) -> str:
    """The longest part, and its share of all."""
    name = max(parts, key=lambda part: parts[part])
    return f"{name} {parts[name] / max(1e-9, sum(parts.values())):.0%}"


def _device(work: Pass, device: Device) -> dict[str, float]:
    """Seconds of kernels by what each waits for, and those of starting them."""
    arithmetic = memory = 0.0
    for (flops, size), number in work.kernels.items():
        products, bandwidth = flops / device.products, size / device.memory
        if products >= bandwidth:
            arithmetic += number * products
        else:
            memory += number * bandwidth
    launches = work.launches * device.launch_sec
    if device.ahead:
        launches = max(0.0, launches - arithmetic - memory)
    return {"arithmetic": arithmetic, "memory": memory, "launches": launches}


def _sum_sec(work: Work, rates: Rates, gpus_per_node: int) -> float:
    """Seconds of a ring's sum: each GPU sends and gets the bytes nearly twice."""
    if work.gpus == 1:
        return 0.0
    link = rates.node_link if work.gpus <= gpus_per_node else rates.cluster_link
    return 2 * (work.gpus - 1) / work.gpus * work.summed_bytes / link
