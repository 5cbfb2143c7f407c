"""Turns what training has drawn of an utterance into a picture."""

from collections.abc import Mapping, Sequence

import numpy as np

from s2st_interleave.interleave.segments import Side, segment_units, uniform_spans
from s2st_interleave.interleave.sequence import IGNORE, Example, Piece, Text
from s2st_interleave.interleave.utterance import Utterance
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.show.picture import Course, Part, Picture, Row, Run, Track
from s2st_interleave.train.examples import Draft


def picture(
    utterance: Utterance,
    step: int,
    ratios: Mapping[str, float],
    drawn: Draft,
    example: Example,
    encoded: Mapping[Text, np.ndarray],
    *,
    vocabulary: Vocabulary,
    unit_sec: float,
    languages: Mapping[str, str],
    is_uniform: bool,
    num_tokens_at_0: int,
    course: Course,
) -> Picture:
    """The picture of an utterance that training has `drawn` at a step.

    `ratios` are the shares of words that each spoken side is to show as text.
    `example` is what became of it with the `encoded` texts, `is_uniform` the alignment of
    equal intervals, `unit_sec` the seconds of a unit.
    """
    layout, rows, tracks = drawn.task.layout, [], []
    for number, block in enumerate(layout.blocks, 1):
        is_last = number == len(layout.blocks)
        first = [] if number > 1 else _start(drawn.prompt, encoded)
        body = runs(drawn.pieces[block.name], encoded, vocabulary)
        end = Run("mark", 1, "<eos>" if is_last else "<sep>")
        label = example.labels[example.blocks[block.name].stop]
        # The mark behind the last given block is given as well.
        is_predicted = bool(label != IGNORE)
        rows.append(Row(block.side, block.kind, (*first, *body, end), is_predicted))
        if block.kind == "speech":
            side, replaced = utterance.sides[block.side], drawn.replaced[block.side]
            tracks.append(
                Track(
                    side=block.side,
                    language=languages.get(block.side, ""),
                    parts=parts(side, replaced, unit_sec, is_uniform=is_uniform),
                    num_words=len(side.words),
                    num_text=int(np.count_nonzero(replaced)),
                    num_tokens=sum(run.num_tokens for run in body),
                    ratio=ratios[block.side],
                )
            )
    ratio = max(ratios.values(), default=0.0)
    return Picture(
        utterance.id, step, ratio, tuple(tracks), tuple(rows), num_tokens_at_0, course
    )


def _start(prompt: Sequence[Piece], encoded: Mapping[Text, np.ndarray]) -> list[Run]:
    """The runs before the first block: <bos>, and the prompt if there is one."""
    texts = [piece for piece in prompt if isinstance(piece, Text)]
    named = [Run("text", len(encoded[text]), text.text) for text in texts]
    return [Run("mark", 1, "<bos>"), *named]


def runs(
    pieces: Sequence[Piece], encoded: Mapping[Text, np.ndarray], vocabulary: Vocabulary
) -> list[Run]:
    """The pieces of a block as runs of tokens."""
    made = []
    for piece in pieces:
        if isinstance(piece, Text):
            made.append(Run("text", len(encoded[piece]), piece.text.strip()))
        elif len(piece) and piece[0] == vocabulary.mask:
            made.append(Run("mask", len(piece), "<mask>"))
        elif len(piece):
            units = (piece - vocabulary.offset).tolist()
            made.append(Run("units", len(units), units=tuple(units)))
    return made


def parts(
    side: Side, replaced: np.ndarray, unit_sec: float, *, is_uniform: bool = False
) -> tuple[Part, ...]:
    """The words of a side and the gaps between them, in the order of time."""
    count = len(side.units)
    spans = uniform_spans(len(side.words), count) if is_uniform else side.spans
    is_text = np.zeros(count + 1, dtype=bool)
    for start, end, words in segment_units(count, spans, replaced):
        is_text[start:end] = bool(words)
    made: list[Part] = []

    def add(word: str, start: int, end: int, as_text: bool) -> None:
        units = tuple(side.units[start:end].tolist())
        made.append(Part(word, start * unit_sec, end * unit_sec, units, as_text))

    position = 0
    for number, (start, end) in enumerate(spans.tolist()):
        if start > position:
            add("", position, start, bool(is_text[position]))
        add(side.words[number], start, end, bool(replaced[number]))
        position = end
    if position < count:
        add("", position, count, False)
    return tuple(made)
