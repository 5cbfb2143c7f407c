"""Text in the midst of a text: without what a tokenizer puts in front of the first word."""

from collections.abc import Callable
from typing import Any

Encode = Callable[[str], list[int]]

# Stands before a fragment, and is cut off again: punctuation that words do not join.
ANCHORS = (".", ")", "|", ":", "=", "。", "1", "a")
# How a tokenizer takes a text's start is seen from these: words, and what has no spaces.
PROBES = ("a", " a", "la", " la", "1", " 1", "雨", " 雨", "(", " é")


def inner_encode(tokenizer: Any, encode: Encode) -> Encode:
    """`encode` for fragments, which begin with a space where a word before them ends.

    SentencePiece's kind has a word begin with `▁`, and puts one before a text: `▁ ▁casa`
    for " casa". What stands behind an anchor has none. Byte-level tokenizers, which
    take a text as it is, are left alone. Where no anchor can be told from what follows
    it, a fragment is encoded like a text, less a piece that is the space alone.
    """

    def behind_anchor(text: str) -> list[int] | None:
        for anchor in ANCHORS:
            before = encode(anchor)
            ids = encode(anchor + text)
            held = tokenizer.decode(before).strip() == anchor
            if held and ids[: len(before)] == before:
                return ids[len(before) :]
        return None

    known = {probe: behind_anchor(probe) for probe in PROBES}
    seen = [probe for probe, ids in known.items() if ids is not None]
    if seen and all(known[probe] == encode(probe) for probe in seen):
        return encode

    def inside(text: str) -> list[int]:
        found = behind_anchor(text)
        if found is not None:
            return found
        ids, bare = encode(text), encode(text.removeprefix(" "))
        return bare if ids[-len(bare) :] == bare else ids

    return inside
