"""A batch that answers leave and join gives the tokens of a batch that waits for them all."""

import numpy as np
import pytest
import torch
import transformers
from answers import LAYOUT
from tiny_llms import KINDS
from transformers import AutoModelForCausalLM, AutoTokenizer

from s2st_interleave.decode import rows, stream
from s2st_interleave.decode.candidates import Candidates
from s2st_interleave.decode.generate import generate
from s2st_interleave.decode.grammar import Grammar, Limits, Next
from s2st_interleave.decode.stream import Question
from s2st_interleave.llm import model as llm

LIMITS = Limits(max_text_tokens=5)
GATED = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
         "intermediate_size": 64, "num_key_value_heads": 2}  # fmt: skip
MORE = {
    "Bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4},  # ALiBi
    "Mistral": GATED | {"sliding_window": 8},
    "GptOss": GATED | {"head_dim": 8, "sliding_window": 8, "num_local_experts": 2,
                       "num_experts_per_tok": 2},
}  # fmt: skip
RECURRENT = {
    "Rwkv": {"hidden_size": 32, "num_hidden_layers": 2, "attention_hidden_size": 32},
    "MiniMax": GATED | {"head_dim": 8, "num_local_experts": 2, "block_size": 16,
                        "layer_types": ["linear_attention", "full_attention"]},
}  # fmt: skip


@pytest.fixture
def make(text_llm, tmp_path):
    """A function from a kind to an LLM whose weights are wide apart, so that answers differ."""

    def of_kind(kind: str) -> llm.SpeechLlm:
        AutoTokenizer.from_pretrained(text_llm).save_pretrained(tmp_path)
        settings = (KINDS | MORE | RECURRENT)[kind]
        config = getattr(transformers, f"{kind.split()[0]}Config")(
            vocab_size=320,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=None,
            **settings,
        )
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = AutoModelForCausalLM.from_config(config)
            for value in model.parameters():
                if value.dim() == 2:
                    value.data *= 4
        model.save_pretrained(tmp_path)
        speech_llm = llm.extend(tmp_path, 20, new_rows="normal")
        speech_llm.model.eval()
        return speech_llm

    return of_kind


def questions(speech_llm: llm.SpeechLlm) -> list[Question]:
    """Twelve questions of 4 to 26 tokens, whose answers are of other lengths."""
    vocabulary, draw = speech_llm.vocabulary, np.random.default_rng(1)
    asked = []
    for size in range(3, 27, 2):
        units = vocabulary.unit_ids(draw.integers(0, 20, size))
        ids = [vocabulary.bos, *units, vocabulary.sep]
        asked.append(Question(ids, int(draw.integers(3, 20)), 1000))
    return asked


@pytest.mark.parametrize(
    "kind", ["Llama", "Gemma2", "Gemma3Text", "GPT2", "OPT", "GPTNeoX", *MORE]
)
def test_answers_that_come_and_go_are_those_of_one_batch(kind, make, monkeypatch):
    monkeypatch.setattr(rows, "SPARE", 3)  # so that rows move, and their memory grows
    speech_llm = make(kind)
    asked, grammar = (
        questions(speech_llm),
        Grammar(speech_llm.vocabulary, LAYOUT, LIMITS),
    )
    assert stream.streams(speech_llm, [each.ids for each in asked])
    eos = speech_llm.vocabulary.eos
    whole = generate(asked, speech_llm, grammar, True)
    expected = {k: ids[: ids.index(eos) + 1] for k, ids in enumerate(whole)}
    assert len({len(ids) for ids in expected.values()}) > 3
    for size in (1, 3, 20):
        assert dict(stream.stream(asked, speech_llm, grammar, size)) == expected


@pytest.mark.parametrize("kind", RECURRENT)
def test_a_model_that_remembers_states_does_not_stream(kind, make):
    speech_llm = make(kind)
    assert not stream.streams(speech_llm, [[0, 4], [0, 4, 5, 6]])


def test_a_model_that_is_inexact_in_rows_does_not_stream(make, monkeypatch):
    read = rows.Rows.read
    monkeypatch.setattr(rows.Rows, "read", lambda *args: -read(*args))
    assert not stream.streams(make("Llama"), [[0, 4], [0, 4, 5, 6]])


def test_an_answer_ends_at_the_last_position_of_the_model(make):
    speech_llm = make("Llama")
    grammar = Grammar(speech_llm.vocabulary, LAYOUT, LIMITS)
    asked = [Question([0, 5, 6], 100, most) for most in (1, 4)]
    answers = dict(stream.stream(asked, speech_llm, grammar, 2))
    assert [len(answers[k]) for k in (0, 1)] == [1, 4]


@pytest.mark.parametrize("kind", ["Llama", "Gemma2", "GPT2"])
def test_the_best_candidate_is_the_best_token_that_the_grammar_allows(kind, make):
    """A part of the output layer chooses what all of it chooses behind a mask."""
    speech_llm = make(kind)
    grammar = Grammar(speech_llm.vocabulary, LAYOUT, LIMITS)
    width = speech_llm.model.get_output_embeddings().in_features
    random = torch.Generator().manual_seed(0)
    hidden = torch.randn((60, width), generator=random)
    place = grammar.start([4] * 60, torch.device("cpu"))
    place.block[:], place.length[:] = torch.arange(60) % 3, torch.arange(60) // 3 % 6
    place.length.clamp_(max=torch.tensor([5, 5, 4])[place.block])
    with torch.no_grad():
        expected = grammar.forbid(speech_llm.logits(hidden), place).argmax(dim=1)
    candidates = Candidates(speech_llm)
    assert candidates.best(hidden, grammar.next(place)).tolist() == expected.tolist()
    rule: Next = grammar.next(place)
    assert rule.full.any() and not rule.begun.all()
    candidates.text.layer = candidates.units.layer = None  # as of no plain product
    assert candidates.best(hidden, rule).tolist() == expected.tolist()


def test_the_place_of_an_answer_is_the_same_step_by_step_and_at_once(make):
    grammar = Grammar(make("Llama").vocabulary, LAYOUT, LIMITS)
    sep, unit = grammar.vocabulary.sep, grammar.vocabulary.offset
    answer = [5, 6, sep, 7, sep, unit, unit]
    place = grammar.start([9], torch.device("cpu"))
    for count, token in enumerate(answer):
        whole = grammar.place(torch.tensor([answer[:count]]).long(), torch.tensor([9]))
        assert (whole.block, whole.length) == (place.block, place.length)
        place = grammar.after(place, torch.tensor([token]))
