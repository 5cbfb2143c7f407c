"""What a model says does not hang on its batch: recurrent states, ALiBi, beams, both paths."""

import shutil
from functools import cache

import numpy as np
import pytest
import torch
import transformers
from answers import LAYOUT, same, translate
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from s2st_interleave.decode import cascade, generate
from s2st_interleave.decode.cascade import translate_texts
from s2st_interleave.decode.grammar import Grammar, Limits
from s2st_interleave.decode.padding import LADDER, Batching, batching
from s2st_interleave.errors import UserError
from s2st_interleave.llm import model as llm

ROWS = 320
WIDE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
GATED = WIDE | {"intermediate_size": 64, "num_key_value_heads": 2}
STATE = {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 8}
KINDS = {
    "Llama": GATED,
    "Bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4},  # ALiBi
    "Mpt": {"d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": 128},  # ALiBi
    "OPT": WIDE | {"ffn_dim": 64, "word_embed_proj_dim": 32, "dropout": 0.0},
    "Mamba": STATE,
    "Mamba2": STATE | {"num_heads": 8, "head_dim": 8, "n_groups": 1, "expand": 2},
    "Jamba": GATED | {"attn_layer_period": 2, "attn_layer_offset": 1, "num_experts": 2,
                      "mamba_d_state": 4, "use_mamba_kernels": False},
    "Rwkv": {"hidden_size": 32, "num_hidden_layers": 2, "attention_hidden_size": 32},
    "MiniMax": GATED | {"head_dim": 8, "num_local_experts": 2, "block_size": 16,
                        "layer_types": ["linear_attention", "full_attention"]},
}  # fmt: skip
BEAMS = ("Llama", "Rwkv", "MiniMax")
RECURRENT = ("Rwkv", "MiniMax")
SLOW = ("Mamba", "Mamba2", "Jamba")  # without kernels, a loop in Python over tokens


def param(kind: str, *more: int):
    slow = kind in SLOW or (kind in RECURRENT and more == (3,))
    return pytest.param(kind, *more, marks=pytest.mark.slow if slow else ())


