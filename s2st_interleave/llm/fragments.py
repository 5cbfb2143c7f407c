"""Encoding in mid-text, without the space that tokenizers put before a text's first word."""

import numpy as np
from transformers import PreTrainedTokenizerBase

from s2st_interleave.llm.encoding import EncodeAll, Texts

# An anchor is encoded before a fragment and cut off again; words do not join it.
ANCHORS = (".", ")", "|", ":", "=", "。", "1", "a")
# These show how a tokenizer treats the start of a text: words, and text without spaces.
PROBES = ("a", " a", "la", " la", "1", " 1", "雨", " 雨", "(", " é")


def inner_encoder(
    tokenizer: PreTrainedTokenizerBase, encode_all: EncodeAll
) -> EncodeAll:
    """Return what encodes fragments, which begin with a space after another word.

    In SentencePiece tokenizers a word begins with `▁`, and one is put before every text:
    `▁ ▁casa` for " casa". A fragment that is encoded behind an anchor gets none. Byte-level
    tokenizers encode a text as it is: for them `encode_all` itself is returned. Where the
    pieces of no anchor can be told from those of the fragment, the fragment is encoded like
    a text, and a piece that is only the space is left out.
    """
    anchors = [
        (anchor, before)
        for anchor, before in zip(ANCHORS, encode_all(ANCHORS), strict=True)
        if str(tokenizer.decode(before.tolist())).strip() == anchor
    ]

    def behind_anchors(texts: Texts) -> dict[str, np.ndarray]:
        """Token ids of the texts that can be told from one of the anchors."""
        known: dict[str, np.ndarray] = {}
        for anchor, before in anchors:
            left = [text for text in dict.fromkeys(texts) if text not in known]
            encoded = encode_all([anchor + text for text in left])
            for text, ids in zip(left, encoded, strict=True):
                if np.array_equal(ids[: len(before)], before):
                    known[text] = ids[len(before) :]
        return known

    probes = behind_anchors(PROBES)
    plain = dict(zip(PROBES, encode_all(PROBES), strict=True))
    if probes and all(np.array_equal(ids, plain[text]) for text, ids in probes.items()):
        return encode_all

    def encode_inside(texts: Texts) -> list[np.ndarray]:
        known = behind_anchors(texts)
        return [known[t] if t in known else without_space(t) for t in texts]

    def without_space(text: str) -> np.ndarray:
        ids, bare = encode_all([text, text.removeprefix(" ")])
        # An empty `bare` is the end of nothing: ids[-0:] are all of them.
        return bare if np.array_equal(ids[-len(bare) :], bare) else ids

    return encode_inside
