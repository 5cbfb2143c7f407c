"""The number of tokens of an utterance's sequence, without building it."""

from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np

from s2st_interleave.data.text import gap
from s2st_interleave.interleave.dump import Dump, Dumps, Subset
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.segments import Side, uniform_spans
from s2st_interleave.interleave.sequence import Encode
from s2st_interleave.interleave.utterance import Utterance

BYTE_TOKENS = 12  # upper bound for a byte: a normaliser may turn one sign into many


def doubtful(
    utterances: Sequence[Utterance] | Dump | Dumps | Subset, positions: int
) -> list[int]:
    """Indices of utterances of which a tokenizer might make more tokens than `positions`.

    It encodes nothing, and of a dump it reads the index alone.
    """
    if isinstance(utterances, Sequence):
        sizes = [[_num_units(each), _num_bytes(each)] for each in utterances]
        units, texts = np.array(sizes, dtype=np.int64).reshape(-1, 2).T
    else:
        units = sum(utterances.num_units(side) for side in utterances.sides)
        texts = utterances.most_bytes()
    # A text stands in the chain of thought, and once more among the units.
    return np.flatnonzero(units + 2 * BYTE_TOKENS * texts + 10 > positions).tolist()


def _num_units(utterance: Utterance) -> int:
    return sum(len(side.units) for side in utterance.sides.values())


def _num_bytes(utterance: Utterance) -> int:
    texts = [side.text for side in utterance.sides.values()]
    return sum(len(text.encode()) for text in [*texts, utterance.pair])


def num_tokens(
    utterance: Utterance, encode: Encode, layout: Layout, prompt: str = ""
) -> int:
    """Tokens at text ratio 0: inference has as many if it answers with the reference.

    They are <bos>, the prompt, and the blocks with a mark behind each.
    """
    count = 1 + len(layout.blocks) + (len(encode(prompt)) if prompt else 0)
    for block in layout.blocks:
        side = utterance.sides[block.side]
        is_text = block.kind == "text"
        count += len(encode(side.text)) if is_text else len(side.units)
    return count


def most_tokens(
    utterance: Utterance,
    encode: Encode,
    layout: Layout,
    prompt: str = "",
    *,
    interleaved: Collection[str] | None = None,
    fill: Literal["text", "mask"] = "text",
) -> int:
    """Upper bound of the tokens at any text ratio.

    A word whose text has more tokens than its span has units makes the sequence longer, on
    the sides that are `interleaved` (None: all). A mask in place of text is one token.
    """
    spoken = [block.side for block in layout.blocks if block.kind == "speech"]
    grown = [s for s in spoken if interleaved is None or s in interleaved]
    more = sum(_growth(utterance.sides[side], encode, fill) for side in grown)
    return num_tokens(utterance, encode, layout, prompt) + more


def _growth(side: Side, encode: Encode, fill: Literal["text", "mask"]) -> int:
    """Tokens that text adds at most, whether words are aligned or at equal intervals."""
    before = ("", *side.words)
    counts = [
        1 if fill == "mask" else len(encode(gap(last, word) + word))
        for last, word in zip(before, side.words, strict=False)
    ]
    spans = (side.spans, uniform_spans(len(side.words), len(side.units)))
    return max(_surplus(counts, each.tolist()) for each in spans)


def _surplus(counts: Sequence[int], spans: Sequence[tuple[int, int]]) -> int:
    return sum(
        max(0, count - (end - start))
        for count, (start, end) in zip(counts, spans, strict=True)
    )
