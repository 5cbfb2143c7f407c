"""Batched, KV-cached greedy or beam search along the blocks of a task."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import LogitsProcessorList

from s2st_interleave.decode.padding import batching, left_padded
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Block, Layout
from s2st_interleave.interleave.sequence import prompt_ids
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.model import SpeechLlm

Given = Mapping[str, np.ndarray | str]  # by block: int32 units (num_units,), or text


@dataclass(frozen=True)
class Answer:
    """The answer about one utterance, by block; empty where the LLM stopped early."""

    texts: Mapping[str, str]
    units: Mapping[str, np.ndarray]  # int32 (num_units,)


@dataclass(frozen=True)
class Limits:
    """The longest blocks of an answer, and beams; a block that reaches its limit is closed."""

    max_text_tokens: int = 100
    max_unit_ratio: float = 3.0  # units of an answer, to units that are given
    max_units_per_token: float = 40.0  # units of an answer, where only text is given
    min_max_units: int = 100  # no speech block has a lower limit
    num_beams: int = 1


def answer_all(
    given: Mapping[str, Given],
    llm: SpeechLlm,
    layout: Layout,
    *,
    prompt: str = "",
    limits: Limits = Limits(),
    batch_size: int = 32,
    progress: Callable[[Sequence[list[str]]], Iterable[list[str]]] = iter,
) -> dict[str, Answer]:
    """Answers by utterance id; `given` has every given block of the layout.

    `prompt` names the task or the language pair to a model that serves several. Raises
    UserError naming utterances that leave the LLM no position for an answer.
    """
    name_ids = llm.encode(prompt) if prompt else []
    questions = {
        name: _question(parts, llm, layout, name_ids) for name, parts in given.items()
    }
    _check_room(questions, llm.max_length)
    # Similar lengths share a batch; ids settle ties, so that batches are always the same.
    order = sorted(questions, key=lambda name: (len(questions[name].ids), name))
    answers: dict[str, Answer] = {}
    if not order:
        return answers
    ends = [questions[name].ids for name in (order[0], order[-1])]
    rules = batching(llm.model, ends, llm.vocabulary.pad, limits.num_beams)
    batches = rules.cut([len(questions[name].ids) for name in order], batch_size)
    for names in progress([[order[index] for index in batch] for batch in batches]):
        batch = [questions[name] for name in names]
        generated = _generate(batch, llm, layout, limits, rules.cached)
        for name, ids in zip(names, generated, strict=True):
            answers[name] = parse_answer(ids, llm, layout)
    return answers


@dataclass(frozen=True)
class _Question:
    """Token ids that inference starts from; the numbers of given units and text tokens."""

    ids: list[int]
    num_units: int
    num_text: int

    def max_units(self, limits: Limits) -> int:
        most = limits.max_unit_ratio * self.num_units
        if not self.num_units:
            most = limits.max_units_per_token * self.num_text
        return max(limits.min_max_units, int(most))


def _question(
    given: Given, llm: SpeechLlm, layout: Layout, name_ids: list[int]
) -> _Question:
    parts, num_units = [], 0
    for block in layout.given:
        part = given[block.name]
        if isinstance(part, str):
            parts.append(llm.encode(part))
        else:
            parts.append(llm.vocabulary.unit_ids(part))
            num_units += len(part)
    num_text = sum(map(len, parts)) - num_units
    ids = prompt_ids(parts, llm.vocabulary, name_ids)
    return _Question(ids, num_units, num_text)


def _check_room(questions: Mapping[str, _Question], most: int | None) -> None:
    if most is None:
        return
    lengths = {k: len(v.ids) for k, v in questions.items() if len(v.ids) >= most}
    if lengths:
        first = "\n".join(f"  {k}: {v} tokens" for k, v in sorted(lengths.items())[:10])
        raise UserError(
            f"{len(lengths)} utterances leave no room for an answer, as the LLM has "
            f"positions for {most} tokens: take an LLM of more positions or shorter "
            "recordings; stage 5 counts them as missing with --too_long missing and "
            f"this --llm:\n{first}"
        )


def parse_answer(ids: Iterable[int], llm: SpeechLlm, layout: Layout) -> Answer:
    """Cut generated ids at <sep> and <eos> into the wanted blocks."""
    vocabulary = llm.vocabulary
    pieces: list[list[int]] = [[]]
    for token in ids:
        if token in (vocabulary.eos, vocabulary.pad):
            break
        if token == vocabulary.sep:
            pieces.append([])
        else:
            pieces[-1].append(int(token))
    pieces += [[]] * (len(layout.wanted) - len(pieces))
    texts: dict[str, str] = {}
    units: dict[str, np.ndarray] = {}
    for block, piece in zip(layout.wanted, pieces, strict=False):
        if block.kind == "text":
            texts[block.name] = llm.decode(piece)
        else:
            units[block.name] = vocabulary.units(piece)
    return Answer(texts, units)


def empty_answer(layout: Layout) -> Answer:
    """The answer about an utterance that the LLM could not be asked about."""
    return Answer(
        {block.name: "" for block in layout.wanted if block.kind == "text"},
        {
            block.name: np.zeros(0, np.int32)
            for block in layout.wanted
            if block.kind == "speech"
        },
    )


def _generate(
    questions: Sequence[_Question],
    llm: SpeechLlm,
    layout: Layout,
    limits: Limits,
    cached: bool,
) -> list[list[int]]:
    """Generate the answer ids of one left-padded batch."""
    vocabulary = llm.vocabulary
    ids, mask = left_padded([question.ids for question in questions], vocabulary.pad)
    longest = ids.shape[1]
    most_units = [question.max_units(limits) for question in questions]
    grammar = blocks_processor(vocabulary, layout.wanted, longest, most_units, limits)
    kinds = [block.kind for block in layout.wanted]
    most_tokens = kinds.count("text") * (limits.max_text_tokens + 1)
    most_tokens += kinds.count("speech") * (max(most_units) + 1)
    if llm.max_length is not None:
        most_tokens = min(most_tokens, llm.max_length - longest)
    with torch.inference_mode(), llm.autocast():
        output = llm.model.generate(  # pyrefly: ignore[not-callable]: of a mixin
            input_ids=ids.to(llm.model.device),
            attention_mask=mask.to(llm.model.device),
            max_new_tokens=most_tokens,
            do_sample=False,
            num_beams=limits.num_beams,
            **({} if cached else {"use_cache": False}),
            logits_processor=LogitsProcessorList([grammar]),
        )
    return output[:, longest:].tolist()


def blocks_processor(
    vocabulary: Vocabulary,
    wanted: Sequence[Block],
    prompt_length: int,
    most_units: Sequence[int],
    limits: Limits,
) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Make a LogitsProcessor that allows text in text blocks, units in speech blocks.

    The last block ends with <eos>, the others with <sep>; each ends at its limit, and
    none is empty. `prompt_length` is in tokens; `most_units` has an entry an utterance.
    """

    def process(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        answer = ids[:, prompt_length:]
        seps = answer == vocabulary.sep
        current = seps.sum(dim=1).clamp(max=len(wanted) - 1)
        is_text = torch.tensor([b.kind == "text" for b in wanted], device=ids.device)
        in_text, is_last = is_text[current], current == len(wanted) - 1
        positions = torch.arange(1, answer.shape[1] + 1, device=ids.device)
        last_sep = (seps * positions).amax(dim=1) if answer.shape[1] else 0
        length = answer.shape[1] - last_sep + torch.zeros_like(current)
        unit_limit = torch.tensor(most_units, device=ids.device)
        unit_limit = unit_limit.repeat_interleave(limits.num_beams)

        allowed = torch.zeros_like(scores, dtype=torch.bool)
        allowed[:, : vocabulary.num_text] = in_text[:, None]
        allowed[:, vocabulary.offset :] = ~in_text[:, None]
        full = torch.where(
            in_text, length >= limits.max_text_tokens, length >= unit_limit
        )
        allowed &= ~full[:, None]
        # No empty text and no empty speech: a block has at least one token.
        started = length > 0
        allowed[:, vocabulary.bos] = False
        allowed[:, vocabulary.eos] = is_last & started
        allowed[:, vocabulary.sep] = ~is_last & started
        return scores.masked_fill(~allowed, float("-inf"))

    return process
