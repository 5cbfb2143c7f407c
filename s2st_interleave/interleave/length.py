"""How many tokens the sequence of an utterance has, without building it."""

from collections.abc import Sequence

from s2st_interleave.data.text import gap
from s2st_interleave.interleave.dump import Utterance
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.segments import Side, uniform_spans
from s2st_interleave.interleave.sequence import Encode

BYTE_TOKENS = 12  # a byte of text at most: normalisers may make one sign many


def fits_surely(utterance: Utterance, positions: int) -> bool:
    """Whether it cannot have more tokens, whatever the tokenizer; takes no time."""
    sides = utterance.sides.values()
    units = sum(len(side.units) for side in sides)
    texts = [side.text for side in sides] + [utterance.pair]
    size = sum(len(text.encode()) for text in texts)
    # A text stands in the chain of thought, and once more among the units.
    return units + 2 * BYTE_TOKENS * size + 10 <= positions


def num_tokens(
    utterance: Utterance, encode: Encode, layout: Layout, said: str = ""
) -> int:
    """Of the sequence at text ratio 0: of inference, were it answered by the reference.

    Its blocks with a mark behind each, <bos>, and the prompt `said`.
    """
    count = 1 + len(layout.blocks) + (len(encode(said)) if said else 0)
    for block in layout.blocks:
        side = utterance.sides[block.side]
        is_text = block.kind == "text"
        count += len(encode(side.text)) if is_text else len(side.units)
    return count


def most_tokens(
    utterance: Utterance, encode: Encode, layout: Layout, said: str = ""
) -> int:
    """At any text ratio: a word of more tokens than units makes its text the longer."""
    spoken = [block.side for block in layout.blocks if block.kind == "speech"]
    more = sum(_growth(utterance.sides[side], encode) for side in spoken)
    return num_tokens(utterance, encode, layout, said) + more


def _growth(side: Side, encode: Encode) -> int:
    """Tokens that text adds at most, of words that are aligned or at equal intervals."""
    before = ("", *side.words)
    counts = [
        len(encode(gap(last, word) + word))
        for last, word in zip(before, side.words, strict=False)
    ]
    spans = (side.spans, uniform_spans(len(side.words), len(side.units)))
    return max(_surplus(counts, one.tolist()) for one in spans)


def _surplus(counts: Sequence[int], spans: Sequence[tuple[int, int]]) -> int:
    return sum(
        max(0, count - (end - start))
        for count, (start, end) in zip(counts, spans, strict=True)
    )
