"""The sequence that the LLM reads: interleaved units, within the blocks of its task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from s2st_interleave.data.text import gap, join
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.segments import Side, segment_units, uniform_spans
from s2st_interleave.interleave.vocabulary import Vocabulary

Encode = Callable[[str], list[int]]
IGNORE = -100


class Text(NamedTuple):
    """A text that becomes tokens: a whole one, or one `inside`, after another word."""

    text: str
    inside: bool = False


Piece = np.ndarray | Text  # int32 token ids, or a text that is still to be encoded


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
    *,
    fill: Literal["text", "mask"] = "text",
    alignment: Literal["words", "uniform"] = "words",
) -> list[Piece]:
    """I_p in pieces: the units, with each run of replaced words as text (Sec. 3.2).

    `replaced` is bool (num_words,). A maximal run of replaced words, with the gaps inside
    it, is one BPE call on its whole text, since BPE of words alone would differ, or one
    mask token. A run in mid-sentence keeps its leading space. Gaps outside of runs stay
    units.
    """
    uniform = alignment == "uniform"
    spans = uniform_spans(len(side.words), len(side.units)) if uniform else side.spans
    unit_ids = side.units + np.int32(vocabulary.offset)
    pieces: list[Piece] = []
    for start, end, words in segment_units(len(side.units), spans, replaced):
        if not words:
            pieces.append(unit_ids[start:end])
        elif fill == "mask":
            pieces.append(np.array([vocabulary.mask], dtype=np.int32))
        else:
            pieces.append(_text(side.words, words))
    return pieces


def _text(words: tuple[str, ...], run: range) -> Text:
    text = join(words[run.start : run.stop])
    if run.start == 0:
        return Text(text)
    return Text(gap(words[run.start - 1], text) + text, inside=True)


def token_ids(
    pieces: Sequence[Piece], encoded: Mapping[Text, np.ndarray]
) -> np.ndarray:
    """int32 (num_tokens,) of pieces, whose texts are `encoded`."""
    parts = [encoded[p] if isinstance(p, Text) else p for p in pieces]
    return parts[0] if len(parts) == 1 else np.concatenate([*parts, _NOTHING])


_NOTHING = np.zeros(0, dtype=np.int32)


def build_example(
    layout: Layout,
    parts: Mapping[str, Sequence[int] | np.ndarray],
    vocabulary: Vocabulary,
    *,
    prompt: Sequence[int] | np.ndarray = (),
) -> Example:
    """Join the blocks of a layout, token ids by block name, into one sequence.

    It is `<bos> prompt given <sep> ... wanted <sep> ... wanted <eos>`, with a mark between
    any two blocks. `prompt` names the task or the language pair to a model that serves
    several. The likelihood conditions on the given blocks (Sec. 3.1), so that the loss is
    on everything after them.
    """
    names = [block.name for block in layout.blocks]
    end = 1 + len(prompt)
    ids = np.empty(end + sum(len(parts[name]) + 1 for name in names), dtype=np.int32)
    ids[0], ids[1:end] = vocabulary.bos, prompt
    blocks, learned_from = {}, 0
    for number, name in enumerate(names, start=1):
        place = slice(end, end + len(parts[name]))
        ids[place], ids[place.stop] = parts[name], vocabulary.sep
        blocks[name], end = place, place.stop + 1
        if number == len(layout.given):
            learned_from = end
    ids[-1] = vocabulary.eos
    labels = ids.copy()
    labels[:learned_from] = IGNORE
    return Example(ids, labels, blocks)


def prompt_ids(
    given: Sequence[Sequence[int]], vocabulary: Vocabulary, prompt: Sequence[int] = ()
) -> list[int]:
    """Token ids that inference starts from: `<bos> prompt given <sep> given <sep>`."""
    ids = [vocabulary.bos, *prompt]
    for part in given:
        ids += [*part, vocabulary.sep]
    return ids
