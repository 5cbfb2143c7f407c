"""A made conversation at a market stall: what a customer asks, and the one right answer.

A turn is a question of the user and the agent's answer, in one language. The answer follows
from the question alone (prices are fixed), so that it can be scored exactly. Turns are
drawn by (seed, number): the same on every machine, for any size of the corpus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from s2st_interleave import keyed

# Euros a piece, and the plural.
GOODS = {
    "apple": (1, "apples"),
    "cabbage": (3, "cabbages"),
    "candle": (2, "candles"),
    "carrot": (1, "carrots"),
    "cucumber": (2, "cucumbers"),
    "flower": (3, "flowers"),
    "lemon": (1, "lemons"),
    "melon": (4, "melons"),
    "mushroom": (2, "mushrooms"),
    "onion": (1, "onions"),
    "orange": (2, "oranges"),
    "peach": (2, "peaches"),
    "pineapple": (6, "pineapples"),
    "potato": (1, "potatoes"),
    "pumpkin": (5, "pumpkins"),
    "tomato": (2, "tomatoes"),
}
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
SPLITS = ("test", "dev", "train")  # test first: it keeps its meanings in any size


@dataclass(frozen=True)
class Turn:
    """What is asked and answered; `meaning` tells apart what is not only other words."""

    user: str
    agent: str
    meaning: str


def number(value: int) -> str:
    """0 to 99 in words.

    >>> number(7), number(40), number(61)
    ('seven', 'forty', 'sixty one')
    """
    if value < 20:
        return ONES[value]
    tens, ones = divmod(value, 10)
    return TENS[tens] + (f" {ONES[ones]}" if ones else "")


def euros(value: int) -> str:
    return "one euro" if value == 1 else f"{number(value)} euros"


def pieces(count: int, good: str) -> str:
    return f"one {good}" if count == 1 else f"{number(count)} {GOODS[good][1]}"


def draw_turn(seed: int, index: int) -> Turn:
    """The `index`-th turn of `seed`."""
    rng = keyed.generator(seed, "turn", index)
    return KINDS[int(rng.integers(len(KINDS)))](rng)


def _goods(rng: np.random.Generator, count: int) -> list[str]:
    return [sorted(GOODS)[i] for i in rng.choice(len(GOODS), count, replace=False)]


def _choose(rng: np.random.Generator, *texts: str) -> str:
    return texts[int(rng.integers(len(texts)))]


def _order(rng: np.random.Generator) -> Turn:
    goods = _goods(rng, int(rng.integers(1, 4)))
    counts = [int(rng.integers(1, 7)) for _ in goods]
    listed = [pieces(c, g) for c, g in zip(counts, goods, strict=True)]
    what = " and ".join(listed)
    total = sum(c * GOODS[g][0] for c, g in zip(counts, goods, strict=True))
    asked = _choose(
        rng, "i would like {} please", "give me {} please", "we need {} today"
    )
    return Turn(
        asked.format(what),
        f"{what} that makes {euros(total)}",
        f"order {' '.join(sorted(listed))}",
    )


def _price(rng: np.random.Generator) -> Turn:
    (good,) = _goods(rng, 1)
    count = int(rng.integers(1, 10))
    what, verb = pieces(count, good), "is" if count == 1 else "are"
    asked = _choose(rng, f"how much {verb} {{}}", "what do i pay for {}")
    cost = euros(count * GOODS[good][0])
    return Turn(asked.format(what), f"{what} {verb} {cost}", f"price {what}")


def _change(rng: np.random.Generator) -> Turn:
    (good,) = _goods(rng, 1)
    count = int(rng.integers(1, 6))
    cost = count * GOODS[good][0]
    paid = cost + int(rng.integers(1, 10))
    what = pieces(count, good)
    return Turn(
        f"here are {euros(paid)} for {what} what do i get back",
        f"{what} cost {euros(cost)} so you get back {euros(paid - cost)}",
        f"change {what} {paid}",
    )


def _cheaper(rng: np.random.Generator) -> Turn:
    while True:
        first, second = _goods(rng, 2)
        if GOODS[first][0] != GOODS[second][0]:
            break
    low, high = sorted((first, second), key=lambda good: GOODS[good][0])
    more = GOODS[high][0] - GOODS[low][0]
    return Turn(
        f"which is cheaper one {first} or one {second}",
        f"one {low} is {euros(more)} cheaper than one {high}",
        f"cheaper {low} {high}",
    )


# An order says most, so that it is drawn most often.
KINDS: tuple[Callable[[np.random.Generator], Turn], ...] = (
    *(_order,) * 5,
    *(_price,) * 2,
    *(_change,) * 2,
    _cheaper,
)


def turns(seed: int, sizes: dict[str, int]) -> dict[str, list[Turn]]:
    """As many turns of each split as `sizes` says; no split has a meaning of another."""
    drawn = _distinct(seed)
    held_out: set[str] = set()
    splits: dict[str, list[Turn]] = {}
    for split in SPLITS:
        splits[split] = []
        while len(splits[split]) < sizes[split]:
            turn = next(drawn)
            if turn.meaning not in held_out:
                splits[split].append(turn)
        if split != "train":
            held_out |= {turn.meaning for turn in splits[split]}
    return splits


def _distinct(seed: int) -> Iterator[Turn]:
    """Turns that were not asked in the same words before."""
    asked: set[str] = set()
    index = 0
    while True:
        turn = draw_turn(seed, index)
        index += 1
        if turn.user not in asked:
            asked.add(turn.user)
            yield turn
