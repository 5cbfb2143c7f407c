"""The engine vLLM gives the greedy tokens of the library.

vLLM is no dependency. Where it is not installed, a stand-in of its interface (`LLM`,
`SamplingParams`, `TokensPrompt`, as its documentation has them) answers in its place; it
shows what is asked of vLLM, not what vLLM does.
"""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from answers import same, translate

from s2st_interleave.decode.grammar import Limits
from s2st_interleave.decode.vllm_engine import Vllm
from s2st_interleave.errors import UserError
from s2st_interleave.llm import model as llm

LIMITS = Limits(max_text_tokens=6, max_unit_ratio=1.0, min_max_units=8)
SOURCES = {f"u{i}": (np.arange(5 + 3 * i) % 20).astype(np.int32) for i in range(5)}


@dataclass(frozen=True)
class SamplingParams:
    temperature: float
    max_tokens: int
    min_tokens: int
    allowed_token_ids: list[int]
    stop_token_ids: list[int]
    detokenize: bool


class StandIn:
    """A model that answers one prompt after the other, as `vllm.LLM.generate` would."""

    def __init__(self, model: str, dtype: str, **_: object):
        self.model = llm.SpeechLlm.load(Path(model), bf16=dtype == "bfloat16").model

    def generate(self, prompts: list, orders: list[SamplingParams]) -> list:
        pairs = zip(prompts, orders, strict=True)
        answers = [
            self._answer(prompt["prompt_token_ids"], how) for prompt, how in pairs
        ]
        return [
            SimpleNamespace(outputs=[SimpleNamespace(token_ids=a)]) for a in answers
        ]

    def _answer(self, prompt: list[int], how: SamplingParams) -> tuple[int, ...]:
        assert how.temperature == 0.0
        answer: list[int] = []
        while len(answer) < how.max_tokens and not set(answer) & set(
            how.stop_token_ids
        ):
            with torch.no_grad():
                scores = self.model(torch.tensor([prompt + answer])).logits[0, -1]
            allowed = set(how.allowed_token_ids)
            if len(answer) < how.min_tokens:
                allowed -= set(how.stop_token_ids)
            answer.append(max(sorted(allowed), key=lambda token: float(scores[token])))
        return tuple(answer)


@pytest.fixture
def vllm(monkeypatch):
    """The real package where it is installed, else the stand-in."""
    if importlib.util.find_spec("vllm"):
        return
    module = ModuleType("vllm")
    parts = {"LLM": StandIn, "SamplingParams": SamplingParams, "TokensPrompt": dict}
    for name, part in parts.items():
        setattr(module, name, part)
    monkeypatch.setitem(sys.modules, "vllm", module)


@pytest.fixture(scope="module")
def saved(text_llm, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("an llm")
    speech_llm = llm.extend(text_llm, 20, new_rows="normal")
    for value in speech_llm.model.parameters():
        value.data *= 4 if value.dim() == 2 else 1  # so that answers differ
    speech_llm.save(folder)
    return folder


def test_vllm_gives_the_tokens_of_the_library(saved, vllm):
    expected = translate(SOURCES, llm.SpeechLlm.load(saved), limits=LIMITS)
    engine = Vllm(saved, bf16=False, num_answers=4)
    answers = translate(SOURCES, llm.reader(saved), limits=LIMITS, engine=engine)
    assert answers.keys() == expected.keys()
    for name, answer in answers.items():
        assert same(answer, expected[name])
    assert len({str(answer) for answer in answers.values()}) > 1


def test_an_answer_of_vllm_ends_at_the_last_position(saved, vllm):
    from answers import LAYOUT

    from s2st_interleave.decode.grammar import Grammar
    from s2st_interleave.decode.stream import Question, stream

    speech_llm = llm.SpeechLlm.load(saved)
    grammar = Grammar(speech_llm.vocabulary, LAYOUT, LIMITS)
    asked = [Question([0, 5, 6, 7], 9, most) for most in (1, 6, 9, 15)]
    written = dict(Vllm(saved, bf16=False, num_answers=4)(asked, grammar))
    assert written == dict(stream(asked, speech_llm, grammar, 4))


def test_a_missing_package_is_named(saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(UserError, match="pip install vllm"):
        Vllm(saved, bf16=False, num_answers=4)
