"""Batched, KV-cached greedy or beam search along the blocks of a task."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from transformers import LogitsProcessorList

from s2st_interleave.decode.drafts import Drafts
from s2st_interleave.decode.grammar import Grammar, Limits
from s2st_interleave.decode.outputs import Answer
from s2st_interleave.decode.padding import LADDER, Batching, batching, left_padded
from s2st_interleave.decode.stream import Question, stream, streams
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.sequence import prompt_ids
from s2st_interleave.llm.model import SpeechLlm

Answers = Iterator[tuple[int, list[int]]]  # indices of questions, and tokens
Given = Mapping[str, np.ndarray | str]  # by block: int32 units (num_units,), or text


def answer_all(
    given: Mapping[str, Given],
    llm: SpeechLlm,
    layout: Layout,
    *,
    prompt: str = "",
    limits: Limits = Limits(),
    batch_size: int = 32,
    engine: Callable[[Sequence[Question], Grammar], Answers] | None = None,
    trial: "Trial | None" = None,
    drafts: Drafts | None = None,
    progress: Callable[..., Iterable[tuple[int, list[int]]]] = lambda pairs, **_: pairs,
) -> dict[str, Answer]:
    """Answers by utterance id; `given` has every given block of the layout.

    `prompt` names the task or the language pair to a model that serves several. Greedy
    answers leave the batch when they end, and others join, where the model can do that
    (`stream.streams`), and with `drafts` several units a step. An `engine` writes answers in
    place of `llm`, which needs no weights then. Who asks one LLM often passes the same
    `trial` each time. Raises UserError naming utterances that leave the LLM no position for
    an answer.
    """
    name_ids = llm.encode(prompt) if prompt else []
    grammar = Grammar(llm.vocabulary, layout, limits)
    questions = {
        name: _question(parts, llm, grammar, name_ids) for name, parts in given.items()
    }
    _check_room(questions, llm.max_length)
    # Similar lengths share a batch; ids settle ties, so that batches are always the same.
    names = sorted(questions, key=lambda name: (len(questions[name].ids), name))
    if not names:
        return {}
    asked = [questions[name] for name in names]
    write = engine or partial(
        _write,
        llm=llm,
        batch_size=batch_size,
        trial=trial or Trial(),
        drafts=drafts,
    )
    return {
        names[index]: parse_answer(
            ids, llm, layout, limits.max_text_tokens, asked[index].max_units
        )
        for index, ids in progress(write(asked, grammar), total=len(names))
    }


@dataclass
class Trial:
    """How an LLM may be batched, tried on prompts of some lengths, the shortest first.

    Calls of `answer_all` that share it make the trial again only for shorter or longer
    prompts.
    """

    prompts: tuple[list[int], ...] = ()
    rules: Batching = LADDER[0]
    streams: bool = False
    drafts: bool = False

    def make(
        self,
        asked: Sequence[Question],
        llm: SpeechLlm,
        num_beams: int,
        num_drafts: int = 0,
    ) -> "Trial":
        """The trial for questions of rising length, made unless these were known."""
        known = [asked[0].ids, asked[-1].ids, *self.prompts]
        ends = (min(known, key=len), max(known, key=len))
        if [*map(len, ends)] != [*map(len, self.prompts)]:
            self.prompts = ends
            self.rules = batching(llm.model, ends, llm.vocabulary.pad, num_beams)
            best = num_beams == 1 and self.rules == LADDER[0]
            self.streams = best and streams(llm, ends)
            if num_drafts:
                self.drafts = self.streams and streams(llm, ends, num_drafts)
                if not self.drafts:
                    kind = llm.model.config.model_type
                    print(f"a {kind} model is decoded a unit a step: guesses change it")
        return self


def _write(
    asked: Sequence[Question],
    grammar: Grammar,
    llm: SpeechLlm,
    batch_size: int,
    trial: Trial,
    drafts: Drafts | None,
) -> Answers:
    """The answers to questions of rising length, by the fastest way that is exact."""
    num_drafts = drafts.num if drafts else 0
    tried = trial.make(asked, llm, grammar.limits.num_beams, num_drafts)
    if tried.streams:
        usable = drafts if tried.drafts else None
        return stream(asked, llm, grammar, batch_size, usable)
    return _in_batches(asked, llm, grammar, tried.rules, batch_size)


def _question(
    given: Given, llm: SpeechLlm, grammar: Grammar, name_ids: list[int]
) -> Question:
    parts, num_units = [], 0
    for block in grammar.layout.given:
        part = given[block.name]
        if isinstance(part, str):
            parts.append(llm.encode(part))
        else:
            parts.append(llm.vocabulary.unit_ids(part))
            num_units += len(part)
    num_text = sum(map(len, parts)) - num_units
    ids = prompt_ids(parts, llm.vocabulary, name_ids)
    most = math.inf if llm.max_length is None else llm.max_length - len(ids)
    return Question(ids, grammar.limits.max_units(num_units, num_text), most)


def _check_room(questions: Mapping[str, Question], most: int | None) -> None:
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


def parse_answer(
    ids: Iterable[int],
    llm: SpeechLlm,
    layout: Layout,
    max_text: float = math.inf,
    max_units: float = math.inf,
) -> Answer:
    """Cut generated ids at <sep> and <eos> into the wanted blocks.

    `max_text` and `max_units` are the limits of a block, in tokens.
    """
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
    cut = []
    for block, piece in zip(layout.wanted, pieces, strict=False):
        if len(piece) >= (max_text if block.kind == "text" else max_units):
            cut.append(block.name)
        if block.kind == "text":
            texts[block.name] = llm.decode(piece)
        else:
            units[block.name] = vocabulary.units(piece)
    return Answer(texts, units, tuple(cut))


def _in_batches(
    questions: Sequence[Question],
    llm: SpeechLlm,
    grammar: Grammar,
    rules: Batching,
    batch_size: int,
) -> Answers:
    """Answers by the library's `generate`, of questions of rising length."""
    lengths = [len(question.ids) for question in questions]
    wanted = [_most_tokens(grammar, question) for question in questions]
    for batch in rules.cut(lengths, batch_size, wanted, llm.max_length):
        asked = [questions[index] for index in batch]
        answers = generate(asked, llm, grammar, rules.cached)
        yield from zip(batch, answers, strict=True)


