"""Decoding in bf16 is with weights in bf16: no step casts them."""

import numpy as np
import torch
from answers import LAYOUT, units_of
from torch.utils._python_dispatch import TorchDispatchMode

from s2st_interleave.decode.generate import answer_all
from s2st_interleave.decode.grammar import Grammar, Limits
from s2st_interleave.decode.stream import Question, stream
from s2st_interleave.llm import model as llm
from s2st_interleave.llm.backbone import in_fp32

LIMITS = Limits(max_text_tokens=4, max_unit_ratio=1.0, min_max_units=4)


class Casts(TorchDispatchMode):
    """Counts casts of tensors that have the shape of a weight matrix."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.shapes = {each.shape for each in model.parameters() if each.dim() == 2}
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **kwargs or {})
        if func.overloadpacket in (torch.ops.aten.to, torch.ops.aten._to_copy):
            is_weight = args[0].shape in self.shapes
            self.count += is_weight and result.dtype != args[0].dtype
        return result


def saved(text_llm, folder):
    llm.extend(text_llm, 20, new_rows="normal").save(folder)
    return folder


def count_casts(speech_llm: llm.SpeechLlm, autocast: bool = False) -> int:
    grammar = Grammar(speech_llm.vocabulary, LAYOUT, LIMITS)
    asked = [Question([0, 5, 6, 7], 4, 20), Question([0, 5], 3, 20)]
    bf16 = torch.autocast("cpu", torch.bfloat16, enabled=autocast)
    with Casts(speech_llm.model) as casts, bf16:
        answers = dict(stream(asked, speech_llm, grammar, 2))
    assert len(answers) == 2
    return casts.count


def test_no_step_casts_a_weight(text_llm, tmp_path):
    folder = saved(text_llm, tmp_path)
    assert count_casts(llm.SpeechLlm.load(folder, bf16=True)) == 0
    # Weights in fp32 under autocast, as in training, are cast at every step.
    assert count_casts(llm.SpeechLlm.load(folder), autocast=True) > 20


def test_a_model_in_bf16_answers_and_keeps_its_weights(text_llm, tmp_path):
    """It is tried in fp32 first: its weights come back bit by bit."""
    speech_llm = llm.SpeechLlm.load(saved(text_llm, tmp_path), bf16=True)
    before = [each.clone() for each in speech_llm.model.parameters()]
    assert {each.dtype for each in before} == {torch.bfloat16}
    with in_fp32(speech_llm.model):
        assert next(speech_llm.model.parameters()).dtype == torch.float32
    given = {f"u{k}": {"src_speech": np.arange(3 + k)} for k in range(4)}
    answers = answer_all(given, speech_llm, LAYOUT, limits=LIMITS)
    assert all(1 <= len(units_of(answer)) <= 6 for answer in answers.values())
    for old, new in zip(before, speech_llm.model.parameters(), strict=True):
        assert torch.equal(old, new)
