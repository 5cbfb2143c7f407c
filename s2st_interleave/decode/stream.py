"""Greedy answers from a batch that answers leave when they end, and others join."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from s2st_interleave.decode.candidates import Candidates
from s2st_interleave.decode.drafts import Drafts, State
from s2st_interleave.decode.grammar import Grammar
from s2st_interleave.decode.padding import NUM_STEPS, TOLERANCE
from s2st_interleave.decode.rows import Rows, holds
from s2st_interleave.llm.backbone import in_fp32
from s2st_interleave.llm.model import SpeechLlm
from s2st_interleave.precision import exact, spread_apart

SHARE = (
    8  # prompts join when they are this part of the batch: reading them costs a step
)


@dataclass(frozen=True)
class Question:
    """Token ids that an answer starts from; the limits of a speech block and of them all."""

    ids: list[int]
    max_units: int
    max_tokens: float  # infinite where the model has no last position


def stream(
    questions: Sequence[Question],
    llm: SpeechLlm,
    grammar: Grammar,
    size: int,
    drafts: Drafts | None = None,
) -> Iterator[tuple[int, list[int]]]:
    """Answers as they end: the index of the question, and the tokens.

    `size` answers at most are written at once; with `drafts`, several units a step. Long
    questions come first, so that the batch is full until short answers are left.
    """
    waiting = sorted(
        range(len(questions)), key=lambda index: (len(questions[index].ids), index)
    )
    size = min(size, len(questions))
    several = max(1, size // SHARE)
    rows, candidates = Rows(llm.model, size, llm.vocabulary.pad), Candidates(llm)
    place = grammar.start([], llm.model.device)
    hidden: torch.Tensor | None = None
    answers: list[tuple[int, list[int]]] = []  # by row
    while waiting or answers:
        # 1. Questions join, where there is room for several.
        while waiting and len(answers) + min(several, len(waiting)) <= size:
            joining = [waiting.pop() for _ in range(min(several, len(waiting)))]
            asked = [questions[index] for index in joining]
            new = rows.come([question.ids for question in asked])
            hidden = new if hidden is None else torch.cat([hidden, new])
            place += grammar.start([each.max_units for each in asked], new.device)
            answers += [(index, []) for index in joining]
        # 2. Every answer gets a token, and leaves with its last one.
        assert hidden is not None
        tokens = candidates.best(hidden, grammar.next(place))
        for (_, ids), token in zip(answers, tokens.tolist(), strict=True):
            ids.append(token)
        ended = [
            row
            for row, (index, ids) in enumerate(answers)
            if ids[-1] == llm.vocabulary.eos or len(ids) == questions[index].max_tokens
        ]
        yield from (answers[row] for row in ended)
        # 3. The others go on.
        kept = rows.leave(ended)
        answers = [answers[row] for row in kept]
        stay = torch.tensor(kept, dtype=torch.long, device=tokens.device)
        state = State(hidden[stay], grammar.after(place, tokens)[stay])
        tokens, place = tokens[stay], state.place
        if not answers:
            hidden = None
        elif drafts is None:
            hidden = rows.step(tokens)
        else:
            room = [questions[k].max_tokens - len(ids) - 1 for k, ids in answers]
            read = (rows, candidates, grammar)
            state, more = drafts.step(*read, state, tokens, room)
            hidden, place = state.hidden, state.place
            for (_, ids), units in zip(answers, more, strict=True):
                ids.extend(units)


def streams(
    llm: SpeechLlm, prompts: Sequence[Sequence[int]], num_drafts: int = 0
) -> bool:
    """Whether a model says in rows that come and go what it says alone, without a cache.

    It is tried on two of `prompts`, the shortest and the longest, cut to the model's
    positions; the shorter one joins when the other has been read. With `num_drafts` each
    step reads so many tokens more, of which a row keeps none and the other, where it is
    there, all but one. See `padding.batching`.
    """
    model = llm.model
    if not holds(model, hidden=num_drafts > 0):
        return False
    width = 1 + num_drafts
    num_tokens, kept = NUM_STEPS * width, [1, max(1, num_drafts)]
    room = None if llm.max_length is None else max(1, llm.max_length - num_tokens)
    texts = [list(f(prompts, key=len))[:room] for f in (max, min)]
    random = torch.Generator().manual_seed(1)
    size = (NUM_STEPS, 2, width)
    drawn = torch.randint(llm.vocabulary.num_text, size, generator=random)
    said: list[list[torch.Tensor]] = [[], []]
    rows, lengths, live = Rows(model, 2, llm.vocabulary.pad), [*map(len, texts)], []
    with in_fp32(model), torch.inference_mode(), exact():
        for step, pair in enumerate(drawn.to(model.device)):
            if step < 2:
                said[step] += rows.come([texts[step]])
                live.append(step)
            elif step == len(drawn) - 1:
                rows.leave([0])
                live = [1]
            read = rows.read(pair[live])
            rows.keep([kept[which] for which in live], width)
            for which, hidden in zip(live, read, strict=True):
                texts[which] += pair[which, : kept[which]].tolist()
                said[which] += hidden[: kept[which]]
        far = []
        for text, length, hidden in zip(texts, lengths, said, strict=True):
            ids = torch.tensor([text], device=model.device)
            alone = model(ids, use_cache=False).logits[0, length - 1 :].float()
            far.append(spread_apart(llm.logits(torch.stack(hidden)), alone))
    return max(far) < TOLERANCE
