"""Time in turns, memory, and shares of a card's peak."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from s2st_interleave.plan.compute import GPUS

# Does the work of a turn; returns how much that was, and the seconds that it took.
Work = Callable[[int], tuple[float, float]]


@dataclass(frozen=True)
class Rates:
    """Amounts a second: medians over turns, and the ratio of neighbouring turns."""

    ours: float
    other: float | None = None
    ratio: float | None = None
    lowest: float | None = None
    highest: float | None = None


def in_turn(ours: Work, other: Work | None, turns: int) -> Rates:
    """Rates of `ours` and `other` in turns 1 to `turns`; turn 0 warms up before."""
    mine, theirs = [], []
    for turn in range(1, turns + 1):
        mine.append(_rate(ours, turn))
        if other:
            theirs.append(_rate(other, turn))
    if not other:
        return Rates(statistics.median(mine))
    ratios = [a / b for a, b in zip(mine, theirs, strict=True)]
    return Rates(
        statistics.median(mine),
        statistics.median(theirs),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
    )


def _rate(work: Work, turn: int) -> float:
    amount, seconds = work(turn)
    return amount / seconds


def timed(
    work: Callable[[int], float], turn: int, device: torch.device
) -> tuple[float, float]:
    """What `work` returns for a turn, and its seconds, until the GPU has done it."""
    wait(device)
    started = time.perf_counter()
    amount = work(turn)
    wait(device)
    return amount, time.perf_counter() - started


def wait(device: torch.device) -> None:
    """Wait until a GPU has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Memory:
    """The peak of what torch allocates on a GPU, beyond what lies there now."""

    def __init__(self, device: torch.device):
        self.is_gpu = device.type == "cuda"
        self.before = torch.cuda.memory_allocated(device) if self.is_gpu else 0

    def reset(self) -> None:
        """Begin anew; what was allocated since the beginning counts on."""
        if self.is_gpu:
            torch.cuda.reset_peak_memory_stats()

    def peak_gb(self) -> float | None:
        """GB (10^9 bytes) since `reset`; None on a CPU."""
        if not self.is_gpu:
            return None
        return (torch.cuda.max_memory_allocated() - self.before) / 1e9


def share_of_peak(
    operations: float, device: torch.device, rate: float | None, *, bf16: bool
) -> float | None:
    """The share of a card's peak at `operations` for each of `rate` a second."""
    if device.type != "cuda" or rate is None:
        return None
    name = torch.cuda.get_device_name(device)
    for card, gpu in GPUS.items():
        if card in name:
            return operations * rate / gpu.peak("bf16" if bf16 else "fp32")
    return None
