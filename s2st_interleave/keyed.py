"""Randomness that depends on its key alone: not on workers, order, restarts or time."""

import hashlib
import math
import threading
from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring_ascii
from typing import Any

import numpy as np


def stable_hash(*key: object, bits: int = 128) -> int:
    """An integer of `bits` bits that is the same in every process and on every machine."""
    return int.from_bytes(_digest(key, bits), "little")


def _digest(key: Iterable[object], bits: int) -> bytes:
    text = ", ".join(encode_basestring_ascii(str(part)) for part in key)
    return hashlib.blake2b(f"[{text}]".encode(), digest_size=bits // 8).digest()


def generator(*key: object) -> np.random.Generator:
    """A counter-based generator for one key such as (seed, step, utterance id, side)."""
    return np.random.Generator(np.random.Philox(key=stable_hash(*key)))


class Stream:
    """A few draws of `generator(*key)`, the same to the bit, in a tenth of the time.

    A training draws a few numbers for each of thousands of keys a second, and most of that
    time went into making generators. Philox itself stays numpy's; what turns its numbers
    into draws is written out here, as in numpy's distributions.c.
    """

    MOST_POISSON = 10  # numpy draws larger means in another manner, which is not here

    def __init__(self, *key: object):
        self._next = _numbers(np.frombuffer(_digest(key, 128), dtype="<u8")).__next__
        self._half: int | None = (
            None  # numpy keeps the upper half of a number for later
        )

    def random(self) -> float:
        """As Generator.random: uniform in [0, 1)."""
        return (self._next() >> 11) * _STEP

    def integers(self, high: int) -> int:
        """As Generator.integers: uniform in 0..high - 1, for `high` below 2^32 (Lemire)."""
        if high == 1:
            return 0
        product = self._next_half() * high
        if (product & _LOWER) < high:
            threshold = (_LOWER + 1 - high) % high
            while (product & _LOWER) < threshold:
                product = self._next_half() * high
        return product >> 32

    def poisson(self, mean: float) -> int:
        """As Generator.poisson, for a `mean` below MOST_POISSON."""
        if not 0 <= mean < self.MOST_POISSON:
            raise ValueError(f"mean is {mean}, wants 0 to {self.MOST_POISSON}")
        if mean == 0:
            return 0
        least, count, number = math.exp(-mean), 0, self._next
        product = (number() >> 11) * _STEP
        while product > least:
            count += 1
            product *= (number() >> 11) * _STEP
        return count

    def _next_half(self) -> int:
        if self._half is not None:
            half, self._half = self._half, None
            return half
        whole = self._next()
        self._half = whole >> 32
        return whole & _LOWER


_LOWER = 2**32 - 1
_STEP = 2.0**-53


def stream(*key: object, mean: float) -> "Stream | np.random.Generator":
    """The generator of a key, of which at most Poisson numbers of this mean are drawn."""
    return Stream(*key) if mean < Stream.MOST_POISSON else generator(*key)


class _Local(threading.local):
    """A Philox of each thread's own: to set its key is cheaper than to make another."""

    def __init__(self) -> None:
        self.philox = np.random.Philox(0)
        self.state: Any = self.philox.state  # at the start of its numbers


_LOCAL = _Local()


def _numbers(key: np.ndarray) -> Iterator[int]:
    """The numbers of 64 bits, without end, of the Philox with uint64 `key` (2,)."""
    start, end = 0, 32
    while True:
        _LOCAL.state["state"]["key"] = key
        _LOCAL.philox.state = _LOCAL.state
        yield from _LOCAL.philox.random_raw(end).tolist()[start:]
        start, end = end, 2 * end


def draw(names: Iterable[str], size: int) -> set[str]:
    """Draw `size` of `names` by their hashes.

    The order of `names` does not matter, and a larger draw includes every smaller one.
    """
    return set(sorted(names, key=lambda name: stable_hash("draw", name))[:size])
