"""What the LLM reads: units with text in their midst, and the chain of thought."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from s2st_interleave.data.text import gap, join
from s2st_interleave.interleave.segments import Side, segment_units, uniform_spans
from s2st_interleave.interleave.vocabulary import Vocabulary

Encode = Callable[[str], list[int]]
IGNORE = -100


class Blocks(NamedTuple):
    """Where a sequence's four blocks lie, half-open; the texts empty without CoT."""

    src_speech: slice
    src_text: slice
    tgt_text: slice
    tgt_speech: slice


@dataclass(frozen=True)
class Example:
    """One training sequence; labels are IGNORE where there is no loss."""

    ids: list[int]
    labels: list[int]
    blocks: Blocks


def interleave(
    side: Side,
    replaced: np.ndarray,
    vocabulary: Vocabulary,
    encode: Encode,
    *,
    fill: Literal["text", "mask"] = "text",
    alignment: Literal["words", "uniform"] = "words",
    encode_inside: Encode | None = None,
) -> list[int]:
    """Token ids of I_p: the units, with each run of replaced words as text (Sec. 3.2).

    A maximal run of replaced words, and the gaps inside it, is one BPE call on its whole
    text (or one mask token): BPE is a property of the text, not of its words. A word in
    mid-sentence keeps its leading space, and is encoded by `encode_inside`, where the
    tokenizer takes the start of a text for more than it is. Gaps outside of runs stay
    units.
    """
    uniform = alignment == "uniform"
    spans = uniform_spans(len(side.words), len(side.units)) if uniform else side.spans
    ids: list[int] = []
    for start, end, words in _runs(len(side.units), spans, replaced):
        if not words:
            ids += vocabulary.unit_ids(side.units[start:end])
        elif fill == "mask":
            ids.append(vocabulary.mask)
        else:
            text = join(side.words[word] for word in words)
            if words[0]:
                text = gap(side.words[words[0] - 1], text) + text
                ids += (encode_inside or encode)(text)
            else:
                ids += encode(text)
    return ids


def _runs(
    num_units: int, spans: np.ndarray, replaced: np.ndarray
) -> list[tuple[int, int, list[int]]]:
    """(start_unit, end_unit, words of a maximal replaced run or nothing), in order."""
    runs: list[tuple[int, int, list[int]]] = []
    for segment in segment_units(num_units, spans):
        word = segment.word
        if word is not None and replaced[word]:
            if word > 0 and replaced[word - 1]:  # swallow the gap between the two
                while runs[-1][2] == []:
                    runs.pop()
                start, _, words = runs.pop()
                runs.append((start, segment.end_unit, [*words, word]))
            else:
                runs.append((segment.start_unit, segment.end_unit, [word]))
        else:
            runs.append((segment.start_unit, segment.end_unit, []))
    return runs


def build_example(
    source: list[int],
    target: list[int],
    src_text: list[int],
    tgt_text: list[int],
    vocabulary: Vocabulary,
    *,
    cot: bool = True,
    pair: Sequence[int] = (),
) -> Example:
    """<bos> I_src <sep> T_src <sep> T_tgt <sep> I_tgt <eos>, all arguments token ids.

    `pair` stands before I_src and names the language pair where a model serves several.
    Without chain of thought the two text blocks fall away. The likelihood conditions on
    the source (Sec. 3.1): loss on everything after the first <sep>.
    """
    prompt = prompt_ids(source, vocabulary, pair)
    sep = vocabulary.sep
    thought = [*src_text, sep, *tgt_text, sep] if cot else []
    answer = [*thought, *target, vocabulary.eos]
    texts = (src_text, tgt_text) if cot else ((), ())
    lengths = [len(source), *map(len, texts), len(target)]
    blocks = _blocks(1 + len(pair), lengths, cot=cot)
    return Example(prompt + answer, [IGNORE] * len(prompt) + answer, blocks)


def _blocks(position: int, lengths: Sequence[int], *, cot: bool) -> Blocks:
    """Blocks of these lengths from `position` on, a mark between any two.

    Without CoT there is none around the texts.
    """
    found = []
    for index, length in enumerate(lengths):
        found.append(slice(position, position + length))
        position += length + (cot or index == 0)
    return Blocks(*found)


def prompt_ids(
    source: list[int], vocabulary: Vocabulary, pair: Sequence[int] = ()
) -> list[int]:
    """What inference starts from: <bos> I_src <sep>, or <bos> pair I_src <sep>."""
    return [vocabulary.bos, *pair, *source, vocabulary.sep]
