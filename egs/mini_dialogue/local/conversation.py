"""A made conversation at a market stall: what a customer asks, and the one right answer.

A turn is a question of the user and the agent's answer, in one language. The answer follows
from the question alone (prices and places are fixed), so that it can be scored exactly.
Turns are drawn by (seed, number): the same on every machine, for any size of the corpus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.errors import UserError

# Dollars a piece, the plural, and where it lies. Words, prices and counts are such as the
# recipe's recogniser, a small one, hears from a synthesiser: "peaches" is "beaches" to it, and
# "four dollars" are "for dollars".
GOODS = {
    "apple": (3, "apples", "by the door"),
    "banana": (3, "bananas", "by the window"),
    "book": (7, "books", "at the back"),
    "bottle": (3, "bottles", "on the left"),
    "candle": (7, "candles", "on the right"),
    "chicken": (9, "chickens", "at the back"),
    "cookie": (3, "cookies", "by the window"),
    "mushroom": (7, "mushrooms", "by the door"),
    "pencil": (3, "pencils", "at the back"),
    "pepper": (3, "peppers", "on the right"),
    "pineapple": (9, "pineapples", "by the door"),
    "potato": (3, "potatoes", "by the window"),
    "pumpkin": (7, "pumpkins", "on the left"),
    "sandwich": (9, "sandwiches", "on the right"),
    "ticket": (9, "tickets", "on the left"),
    "tomato": (7, "tomatoes", "by the door"),
}
COUNTS = (1, 2, 3, 5, 6)
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


def dollars(value: int) -> str:
    return "one dollar" if value == 1 else f"{number(value)} dollars"


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
    goods = _goods(rng, 2)  # of single ones dev and test would leave none
    counts = [COUNTS[int(rng.integers(len(COUNTS)))] for _ in goods]
    listed = [pieces(c, g) for c, g in zip(counts, goods, strict=True)]
    costs = [
        f"{dollars(count * GOODS[good][0])} for {what}"
        for what, count, good in zip(listed, counts, goods, strict=True)
    ]
    asked = _choose(
        rng, "i would like {} please", "give me {} please", "what do i pay for {}"
    )
    meaning = f"order {' '.join(sorted(listed))}"
    return Turn(
        asked.format(" and ".join(listed)), f"that is {' and '.join(costs)}", meaning
    )


def _where(rng: np.random.Generator) -> Turn:
    goods = _goods(rng, 2)  # of single ones dev and test would leave none
    asked = _choose(rng, "where are {}", "where do i find {}")
    plurals = [f"the {GOODS[good][1]}" for good in goods]
    places = [f"the {GOODS[good][1]} {GOODS[good][2]}" for good in goods]
    meaning = f"where {' '.join(sorted(goods))}"
    return Turn(
        asked.format(" and ".join(plurals)), f"you find {' and '.join(places)}", meaning
    )


def _cheaper(rng: np.random.Generator) -> Turn:
    while True:
        first, second = _goods(rng, 2)
        if GOODS[first][0] != GOODS[second][0]:
            break
    low, high = sorted((first, second), key=lambda good: GOODS[good][0])
    asked = _choose(
        rng, "which is cheaper one {} or one {}", "what costs less one {} or one {}"
    )
    return Turn(
        asked.format(first, second),
        f"the cheaper one is the {low}",
        f"cheaper {low} {high}",
    )


# An order says most, so that it is drawn most often.
KINDS: tuple[Callable[[np.random.Generator], Turn], ...] = (
    *(_order,) * 8,
    _where,
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
    """Turns that were not asked in the same words before.

    Raises UserError when a thousand in a row were: there are no more.
    """
    asked: set[str] = set()
    index = last = 0
    while index - last < 1000:
        turn = draw_turn(seed, index)
        index += 1
        if turn.user not in asked:
            asked.add(turn.user)
            last = index
            yield turn
    raise UserError(f"only {len(asked)} different turns can be drawn: ask for fewer")
