"""The utterances of a step's batch, as a pure function of (seed, step), and how it is cut.

A batch is cut either into `accum_grad` pieces of as many utterances (`share`), or by
length (`deal`): micro-batches of similar lengths, each within a budget of padded tokens or
frames.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.errors import UserError
from s2st_interleave.parallel import gathered, ranks

T = TypeVar("T")


def batch_at(items: Sequence[T], step: int, size: int, seed: int) -> list[T]:
    """The `step`-th batch of an endless stream of keyed shuffles of `items`.

    At the border of two shuffles an item may be twice in a batch.
    """
    chosen = []
    for position in range(step * size, (step + 1) * size):
        epoch, index = divmod(position, len(items))
        chosen.append(items[_shuffled(len(items), epoch, seed)[index]])
    return chosen


def steps_of(index: int, count: int, size: int, seed: int, num_steps: int) -> list[int]:
    """The steps below `num_steps` whose `batch_at` of `count` items holds item `index`."""
    places = (
        epoch * count + int(np.flatnonzero(_shuffled(count, epoch, seed) == index)[0])
        for epoch in range(-(-num_steps * size // count))
    )
    steps = dict.fromkeys(place // size for place in places)
    return [step for step in steps if step < num_steps]


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
    check_enough(len(items), me.count)
    most = len(items) // me.count
    parts = me.count * min(-(-parts // me.count), most)
    return split(items, parts)[me.index :: me.count]


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Return this rank's share of items to evaluate, in pieces of about `size`."""
    if ranks().count > 1:
        return share(items, -(-len(items) // size))
    return [items[start : start + size] for start in range(0, len(items), size)]


def my_places(count: int) -> range:
    """Which of `count` items this rank draws: every so many-th."""
    me = ranks()
    return range(me.index, count, me.count)


def in_order(drawn: list[T]) -> list[T]:
    """What all ranks have drawn at their places, in the order of the batch.

    Their exact lengths decide who computes which; nobody draws what another has drawn.
    """
    shares = gathered(drawn)
    return [
        shares[place % len(shares)][place // len(shares)]
        for place in range(sum(map(len, shares)))
    ]


def deal(
    lengths: Sequence[int] | np.ndarray, budget: int, num_ranks: int, least: int = 1
) -> list[list[list[int]]]:
    """Cut a batch into micro-batches, and deal them to ranks of about equal cost.

    A micro-batch is the indices of items of similar lengths. `lengths` are integers, in
    tokens or frames; a micro-batch costs its number of items times its greatest length,
    padding included. There are as few as `budget` allows, but `least` for each rank where
    there are as many items, and equally many for all; the dearest is as cheap as it can be
    with so many. An item longer than the budget is a micro-batch of its own. Raises
    UserError where there are more ranks than items.
    """
    check_enough(len(lengths), num_ranks)
    order = np.argsort(-np.asarray(lengths), kind="stable")
    ordered = np.asarray(lengths)[order].tolist()
    each = max(least, -(-sum(ordered) // (budget * num_ranks)))
    while True:
        pieces = _cheapest_pieces(ordered, each * num_ranks)
        if all(_fits(ordered, piece, budget) for piece in pieces):
            break
        each += 1
    return [
        [order[start:end].tolist() for start, end in mine]
        for mine in _dealt(ordered, pieces, num_ranks)
    ]


def check_enough(num_items: int, num_ranks: int) -> None:
    """Raise UserError where a batch has less utterances than ranks."""
    if num_items < num_ranks:
        raise UserError(
            f"{num_ranks} ranks cannot share {num_items} utterances: "
            "take fewer GPUs, or a larger batch_size"
        )


# Pieces are (start, end) in a list of lengths that is sorted, the greatest first: for a
# given number of pieces, none of another shape has a cheaper dearest one.
Piece = tuple[int, int]


def _cost(lengths: list[int], piece: Piece) -> int:
    return (piece[1] - piece[0]) * lengths[piece[0]]


def _fits(lengths: list[int], piece: Piece, budget: int) -> bool:
    return piece[1] - piece[0] == 1 or _cost(lengths, piece) <= budget


def _cheapest_pieces(lengths: list[int], count: int) -> list[Piece]:
    """`count` pieces, or as many as there are lengths, the dearest as cheap as can be."""
    low, high = max(1, lengths[0]), len(lengths) * max(1, lengths[0])
    while low < high:
        middle = (low + high) // 2
        if len(_pieces(lengths, middle)) <= count:
            high = middle
        else:
            low = middle + 1
    pieces = _pieces(lengths, low)
    while len(pieces) < min(
        count, len(lengths)
    ):  # they are many, but none is left over
        start, end = max(
            (piece for piece in pieces if piece[1] - piece[0] > 1),
            key=lambda piece: _cost(lengths, piece),
        )
        pieces.remove((start, end))
        middle = (start + end) // 2
        pieces += [(start, middle), (middle, end)]
    return pieces


def _pieces(lengths: list[int], most: int) -> list[Piece]:
    """Pieces that cost `most` or less, each as long as it can be."""
    pieces, start = [], 0
    while start < len(lengths):
        size = max(1, most // max(1, lengths[start]))
        pieces.append((start, min(start + size, len(lengths))))
        start += size
    return pieces


def _dealt(
    lengths: list[int], pieces: list[Piece], num_ranks: int
) -> list[list[Piece]]:
    """Pieces by rank: the dearest first, each to the cheapest rank that wants more."""
    most = -(-len(pieces) // num_ranks)
    shares: list[list[Piece]] = [[] for _ in range(num_ranks)]
    costs = [0] * num_ranks
    for piece in sorted(pieces, key=lambda piece: -_cost(lengths, piece)):
        wanting = [rank for rank in range(num_ranks) if len(shares[rank]) < most]
        rank = min(wanting, key=lambda rank: costs[rank])
        shares[rank].append(piece)
        costs[rank] += _cost(lengths, piece)
    return shares
