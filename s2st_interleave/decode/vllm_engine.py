"""Greedy answers by vLLM, an extra: `pip install vllm`. Nothing else imports it.

A block of an answer is a request of its own, which may hold nothing but text or nothing but
units, and stops at the block's mark. What the next block starts from is what the last one
has left: with prefix caching it is read once. vLLM keeps its own cache and batches, and
sends answers in and out of them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from s2st_interleave.decode.grammar import Grammar
from s2st_interleave.decode.stream import Question
from s2st_interleave.errors import UserError


class Vllm:
    """An LLM that `SpeechLlm.save` wrote to `directory`, loaded by vLLM."""

    def __init__(self, directory: Path, *, bf16: bool, num_answers: int):
        try:
            import vllm  # pyrefly: ignore[missing-import]: an extra
        except ImportError as error:
            raise UserError(
                "--engine vllm wants a package that is not here: pip install vllm, or take "
                f"--engine transformers ({error})"
            ) from None
        self.vllm = vllm
        self.engine = vllm.LLM(
            model=str(directory),
            dtype="bfloat16" if bf16 else "float32",
            skip_tokenizer_init=True,  # units are no text: prompts are token ids
            enable_prefix_caching=True,
            max_num_seqs=num_answers,
            seed=0,
        )

    def __call__(
        self, questions: Sequence[Question], grammar: Grammar
    ) -> Iterator[tuple[int, list[int]]]:
        """The index of each question and the tokens of its answer."""
        written: list[list[int]] = [[] for _ in questions]
        for number in range(len(grammar.layout.wanted)):
            self._write_block(number, questions, grammar, written)
        yield from enumerate(written)

    def _write_block(
        self,
        number: int,
        questions: Sequence[Question],
        grammar: Grammar,
        written: list[list[int]],
    ) -> None:
        """Add a block to each answer that the model has a position left for."""
        allowed, mark = _tokens(number, grammar)
        is_text = grammar.layout.wanted[number].kind == "text"
        asked, prompts, orders = [], [], []
        for question, ids in zip(questions, written, strict=True):
            limit = grammar.limits.max_text_tokens if is_text else question.max_units
            room = question.max_tokens - len(ids)
            if room <= 0:
                continue
            asked.append((ids, limit, room))
            prompts.append(self._prompt([*question.ids, *ids]))
            orders.append(
                self.vllm.SamplingParams(
                    temperature=0.0,
                    max_tokens=int(min(limit, room)),
                    min_tokens=1,  # no block is empty
                    allowed_token_ids=allowed,
                    stop_token_ids=[mark],
                    detokenize=False,
                )
            )
        outputs = self.engine.generate(prompts, orders) if prompts else []
        for (ids, limit, room), output in zip(asked, outputs, strict=True):
            block = list(output.outputs[0].token_ids)
            if block[-1] != mark and limit < room:
                block.append(mark)  # it has reached its limit
            ids += block

    def _prompt(self, ids: list[int]) -> Any:
        return self.vllm.TokensPrompt(prompt_token_ids=ids)


def _tokens(number: int, grammar: Grammar) -> tuple[list[int], int]:
    """The tokens that may stand in a block, and the mark that ends it."""
    vocabulary, wanted = grammar.vocabulary, grammar.layout.wanted
    mark = vocabulary.eos if number == len(wanted) - 1 else vocabulary.sep
    if wanted[number].kind == "text":
        known = set(range(vocabulary.num_text)) - {vocabulary.bos, vocabulary.eos}
    else:
        known = set(range(vocabulary.offset, vocabulary.size))
    return sorted(known | {mark}), mark
