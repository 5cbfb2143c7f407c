"""Batched, KV-cached greedy or beam search: transcript, translation, then units only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from s2st_interleave.decode.padding import batching, left_padded
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.sequence import prompt_ids
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.train.llm import SpeechLlm


@dataclass(frozen=True)
class Translation:
    """What the LLM said about one utterance; empty parts where it stopped early."""

    transcript: str
    translation: str
    units: np.ndarray  # int32 (num_units,)


NOTHING = Translation("", "", np.zeros(0, np.int32))


@dataclass(frozen=True)
class Limits:
    """How far each block may go; a block that reaches its limit is closed."""

    max_text_tokens: int = 100
    max_unit_ratio: float = 3.0  # units of the target to units of the source
    min_max_units: int = 100
    num_beams: int = 1


def translate(
    sources: Mapping[str, np.ndarray],
    llm: SpeechLlm,
    *,
    cot: bool = True,
    pair: str = "",
    limits: Limits = Limits(),
    batch_size: int = 32,
    progress: Any = iter,
) -> dict[str, Translation]:
    """Translate int32 source units (num_units,) by utterance id.

    `pair` is the prompt that names the language pair to a model that serves several.
    Raises UserError naming those that leave the LLM no position for an answer.
    """
    named = llm.encode(pair) if pair else []
    _check_room(sources, len(named), llm.max_length)
    # Alike lengths share a batch; the id settles ties, so batches are always the same.
    order = sorted(sources, key=lambda name: (len(sources[name]), name))
    found: dict[str, Translation] = {}
    if not order:
        return found
    ends = [_prompt(sources[name], llm, named) for name in (order[0], order[-1])]
    how = batching(llm.model, ends, llm.vocabulary.pad, limits.num_beams)
    cut = how.cut([len(sources[name]) for name in order], batch_size)
    for names in progress([[order[index] for index in batch] for batch in cut]):
        answers = _generate(
            [sources[name] for name in names], llm, cot, named, limits, how.cached
        )
        for name, ids in zip(names, answers, strict=True):
            found[name] = parse_answer(ids, llm, cot=cot)
    return found


def _check_room(
    sources: Mapping[str, np.ndarray], num_named: int, most: int | None
) -> None:
    if most is None:
        return
    marks = 2 + num_named  # <bos>, <sep>, and the pair's name
    long = {k: len(v) for k, v in sources.items() if len(v) + marks >= most}
    if long:
        first = "\n".join(f"  {k}: {v} units" for k, v in sorted(long.items())[:10])
        raise UserError(
            f"{len(long)} recordings leave no room for an answer, as the LLM has "
            f"positions for {most} tokens: take an LLM of more positions or shorter "
            "recordings; stage 5 counts them as missing with --too_long missing and "
            f"this --llm:\n{first}"
        )


def parse_answer(ids: Sequence[int], llm: SpeechLlm, *, cot: bool) -> Translation:
    """Cut generated ids at <sep> and <eos> into the blocks of the chain of thought."""
    vocabulary = llm.vocabulary
    blocks: list[list[int]] = [[]]
    for token in ids:
        if token in (vocabulary.eos, vocabulary.pad):
            break
        if token == vocabulary.sep:
            blocks.append([])
        else:
            blocks[-1].append(int(token))
    if not cot:
        return Translation("", "", vocabulary.units(blocks[0]))
    transcript, translation, units = (*blocks, [], [])[:3]
    return Translation(
        llm.decode(transcript), llm.decode(translation), vocabulary.units(units)
    )


def _prompt(units: np.ndarray, llm: SpeechLlm, pair: list[int]) -> list[int]:
    return prompt_ids(llm.vocabulary.unit_ids(units), llm.vocabulary, pair)


def _generate(
    sources: Sequence[np.ndarray],
    llm: SpeechLlm,
    cot: bool,
    pair: list[int],
    limits: Limits,
    cached: bool,
) -> list[list[int]]:
    """Answer ids of one left-padded batch."""
    import torch
    from transformers import LogitsProcessorList

    vocabulary = llm.vocabulary
    ids, mask = left_padded(
        [_prompt(units, llm, pair) for units in sources], vocabulary.pad
    )
    longest = ids.shape[1]
    most_units = [
        max(limits.min_max_units, int(limits.max_unit_ratio * len(units)))
        for units in sources
    ]
    grammar = blocks_processor(
        vocabulary, longest, most_units, limits.max_text_tokens, limits.num_beams, cot
    )
    texts = 2 * (limits.max_text_tokens + 1) if cot else 0
    most_tokens = texts + max(most_units) + 1
    if llm.max_length is not None:
        most_tokens = min(most_tokens, llm.max_length - longest)
    with torch.inference_mode(), llm.autocast():
        output = llm.model.generate(
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
    prompt_length: int,
    most_units: Sequence[int],
    max_text_tokens: int,
    num_beams: int,
    cot: bool,
) -> Any:
    """A LogitsProcessor that lets text stand in text blocks and units in the unit block.

    A text block ends with <sep>, the unit block with <eos>; both end at their limits.
    """
    import torch

    def process(ids: Any, scores: Any) -> Any:
        answer = ids[:, prompt_length:]
        seps = answer == vocabulary.sep
        in_text = seps.sum(dim=1) < (2 if cot else 0)
        positions = torch.arange(1, answer.shape[1] + 1, device=ids.device)
        last_sep = (seps * positions).amax(dim=1) if answer.shape[1] else 0
        length = (
            answer.shape[1] - last_sep + torch.zeros_like(in_text, dtype=torch.long)
        )
        unit_limit = torch.tensor(most_units, device=ids.device)
        unit_limit = unit_limit.repeat_interleave(num_beams)

        allowed = torch.zeros_like(scores, dtype=torch.bool)
        allowed[:, : vocabulary.num_text] = in_text[:, None]
        allowed[:, vocabulary.offset :] = ~in_text[:, None]
        full = torch.where(in_text, length >= max_text_tokens, length >= unit_limit)
        allowed &= ~full[:, None]
        # No empty text and no empty speech: a block has at least one token.
        started = length > 0
        allowed[:, vocabulary.bos] = False
        allowed[:, vocabulary.eos] = ~in_text & started
        allowed[:, vocabulary.sep] = in_text & started
        return scores.masked_fill(~allowed, float("-inf"))

    return process