LIMITS = Limits(max_text_tokens=5, max_unit_ratio=1.0, min_max_units=6)
SOURCES = {f"u{i}": (np.arange(4 + 3 * (i // 2)) * (i + 1) % 20).astype(np.int32)
           for i in range(6)}  # fmt: skip


@pytest.fixture(scope="module")
def folder(text_llm, tmp_path_factory):
    """A function from a kind to a directory of it, whose weights are wide apart."""
    root = tmp_path_factory.mktemp("kinds")

    @cache
    def make(kind: str):
        AutoTokenizer.from_pretrained(text_llm).save_pretrained(root / kind)
        config = getattr(transformers, f"{kind}Config")(
            vocab_size=ROWS, bos_token_id=0, eos_token_id=1, pad_token_id=None
        )
        config = type(config).from_dict(config.to_dict() | KINDS[kind])
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = AutoModelForCausalLM.from_config(config)
            for value in model.parameters():
                if value.dim() == 2:  # random weights as they come say little
                    value.data *= 4
        model.save_pretrained(root / kind)
        return root / kind

    return make


@pytest.mark.parametrize(
    ("kind", "num_beams"),
    [*(param(kind, 1) for kind in KINDS), *(param(kind, 3) for kind in BEAMS)],
)
def test_a_batch_says_what_each_utterance_says_alone(kind, num_beams, folder, capsys):
    speech_llm = llm.extend(folder(kind), 20, new_rows="normal")
    speech_llm.model.eval()
    limits = Limits(5, 1.0, min_max_units=6, num_beams=num_beams)
    together = translate(SOURCES, speech_llm, limits=limits, batch_size=8)
    printed = capsys.readouterr().out
    assert (f"a {speech_llm.model.config.model_type} model is decoded" in printed) == (
        kind in RECURRENT
    )
    speech_llm.model.generation_config.use_cache = False
    for name, units in SOURCES.items():  # as in training: alone, nothing remembered
        grammar = Grammar(speech_llm.vocabulary, LAYOUT, limits)
        question = generate._question({"src_speech": units}, speech_llm, grammar, [])
        alone = generate.generate([question], speech_llm, grammar, False)
        assert same(together[name], generate.parse_answer(alone[0], speech_llm, LAYOUT))


@pytest.mark.parametrize("kind", [*map(param, KINDS)])
def test_the_text_cascade_says_what_each_text_says_alone(kind, folder):
    texts = {f"t{i}": "la casa roja come pan agua gato"[: 3 + 5 * i] for i in range(4)}
    ask = lambda texts, size: translate_texts(  # noqa: E731
        texts, folder(kind), "es: {text}\nen:", max_tokens=6, batch_size=size
    )
    together = ask(texts, 4)
    assert together == {
        name: ask({name: text}, 1)[name] for name, text in texts.items()
    }
    assert len(set(together.values())) > 1 or kind == "Bloom"


def test_batches_of_equal_lengths_lose_nobody():
    lengths, wanted = [3, 3, 3, 5, 6, 6], [4] * 6
    cut = lambda rules, size, most: rules.cut(lengths, size, wanted, most)  # noqa: E731
    for most in (None, 10):
        assert cut(Batching(), 4, most) == [[0, 1, 2, 3], [4, 5]]
        assert cut(Batching(padded=False), 2, most) == [[0, 1], [2], [3], [4, 5]]
    assert cut(Batching(), 4, 9) == [[0, 1, 2, 3], [4, 5]]
    assert cut(Batching(), 4, 8) == [[0, 1, 2], [3], [4, 5]]


def test_a_llama_is_batched_as_ever(folder):
    model, _ = llm.load_text_llm(folder("Llama"))
    prompts = [[0, *range(3, 3 + size)] for size in (4, 90)]
    for beams in (1, 4):
        assert batching(model.eval(), prompts, ROWS - 1, beams) == LADDER[0]


def test_what_is_wrong_in_every_batch_is_refused(folder, monkeypatch):
    model, _ = llm.load_text_llm(folder("Llama"))
    forward = type(model).forward

    def forgetful(self, *args, **kwargs):
        output = forward(self, *args, **kwargs)
        if len(output.logits) > 1:  # in company it says another thing
            output.logits = -output.logits
        return output

    monkeypatch.setattr(type(model), "forward", forgetful)
    with pytest.raises(UserError, match="a llama model does not say in a batch"):
        batching(model.eval(), [[0, 4, 5], [0, 4, 5, 6, 7]], ROWS - 1)


def test_a_long_text_does_not_end_the_translation_of_a_short_one(folder):
    """At the last of the positions the longest of a batch cut the others' answers."""
    texts = {"short": "la casa", "long": "la casa " * 20}
    ask = lambda texts: translate_texts(  # noqa: E731
        texts, folder("Mpt"), "{text}:", max_tokens=100, batch_size=2
    )
    together = ask(texts)
    assert together == {k: ask({k: v})[k] for k, v in texts.items()}


def test_a_text_without_room_for_an_answer_is_named(folder):
    texts = {"short": "la casa", "long": "la casa roja come pan " * 30}
    with pytest.raises(
        UserError, match=r"utterance long: .* the LLM has positions for 128"
    ):
        translate_texts(texts, folder("Mpt"), "{text}:", max_tokens=8)
    # The last positions are used, and no more.
    texts["long"] = "la casa " * 20
    assert translate_texts(texts, folder("Mpt"), "{text}:", max_tokens=500)


@pytest.mark.parametrize("token", ["[PAD]", None])
def test_a_pad_token_without_a_row_pads_all_the_same(folder, tmp_path, token):
    """Nobody looks at it; it was an IndexError, or a TypeError without any."""
    shutil.copytree(folder("Llama"), tmp_path / "llm")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "llm")
    tokenizer.pad_token = token
    if token:
        tokenizer.add_special_tokens({"pad_token": token})
    tokenizer.save_pretrained(tmp_path / "llm")
    texts = {"a": "la casa", "b": "la casa roja come pan"}
    asked = [
        translate_texts(texts, f, "{text}:", max_tokens=4)
        for f in (tmp_path / "llm", folder("Llama"))
    ]
    assert asked[0] == asked[1]


def test_a_tokenizer_that_appends_an_end_ends_no_prompt(folder, tmp_path):
    """The text topline was 0 with an LLM whose tokenizer closes each text."""
    shutil.copytree(folder("Llama"), tmp_path / "llm")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "llm")
    end = tokenizer.eos_token
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"$A {end}", special_tokens=[(end, tokenizer.eos_token_id)]
    )
    tokenizer.save_pretrained(tmp_path / "llm")
    closing = AutoTokenizer.from_pretrained(tmp_path / "llm")
    assert closing("la")["input_ids"][-1] == closing.eos_token_id
    texts = {"a": "la casa", "b": "la casa roja come pan"}
    asked = [
        translate_texts(texts, f, "{text}:", max_tokens=6)
        for f in (tmp_path / "llm", folder("Llama"))
    ]
    assert asked[0] == asked[1] and all(asked[0].values())


def test_a_translation_may_be_twice_as_long_as_a_reference(folder, capsys):
    """A script of many tokens a letter was cut at 100 of them, and nobody said so."""
    texts = {"a": "la casa", "b": "la casa roja"}
    short = translate_texts(texts, folder("Llama"), "{text}:", max_tokens=4)
    told = capsys.readouterr().out
    assert "2 of 2 translations of the text LLM are cut at 4 tokens" in told
    assert "first a" in told
    expected = ["la casa roja come pan"]
    long = translate_texts(texts, folder("Llama"), "{text}:", expected, max_tokens=4)
    assert all(len(long[name]) > len(short[name]) for name in texts)


def test_an_llm_without_a_line_feed_translates_as_well(folder, tmp_path):
    """The library refuses to look for a stop that no token has."""
    shutil.copytree(folder("Llama"), tmp_path / "llm")
    words = ["<unk>", "</s>", "la", "casa", "roja", ":", *map(str, range(ROWS - 6))]
    backend = Tokenizer(WordLevel({w: i for i, w in enumerate(words)}, "<unk>"))
    backend.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="<unk>", eos_token="</s>"
    ).save_pretrained(tmp_path / "llm")
    assert translate_texts({"a": "la casa"}, tmp_path / "llm", "{text} :", max_tokens=4)


@pytest.mark.parametrize(
    ("answer", "line", "is_whole"),
    [
        ("la casa\n", "la casa", True),
        (" la\ncome", "la", True),
        ("la casa", "la casa", False),
    ],
)
def test_an_answer_that_ends_with_its_line_is_whole(text_llm, answer, line, is_whole):
    """The longest answer of each batch was told of as cut, without its line feed."""
    tokenizer = AutoTokenizer.from_pretrained(text_llm)
    ids = torch.tensor(tokenizer(answer, add_special_tokens=False)["input_ids"])
    assert cascade._first_line(tokenizer, ids) == (line, is_whole)
