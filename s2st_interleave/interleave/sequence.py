"""The sequence that the LLM reads: interleaved units, within the blocks of its task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from s2st_interleave.data.text import gap, join
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.segments import Side, segment_units, uniform_spans
from s2st_interleave.interleave.vocabulary import Vocabulary

Encode = Callable[[str], list[int]]
IGNORE = -100


@dataclass(frozen=True, eq=False)
class Example:
    """One training sequence; labels are IGNORE where there is no loss.

    ids, labels: int32 (num_tokens,). `blocks` maps the name of each block of the layout to
    its place in the sequence.
    """

    ids: np.ndarray
    labels: np.ndarray
    blocks: dict[str, slice]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Example) or self.blocks != other.blocks:
            return False
        pairs = ((self.ids, other.ids), (self.labels, other.labels))
        return all(np.array_equal(mine, theirs) for mine, theirs in pairs)


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

    `replaced` is bool (num_words,). A maximal run of replaced words, with the gaps inside
    it, is one BPE call on its whole text, since BPE of words alone would differ, or one
    mask token. A run in mid-sentence keeps its leading space; `encode_inside` encodes it
    where the tokenizer treats the start of a text differently. Gaps outside of runs stay
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
    layout: Layout,
    parts: Mapping[str, Sequence[int]],
    vocabulary: Vocabulary,
    *,
    prompt: Sequence[int] = (),
) -> Example:
    """Join the blocks of a layout, token ids by block name, into one sequence.

    It is `<bos> prompt given <sep> ... wanted <sep> ... wanted <eos>`, with a mark between
    any two blocks. `prompt` names the task or the language pair to a model that serves
    several. The likelihood conditions on the given blocks (Sec. 3.1), so that the loss is
    on everything after them.
    """
    ids = [vocabulary.bos, *prompt]
    num_given = len(layout.given)
    blocks, learned_from = {}, 0
    for number, block in enumerate(layout.blocks, start=1):
        start = len(ids)
        ids += parts[block.name]
        blocks[block.name] = slice(start, len(ids))
        is_last = number == len(layout.blocks)
        ids.append(vocabulary.eos if is_last else vocabulary.sep)
        if number == num_given:
            learned_from = len(ids)
    labels = [IGNORE] * learned_from + ids[learned_from:]
    return Example(np.array(ids, np.int32), np.array(labels, np.int32), blocks)


def prompt_ids(
    given: Sequence[Sequence[int]], vocabulary: Vocabulary, prompt: Sequence[int] = ()
) -> list[int]:
    """Token ids that inference starts from: `<bos> prompt given <sep> given <sep>`."""
    ids = [vocabulary.bos, *prompt]
    for part in given:
        ids += [*part, vocabulary.sep]
    return ids
