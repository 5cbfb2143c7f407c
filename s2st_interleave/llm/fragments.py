"""Encoding in mid-text, without the space that tokenizers put before a text's first word."""

from collections.abc import Callable

from transformers import PreTrainedTokenizerBase

Encode = Callable[[str], list[int]]

# An anchor is encoded before a fragment and cut off again; words do not join it.
ANCHORS = (".", ")", "|", ":", "=", "。", "1", "a")
# These show how a tokenizer treats the start of a text: words, and text without spaces.
PROBES = ("a", " a", "la", " la", "1", " 1", "雨", " 雨", "(", " é")


def inner_encode(tokenizer: PreTrainedTokenizerBase, encode: Encode) -> Encode:
    """Return an `encode` for fragments, which begin with a space after another word.

    In SentencePiece tokenizers a word begins with `▁`, and one is put before every text:
    `▁ ▁casa` for " casa". A fragment that is encoded behind an anchor gets none. Byte-level
    tokenizers encode a text as it is: for them `encode` itself is returned. Where the
    pieces of no anchor can be told from those of the fragment, the fragment is encoded like
    a text, and a piece that is only the space is left out.
    """

    def behind_anchor(text: str) -> list[int] | None:
        for anchor in ANCHORS:
            before = encode(anchor)
            ids = encode(anchor + text)
            is_kept = str(tokenizer.decode(before)).strip() == anchor
            if is_kept and ids[: len(before)] == before:
                return ids[len(before) :]
        return None

    anchored = {probe: behind_anchor(probe) for probe in PROBES}
    known = {probe: ids for probe, ids in anchored.items() if ids is not None}
    if known and all(ids == encode(probe) for probe, ids in known.items()):
        return encode

    def inside(text: str) -> list[int]:
        anchored = behind_anchor(text)
        if anchored is not None:
            return anchored
        ids, bare = encode(text), encode(text.removeprefix(" "))
        return bare if ids[-len(bare) :] == bare else ids

    return inside
