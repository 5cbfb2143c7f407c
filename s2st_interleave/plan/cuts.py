"""How the batches of a training are cut over GPUs: by the training's own functions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.plan.rates import Rates
from s2st_interleave.train.batches import check_enough, deal, split

NUM_STEPS = 50  # of a phase, from which its mean step is taken


@dataclass(frozen=True)
class Cut:
    """A mean step on one GPU: `num_micro` micro-batches of `rows` rows of `length`.

    `imbalance` is the cost of the slowest GPU to the mean; cost is the padded size.
    """

    num_micro: float
    rows: int
    length: int
    imbalance: float


def cut(
    steps: Sequence[Sequence[int]],
    num_gpus: int,
    *,
    accum_grad: int,
    budget: int = 0,
    is_sorted: bool = True,
) -> Cut:
    """Cut each step's lengths by a budget of padded size, or into `accum_grad` pieces.

    `num_gpus` must not be more than a step has lengths.
    """
    num_micro, num_rows, padded = 0, 0, 0
    slowest = []
    for lengths in steps:
        shares = pieces(lengths, num_gpus, accum_grad, budget, is_sorted)
        costs = [sum(len(piece) * max(piece) for piece in mine) for mine in shares]
        num_micro += sum(map(len, shares))
        num_rows += len(lengths)
        padded += sum(costs)
        slowest.append(max(costs) / (sum(costs) / num_gpus))
    rows = max(1, round(num_rows / num_micro))
    return Cut(
        num_micro=num_rows / rows / num_gpus / len(steps),
        rows=rows,
        length=max(1, round(padded / num_rows)),
        imbalance=float(np.mean(slowest)),
    )


def pieces(
    lengths: Sequence[int],
    num_gpus: int,
    accum_grad: int,
    budget: int,
    is_sorted: bool = True,
) -> list[list[list[int]]]:
    """Lengths of each micro-batch of each GPU, as train/batches.py cuts a batch."""
    if budget:
        dealt = deal(lengths, budget, num_gpus)
        return [[[lengths[i] for i in piece] for piece in mine] for mine in dealt]
    check_enough(len(lengths), num_gpus)
    ordered = sorted(lengths) if is_sorted else list(lengths)
    most = len(ordered) // num_gpus
    parts = split(ordered, num_gpus * min(-(-accum_grad // num_gpus), most))
    return [[list(p) for p in parts[rank::num_gpus]] for rank in range(num_gpus)]


def drawn_lengths(
    mean: float, rates: Rates, batch_size: int, seed: int = 0
) -> list[list[int]]:
    """Lengths of NUM_STEPS batches, log-normal, where there is no data to take them from."""
    rng = keyed.generator(seed, "lengths of a plan", batch_size)
    spread = rates.length_spread
    drawn = rng.lognormal(-(spread**2) / 2, spread, (NUM_STEPS, batch_size)) * mean
    return [[max(1, round(each)) for each in step] for step in drawn]
