"""The utterances of a step's batch, as a pure function of (seed, step)."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.errors import UserError
from s2st_interleave.parallel import ranks

T = TypeVar("T")


def batch_at(items: Sequence[T], step: int, size: int, seed: int) -> list[T]:
    """The `step`-th batch of an endless stream of keyed shuffles of `items`."""
    chosen = []
    for position in range(step * size, (step + 1) * size):
        epoch, index = divmod(position, len(items))
        chosen.append(items[_shuffled(len(items), epoch, seed)[index]])
    return chosen


@lru_cache(maxsize=4)
def _shuffled(count: int, epoch: int, seed: int) -> np.ndarray:
    return keyed.generator(seed, "shuffle", epoch).permutation(count)


def split(items: Sequence[T], parts: int) -> list[Sequence[T]]:
    """Cut into at most `parts` pieces of nearly equal size, none empty."""
    bounds = np.linspace(0, len(items), min(parts, len(items)) + 1).astype(int)
    return [items[a:b] for a, b in pairwise(bounds)]


def share(items: Sequence[T], parts: int) -> list[Sequence[T]]:
    """Return this rank's pieces of a batch that is cut into `parts` over all ranks.

    Every rank gets equally many, so that no rank waits for another: `parts` is rounded up
    to a multiple of the number of ranks. Raises UserError where there are more ranks than
    items.
    """
    me = ranks()
    most = len(items) // me.count
    if not most:
        raise UserError(
            f"{me.count} ranks cannot share {len(items)} utterances: "
            "take fewer GPUs, or a larger batch_size"
        )
    parts = me.count * min(-(-parts // me.count), most)
    return split(items, parts)[me.index :: me.count]


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Return this rank's share of items to evaluate, in pieces of about `size`."""
    if ranks().count > 1:
        return share(items, -(-len(items) // size))
    return [items[start : start + size] for start in range(0, len(items), size)]
