"""The number of tokens of an utterance's sequence, without building it."""

from collections.abc import Sequence

from s2st_interleave.data.text import gap
from s2st_interleave.interleave.dump import Utterance
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.segments import Side, uniform_spans
from s2st_interleave.interleave.sequence import Encode

BYTE_TOKENS = 12  # upper bound for a byte: a normaliser may turn one sign into many


def fits_surely(utterance: Utterance, positions: int) -> bool:
    """Whether no tokenizer can make more tokens than `positions`; takes no time."""
    sides = utterance.sides.values()
    units = sum(len(side.units) for side in sides)
    texts = [side.text for side in sides] + [utterance.pair]
    size = sum(len(text.encode()) for text in texts)
    # A text stands in the chain of thought, and once more among the units.
    return units + 2 * BYTE_TOKENS * size + 10 <= positions


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
    utterance: Utterance, encode: Encode, layout: Layout, prompt: str = ""
) -> int:
    """Upper bound of the tokens at any text ratio.

    A word whose text has more tokens than its span has units makes the sequence longer.
    """
    spoken = [block.side for block in layout.blocks if block.kind == "speech"]
    more = sum(_growth(utterance.sides[side], encode) for side in spoken)
    return num_tokens(utterance, encode, layout, prompt) + more


def _growth(side: Side, encode: Encode) -> int:
    """Tokens that text adds at most, whether words are aligned or at equal intervals."""
    before = ("", *side.words)
    counts = [
        len(encode(gap(last, word) + word))
        for last, word in zip(before, side.words, strict=False)
    ]
    spans = (side.spans, uniform_spans(len(side.words), len(side.units)))
    return max(_surplus(counts, each.tolist()) for each in spans)


def _surplus(counts: Sequence[int], spans: Sequence[tuple[int, int]]) -> int:
    return sum(
        max(0, count - (end - start))
        for count, (start, end) in zip(counts, spans, strict=True)
    )
