"""Which utterances make a step's batch: a pure function of (seed, step)."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np

from s2st_interleave import keyed

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
    """At most `parts` pieces of nearly equal size, none empty."""
    bounds = np.linspace(0, len(items), min(parts, len(items)) + 1).astype(int)
    return [items[a:b] for a, b in pairwise(bounds)]
