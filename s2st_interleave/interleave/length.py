"""How many tokens the sequence of an utterance has, without building it."""

from collections.abc import Sequence

from s2st_interleave.data.text import gap
from s2st_interleave.interleave.dump import SIDES, Utterance
from s2st_interleave.interleave.segments import Side, uniform_spans
from s2st_interleave.interleave.sequence import Encode

BYTE_TOKENS = 12  # a byte of text at most: normalisers may make one sign many


def fits_surely(utterance: Utterance, positions: int) -> bool:
    """Whether it cannot have more tokens, whatever the tokenizer; takes no time."""
    units = sum(len(getattr(utterance, name).units) for name in SIDES)
    texts = [getattr(utterance, name).text for name in SIDES] + [utterance.pair]
    size = sum(len(text.encode()) for text in texts)
    # A text stands in the chain of thought, and once more among the units.
    return units + 2 * BYTE_TOKENS * size + 10 <= positions


def num_tokens(utterance: Utterance, encode: Encode, *, cot: bool = True) -> int:
    """Of the sequence at text ratio 0: of inference, were it answered by the reference.

    Its units, with chain of thought both texts, the pair's prompt, and the marks.
    """
    sides = [getattr(utterance, name) for name in SIDES]
    count = sum(len(side.units) for side in sides) + 3  # <bos>, <sep>, <eos>
    if cot:
        count += sum(len(encode(side.text)) + 1 for side in sides)
    return count + (len(encode(utterance.pair)) if utterance.pair else 0)


def most_tokens(utterance: Utterance, encode: Encode, *, cot: bool = True) -> int:
    """At any text ratio: a word of more tokens than units makes its text the longer."""
    more = sum(_growth(getattr(utterance, name), encode) for name in SIDES)
    return num_tokens(utterance, encode, cot=cot) + more


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
