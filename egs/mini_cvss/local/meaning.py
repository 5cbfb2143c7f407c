"""Meanings, which all languages of the made corpus share.

A meaning is a sentence without its words: concept ids, number, tense. `space.py` draws
meanings, `realise.py` puts them into the words of a language.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

LEXICON_DIR = Path(__file__).resolve().parent / "lexicon"
AUXILIARY_SIZE = {"future": 1, "want": 2, "can": 1, "must": 1}


@dataclass(frozen=True)
class NounPhrase:
    """A noun concept with its determiner, number ("sg" or "pl") and adjective."""

    noun: str
    determiner: str
    number: str = "sg"
    adjective: str = ""
    human: bool = False

    @property
    def content(self) -> str:
        """A key without "the" or "a": some languages have no articles."""
        owner = self.determiner if self.determiner in ("my", "our") else ""
        return ".".join((owner, self.adjective, self.noun, self.number))

    @property
    def size(self) -> int:
        """Number of words, about (that of English)."""
        determiner = self.determiner not in ("none", "mass")
        return determiner + bool(self.adjective) + 1


@dataclass(frozen=True)
class Phrase:
    """A noun phrase behind a relation such as "in" or "with"."""

    relation: str
    noun_phrase: NounPhrase

    @property
    def content(self) -> str:
        return f"{self.relation}:{self.noun_phrase.content}"

    @property
    def size(self) -> int:
        return 1 + self.noun_phrase.size


@dataclass(frozen=True)
class Meaning:
    """One sentence's meaning; "" or None stands for a part that the sentence lacks."""

    verb: str
    tense: str
    subject: NounPhrase
    object: NounPhrase | None = None
    recipient: Phrase | None = None
    goal: Phrase | None = None
    companion: Phrase | None = None
    place: Phrase | None = None
    predicate: str = ""
    time: str = ""
    frequency: str = ""
    manner: str = ""
    fronted: str = ""  # the slot that comes first: "time", "place" or "" for none

    @property
    def content(self) -> str:
        """The key that decides the split.

        Tense, fronting and articles are left out: meanings that differ only in them are the
        same sentence in some language ("compramos" is present and past), and must be in the
        same split.
        """
        parts = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("tense", "fronted") or not value:
                continue
            text = value if isinstance(value, str) else value.content
            parts.append(f"{field.name}={text}")
        return "|".join(parts)

    @property
    def size(self) -> int:
        """Number of words, about (that of English)."""
        size = self.verb.count("_for") + 1 + AUXILIARY_SIZE.get(self.tense, 0)
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("verb", "tense", "fronted") or not value:
                continue
            size += len(value.split("_")) if isinstance(value, str) else value.size
        return size

    @property
    def split(self) -> str:
        """`train`, `dev` (5 %) or `test` (5 %): the same for every language."""
        digest = hashlib.sha256(self.content.encode()).digest()
        percent = int.from_bytes(digest[:4], "big") % 100
        return "test" if percent < 5 else "dev" if percent < 10 else "train"


class Draw:
    """Random choices that depend only on the key (seed, purpose, key)."""

    def __init__(self, seed: int, purpose: str, key: object) -> None:
        text = f"{seed}/{purpose}/{key}".encode()
        digest = hashlib.blake2b(text, digest_size=16).digest()
        words = np.frombuffer(digest, dtype="<u8")
        self._rng = np.random.Generator(np.random.Philox(key=words))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self._rng.random() < probability)

    def uniform(self, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        return low + (high - low) * float(self._rng.random())

    def choose(self, options: Sequence[str]) -> str:
        """One of `options`, all equally likely."""
        return options[int(self._rng.random() * len(options))]

    def weighted(self, weights: Mapping[str, float]) -> str:
        """One of the keys, with a probability in proportion to its weight."""
        return self.choose([key for key, n in weights.items() for _ in range(int(n))])
