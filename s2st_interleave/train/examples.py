"""The examples of a step: an utterance, interleaved by (seed, step, id) (paper Sec. 3.2)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.dump import Dump, Dumps, Subset, Utterance
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.length import doubtful, most_tokens
from s2st_interleave.interleave.sequence import (
    Example,
    Piece,
    Text,
    build_example,
    interleave,
    token_ids,
)
from s2st_interleave.interleave.spans import choose_spans
from s2st_interleave.interleave.task import Task, draw_task, prompt
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.encoding import MOST_WORDS
from s2st_interleave.llm.model import SpeechLlm

# The share of words to show as text, 0 to 1, of all sides that are interleaved, or by side.
Ratio = float | Mapping[str, float]


@dataclass(frozen=True)
class Lesson:
    """What a teacher reads of an utterance: int32 ids (num_tokens,).

    The last `num_taught` of them are the last tokens of the example's block `block` as well.
    """

    ids: np.ndarray
    block: str
    num_taught: int


@dataclass(frozen=True)
class InterleavedExample:
    """An utterance's example, its task, and the share of words as text, by spoken side.

    `second` is the same utterance without text, for a loss that compares the two; `lesson`
    is what a teacher reads of it.
    """

    id: str
    example: Example
    task: Task
    realised: Mapping[str, float]
    second: Example | None = None
    lesson: Lesson | None = None

    @property
    def views(self) -> tuple[Example, ...]:
        return (self.example,) if self.second is None else (self.example, self.second)


def draw_examples(
    utterances: Sequence[Utterance],
    ratio: Ratio,
    step: int,
    interleaving: Interleaving,
    llm: SpeechLlm,
) -> list[InterleavedExample]:
    """Build the sequences of utterances at a step; each depends on (seed, step, id) alone.

    All texts are encoded in one call. Raises UserError for sequences that are longer than
    the LLM has positions.
    """
    drafts = [
        draft(utterance, ratio, step, interleaving, llm.vocabulary)
        for utterance in utterances
    ]
    encoded = llm.encode_all(text for each in drafts for text in each.texts())
    drawn = [each.example(encoded, llm.vocabulary) for each in drafts]
    most = llm.max_length
    if most is not None:
        lengths = {
            utterance.id: len(each.example.ids)
            for utterance, each in zip(utterances, drawn, strict=True)
            if len(each.example.ids) > most
        }
        if lengths:
            raise _too_long(lengths, most)
    return drawn


@dataclass(frozen=True)
class Draft:
    """An example whose texts are not encoded yet: `pieces` by the name of a block.

    `replaced`, bool (num_words,) by spoken side, says which words are shown as text.
    """

    id: str
    task: Task
    prompt: Sequence[Piece]
    pieces: Mapping[str, Sequence[Piece]]
    replaced: Mapping[str, np.ndarray]

    def texts(self) -> Iterator[Text]:
        for pieces in (self.prompt, *self.pieces.values()):
            yield from (piece for piece in pieces if isinstance(piece, Text))

    def example(
        self, encoded: Mapping[Text, np.ndarray], vocabulary: Vocabulary
    ) -> InterleavedExample:
        parts = {k: token_ids(v, encoded) for k, v in self.pieces.items()}
        name = token_ids(self.prompt, encoded) if self.prompt else ()
        example = build_example(self.task.layout, parts, vocabulary, prompt=name)
        realised = {k: np.count_nonzero(v) / len(v) for k, v in self.replaced.items()}
        return InterleavedExample(self.id, example, self.task, realised)


def draft(
    utterance: Utterance,
    ratio: Ratio,
    step: int,
    interleaving: Interleaving,
    vocabulary: Vocabulary,
) -> Draft:
    """Draw task and words of an utterance at a step, by (seed, step, id) alone."""
    seed, mean = interleaving.seed, interleaving.span_lambda
    task = draw_task(interleaving.tasks, seed, step, utterance.id)
    is_speech_only = interleaving.speech_only > 0 and (
        keyed.Stream(seed, step, utterance.id, "speech only").random()
        < interleaving.speech_only
    )
    pieces: dict[str, Sequence[Piece]] = {}
    replaced: dict[str, np.ndarray] = {}
    for block in task.layout.blocks:
        side = utterance.sides[block.side]
        if block.kind == "text":
            pieces[block.name] = [Text(side.text)]
            continue
        replaced[block.side] = choose_spans(
            len(side.words),
            0.0 if is_speech_only else _ratio_of(block.side, ratio, interleaving),
            mean,
            interleaving.span_rule,
            # The sides draw independently (Sec. 3.2): the side is part of the key.
            keyed.stream(seed, step, utterance.id, block.side, mean=mean),
        )
        pieces[block.name] = interleave(
            side,
            replaced[block.side],
            vocabulary,
            fill=interleaving.fill,
            alignment=interleaving.alignment,
        )
    name = prompt(task, utterance.pair)
    start = [Text(name)] if name else ()
    return Draft(utterance.id, task, start, pieces, replaced)


def _ratio_of(side: str, ratio: Ratio, interleaving: Interleaving) -> float:
    if interleaving.sides not in ("both", side):
        return 0.0
    return ratio if isinstance(ratio, float) else ratio[side]


def mean_realised(examples: Sequence[InterleavedExample]) -> dict[str, float]:
    """Mean share of words shown as text, by side, over the examples that speak it."""
    sides = dict.fromkeys(side for each in examples for side in each.realised)
    return {
        f"realised_{side}": float(
            np.mean([each.realised[side] for each in examples if side in each.realised])
        )
        for side in sides
    }


def check_lengths(
    utterances: Dump | Dumps | Subset,
    interleaving: Interleaving,
    llm: SpeechLlm,
    *,
    ratio: float = 0.0,
) -> None:
    """Raise UserError naming utterances that are longer than the LLM reads.

    They are counted at text ratio 0, or, where `ratio` is more, at any.
    """
    most = llm.max_length
    if most is None:
        return
    interleaved = interleaving.interleaved if ratio else ()
    encode = lru_cache(maxsize=MOST_WORDS)(llm.encode)  # words come again and again
    lengths: dict[str, int] = {}
    num_prompt = 0
    for index in doubtful(utterances, most):
        utterance, tokens = utterances[index], []
        for task in interleaving.tasks:
            name = prompt(task, utterance.pair)
            num_prompt = max(num_prompt, len(encode(name)) if name else 0)
            tokens.append(
                most_tokens(
                    utterance,
                    encode,
                    task.layout,
                    name,
                    interleaved=interleaved,
                    fill=interleaving.fill,
                )
            )
        length = max(tokens)
        if length > most:
            lengths[utterance.id] = length
    if lengths:
        raise _too_long(lengths, most, "up to " if ratio else "", num_prompt)


def _too_long(
    lengths: Mapping[str, int], most: int, bound: str = "", num_prompt: int = 0
) -> UserError:
    first = "\n".join(
        f"  utterance {k} makes {bound}{v} tokens"
        for k, v in sorted(lengths.items())[:10]
    )
    room = f"; with --prompt_tokens {num_prompt}, for the prompt" if num_prompt else ""
    return UserError(
        f"the LLM has positions for {most} tokens, too few for {len(lengths)} utterances: "
        "take another LLM, or run stage 5 again with this --llm, which drops them from "
        "train, and with --too_long missing leaves them out of dev and test, counted as "
        f"missing{room}:\n{first}"
    )
