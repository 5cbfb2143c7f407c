"""The examples of a step: an utterance, interleaved by (seed, step, id) (paper Sec. 3.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from s2st_interleave import keyed
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.dump import Dump, Dumps, Subset, Utterance
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.length import fits_surely, num_tokens
from s2st_interleave.interleave.sequence import Example, build_example, interleave
from s2st_interleave.interleave.spans import choose_spans
from s2st_interleave.interleave.task import Task, draw_task, prompt
from s2st_interleave.llm.model import SpeechLlm


@dataclass(frozen=True)
class InterleavedExample:
    """An example, its task, and the share of words shown as text, by spoken side."""

    example: Example
    task: Task
    realised: Mapping[str, float]


def draw_examples(
    utterances: Sequence[Utterance],
    ratio: float,
    step: int,
    interleaving: Interleaving,
    llm: SpeechLlm,
) -> list[InterleavedExample]:
    """Build the sequences of utterances at a step; each depends on (seed, step, id) alone.

    `ratio` is the share of words, 0 to 1, to show as text. Raises UserError for a sequence
    that is longer than the LLM has positions.
    """
    return [draw_example(each, ratio, step, interleaving, llm) for each in utterances]


def draw_example(
    utterance: Utterance,
    ratio: float,
    step: int,
    interleaving: Interleaving,
    llm: SpeechLlm,
) -> InterleavedExample:
    """Build the sequence of one utterance at a step; it depends on (seed, step, id) alone.

    `ratio` is the share of words, 0 to 1, to show as text. Raises UserError for a sequence
    that is longer than the LLM has positions.
    """
    seed = interleaving.seed
    task = draw_task(interleaving.tasks, seed, step, utterance.id)
    parts: dict[str, list[int]] = {}
    realised: dict[str, float] = {}
    for block in task.layout.blocks:
        side = utterance.sides[block.side]
        if block.kind == "text":
            parts[block.name] = llm.encode(side.text)
            continue
        replaced = choose_spans(
            len(side.words),
            ratio if interleaving.sides in ("both", block.side) else 0.0,
            interleaving.span_lambda,
            interleaving.span_rule,
            # The sides draw independently (Sec. 3.2): the side is part of the key.
            keyed.generator(seed, step, utterance.id, block.side),
        )
        parts[block.name] = interleave(
            side,
            replaced,
            llm.vocabulary,
            llm.encode,
            fill=interleaving.fill,
            alignment=interleaving.alignment,
            encode_inside=llm.encode_inside,
        )
        realised[block.side] = float(replaced.mean())
    name = prompt(task, utterance.pair)
    example = build_example(
        task.layout, parts, llm.vocabulary, prompt=llm.encode(name) if name else ()
    )
    length, most = len(example.ids), llm.max_length
    if most is not None and length > most:
        raise _too_long({utterance.id: length}, most)
    return InterleavedExample(example, task, realised)


def check_lengths(
    utterances: Dump | Dumps | Subset, interleaving: Interleaving, llm: SpeechLlm
) -> None:
    """Raise UserError naming utterances that are longer at text ratio 0 than the LLM reads."""
    most = llm.max_length
    if most is None:
        return
    lengths: dict[str, int] = {}
    for index in range(len(utterances)):
        utterance = utterances[index]
        if not fits_surely(utterance, most):
            length = max(
                num_tokens(
                    utterance, llm.encode, task.layout, prompt(task, utterance.pair)
                )
                for task in interleaving.tasks
            )
            if length > most:
                lengths[utterance.id] = length
    if lengths:
        raise _too_long(lengths, most)


def _too_long(lengths: Mapping[str, int], most: int) -> UserError:
    first = "\n".join(
        f"  utterance {k} makes {v} tokens" for k, v in sorted(lengths.items())[:10]
    )
    return UserError(
        f"the LLM has positions for {most} tokens, too few for {len(lengths)} utterances: "
        "take another LLM, or run stage 5 again with this --llm, which drops them from "
        "train, and with --too_long missing leaves them out of dev and test, counted as "
        f"missing:\n{first}"
    )
