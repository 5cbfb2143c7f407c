"""The text LLM that a training starts from teaches it to translate (arXiv 2510.13632).

An extension. The teacher reads the source's words and their translation as text alone, as in
"Spanish: ...\\nEnglish: ...". What it predicts of the translation's tokens, the LLM that is
trained is to predict of the same tokens, which stand in a sequence of units there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.dump import Dump, Dumps, Subset, Utterance
from s2st_interleave.interleave.length import BYTE_TOKENS, doubtful
from s2st_interleave.interleave.sequence import Text
from s2st_interleave.llm.backbone import backbone
from s2st_interleave.llm.loss import teaching_sum
from s2st_interleave.llm.model import SpeechLlm, load_text_llm
from s2st_interleave.train.collation import Batch
from s2st_interleave.train.examples import InterleavedExample, Lesson
from s2st_interleave.train.teacher_prompt import filled, taught_block


@dataclass(frozen=True)
class Teacher:
    """A frozen LLM, whose divergence from the LLM in training counts `weight` times.

    It reads `prompt` with the utterance's texts in place of {src_text} and of {tgt_text}, in
    which the prompt ends.
    """

    model: PreTrainedModel
    prompt: str
    weight: float

    def loss_sum(
        self,
        batch: Batch,
        student: SpeechLlm,
        hidden: torch.Tensor,
        logits_at_once: int = 0,
    ) -> torch.Tensor:
        """The weighted divergence, summed over the tokens that `batch` has lessons of.

        `hidden` (num_targets, width) are the student's states that predict its targets.
        """
        with torch.no_grad():
            output = backbone(self.model)(
                input_ids=batch.lesson_ids,
                attention_mask=batch.lesson_mask,
                use_cache=False,
            )
            states = output.last_hidden_state.flatten(0, 1)
            told = states.index_select(0, batch.lesson_places)
        mine = hidden.index_select(0, batch.taught)
        both = (student.model, mine), (self.model, told)
        num_text = student.vocabulary.num_text
        return self.weight * teaching_sum(*both, num_text, logits_at_once)


def load(
    source: Path,
    prompt: str,
    weight: float,
    device: torch.device | str = "cpu",
    attention: str | None = None,
    bf16: bool = False,
) -> Teacher:
    """The text LLM at `source` as a teacher, whole on each rank; with `bf16` in bf16."""
    dtype = torch.bfloat16 if bf16 else torch.float32
    model, _ = load_text_llm(source, attention=attention, dtype=dtype)
    model.to(device)  # pyrefly: ignore[bad-argument-type]: its wrapper has no types
    return Teacher(model.eval().requires_grad_(False), prompt, weight)


def check_lengths(
    utterances: Dump | Dumps | Subset, prompt: str, llm: SpeechLlm
) -> None:
    """Raise UserError for a lesson that is longer than the teacher reads, before any step."""
    if llm.max_length is None:
        return
    room = llm.max_length - BYTE_TOKENS * len(prompt.encode())
    for index in doubtful(utterances, room):
        utterance = utterances[index]
        num_read = 1 + len(llm.encode(filled(prompt, utterance)))
        _check_length(utterance, num_read, llm.max_length)


def _check_length(utterance: Utterance, num_read: int, most: int | None) -> None:
    if most is not None and num_read > most:
        raise UserError(
            f"utterance {utterance.id}: the teacher reads {num_read} tokens and has "
            f"positions for {most}: take a shorter --teacher_prompt"
        )


def with_lessons(
    drawn: Sequence[InterleavedExample],
    utterances: Sequence[Utterance],
    prompt: str,
    llm: SpeechLlm,
) -> list[InterleavedExample]:
    """The examples of utterances, each with what a teacher reads of it.

    A token is taught where it is the same token in the teacher's text: a word that begins
    the translation has a space before it there, and may be other tokens. Raises UserError
    for what is longer than the LLM reads.
    """
    texts = [Text(filled(prompt, utterance)) for utterance in utterances]
    encoded, name = llm.encode_all(texts), taught_block(prompt)
    lessons = []
    for utterance, each, text in zip(utterances, drawn, texts, strict=True):
        if name not in (block.name for block in each.task.layout.wanted):
            lessons.append(each)
            continue
        ids = np.array([llm.vocabulary.bos, *encoded[text]], dtype=np.int32)
        _check_length(utterance, len(ids), llm.max_length)
        tokens = each.example.ids[each.example.blocks[name]]
        lesson = Lesson(ids, name, _num_same(ids, tokens))
        lessons.append(replace(each, lesson=lesson))
    return lessons


def _num_same(ids: np.ndarray, tokens: np.ndarray) -> int:
    """How many tokens at the end of both are the same."""
    pairs = zip(reversed(ids), reversed(tokens), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