def _most_tokens(grammar: Grammar, question: Question) -> int:
    """How long an answer may be, in tokens, as far as there are positions."""
    kinds = [block.kind for block in grammar.layout.wanted]
    text = kinds.count("text") * (grammar.limits.max_text_tokens + 1)
    return text + kinds.count("speech") * (question.max_units + 1)


def generate(
    questions: Sequence[Question], llm: SpeechLlm, grammar: Grammar, cached: bool
) -> list[list[int]]:
    """Answers, as tokens, of one left-padded batch that waits for its longest answer."""
    ids, mask = left_padded([each.ids for each in questions], llm.vocabulary.pad)
    longest, limits = ids.shape[1], grammar.limits
    max_units = torch.tensor([each.max_units for each in questions])
    by_beam = max_units.repeat_interleave(limits.num_beams).to(llm.model.device)

    def follow(written: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return grammar.forbid(scores, grammar.place(written[:, longest:], by_beam))

    most_tokens = max(_most_tokens(grammar, each) for each in questions)
    if llm.max_length is not None:
        most_tokens = min(most_tokens, llm.max_length - longest)
    with torch.inference_mode():
        output = llm.model.generate(  # pyrefly: ignore[not-callable]: of a mixin
            input_ids=ids.to(llm.model.device),
            attention_mask=mask.to(llm.model.device),
            max_new_tokens=most_tokens,
            do_sample=False,
            num_beams=limits.num_beams,
            **({} if cached else {"use_cache": False}),
            logits_processor=LogitsProcessorList([follow]),
        )
    return output[:, longest:].tolist()
