"""Randomness that depends on its key alone: not on workers, order, restarts or time."""

import hashlib
import json
from collections.abc import Iterable

import numpy as np


def stable_hash(*key: object, bits: int = 128) -> int:
    """An integer of `bits` bits that is the same in every process and on every machine."""
    text = json.dumps([str(part) for part in key])
    digest = hashlib.blake2b(text.encode(), digest_size=bits // 8).digest()
    return int.from_bytes(digest, "little")


def generator(*key: object) -> np.random.Generator:
    """A counter-based generator for one key such as (seed, step, utterance id, side)."""
    return np.random.Generator(np.random.Philox(key=stable_hash(*key)))


def draw(names: Iterable[str], size: int) -> set[str]:
    """Draw `size` of `names` by their hashes.

    The order of `names` does not matter, and a larger draw includes every smaller one.
    """
    return set(sorted(names, key=lambda name: stable_hash("draw", name))[:size])
