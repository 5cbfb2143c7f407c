"""What the recipe takes for granted of an LLM holds, or the LLM is refused by its name."""

import numpy as np
import pytest
import torch
import transformers
from answers import translate, units_of
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from s2st_interleave.decode.generate import Limits
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.llm import model as llm
from s2st_interleave.llm.backbone import router_loss
from s2st_interleave.llm.loss import cross_entropy_sum
from s2st_interleave.llm.positions import max_positions
from s2st_interleave.train.interleaved import InterleavedTask, Interleaving

ROWS, NUM_UNITS = 320, 20
INTERLEAVING = Interleaving(Schedule("constant", 0.5), seed=5)
WIDE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
GATED = WIDE | {"intermediate_size": 64, "num_key_value_heads": 2}
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
ROUTERS = {"output_router_logits": True, "router_aux_loss_coef": 0.3}
MPT = {"d_model": 32, "n_layers": 2, "n_heads": 4}


@pytest.fixture
def extend(text_llm, tmp_path):
    """A function from a kind and its settings to an LLM with units."""

    def make(kind: str, **settings) -> llm.SpeechLlm:
        AutoTokenizer.from_pretrained(text_llm).save_pretrained(tmp_path)
        config = getattr(transformers, f"{kind}Config")(
            vocab_size=ROWS,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=None,
            **settings,
        )
        with torch.random.fork_rng():
            torch.manual_seed(0)
            AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
        return llm.extend(tmp_path, NUM_UNITS)

    return make


def task_of(speech_llm: llm.SpeechLlm, data, accum_grad: int = 1) -> InterleavedTask:
    return InterleavedTask(speech_llm, data, data, INTERLEAVING, 4, accum_grad, "cpu")


# What a model adds to its loss.


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("Mixtral", GATED | EXPERTS),
        ("GptOss", GATED | EXPERTS | {"head_dim": 8}),
        ("Qwen2Moe", GATED | {"num_experts": 4, "num_experts_per_tok": 2}),
        ("Olmoe", GATED | {"num_experts": 4, "num_experts_per_tok": 2}),
    ],
)
def test_the_loss_for_routers_is_counted(kind, settings, extend, small_dump):
    speech_llm = extend(kind, **settings, **ROUTERS)
    task = task_of(speech_llm, small_dump)
    (batch,) = task.batches(0)
    theirs = speech_llm.model(
        input_ids=batch.input_ids,
        attention_mask=batch.attention_mask,
        labels=batch.labels,
    )
    assert theirs.aux_loss > 0
    loss = task.loss_sum(batch) / task.num_targets(batch)
    assert loss.item() == pytest.approx(theirs.loss.item(), rel=1e-5)
    loss.backward()
    routers = [
        p
        for n, p in speech_llm.model.named_parameters()
        if "gate.weight" in n or "router" in n
    ]
    assert routers and all(p.grad.abs().max() > 0 for p in routers)
    # The score on dev is of tokens, whatever is trained besides.
    dev = task.evaluate()["loss"]
    speech_llm.model.config.output_router_logits = False
    assert task.evaluate()["loss"] == dev


def test_the_loss_for_routers_weighs_a_micro_batch_by_its_tokens(extend, small_dump):
    speech_llm = extend("Mixtral", **GATED, **EXPERTS, **ROUTERS)
    task = task_of(speech_llm, small_dump, accum_grad=2)
    batches = task.batches(0)
    targets = [task.num_targets(batch) for batch in batches]
    assert targets[0] != targets[1]
    total = sum(task.loss_sum(batch).item() for batch in batches) / sum(targets)
    entropy, routers = 0.0, 0.0
    for batch, count in zip(batches, targets, strict=True):
        output, hidden = task._states(batch)
        loss = cross_entropy_sum(task.model, hidden, batch.targets)
        more = router_loss(task.model, output, batch.attention_mask)
        entropy += loss.item() / sum(targets)
        routers += more.item() * count / sum(targets)
    assert total == pytest.approx(entropy + routers, rel=1e-6) and routers > 0.1


@pytest.mark.parametrize(
    ("kind", "settings", "what"),
    [
        ("JetMoe", GATED | {"num_local_experts": 4, "kv_channels": 8} | ROUTERS,
         "a jetmoe model adds a term to its loss"),
        ("Granite", GATED | {"logits_scaling": 8.0}, "a granite model does more than"),
        ("Bert", WIDE | {"intermediate_size": 64}, "a bert model does more than"),
        ("Moshi", GATED | {"ffn_dim": 64}, "a moshi model cannot be given rows for"),
    ],
)  # fmt: skip
def test_what_would_train_something_else_is_refused(kind, settings, what, extend):
    with pytest.raises(UserError, match=what):
        extend(kind, **settings)


def test_a_model_that_sees_what_follows_is_refused(extend, monkeypatch):
    mask = "transformers.models.llama.modeling_llama.create_causal_mask"
    monkeypatch.setattr(mask, lambda **_: None)
    monkeypatch.setattr(  # without a mask the library's attention is causal by this
        "transformers.models.llama.modeling_llama.LlamaAttention.is_causal",
        False,
        raising=False,
    )
    built = transformers.LlamaModel.__init__

    def init(self, config):
        built(self, config)
        for layer in self.layers:
            layer.self_attn.is_causal = False

    monkeypatch.setattr(transformers.LlamaModel, "__init__", init)
    with pytest.raises(UserError, match="a llama model sees tokens that follow"):
        extend("Llama", **GATED)


def test_what_is_no_causal_lm_is_refused(text_llm, tmp_path):
    config = transformers.T5Config(vocab_size=ROWS, d_model=32, num_layers=1, d_ff=32)
    config.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="a t5 model is no causal LM"):
        llm.extend(tmp_path, NUM_UNITS)
    (tmp_path / "config.json").write_text('{"model_type": "of tomorrow"}')
    with pytest.raises(UserError, match="model type `of tomorrow`"):
        llm.extend(tmp_path, NUM_UNITS)


# Positions.

LONGROPE = {
    "max_position_embeddings": 96,
    "original_max_position_embeddings": 24,
    "rope_parameters": {
        "rope_type": "longrope",
        "rope_theta": 10000.0,
        "short_factor": [1.0] * 48,
        "long_factor": [4.0] * 48,
        "original_max_position_embeddings": 24,
    },
}


@pytest.mark.parametrize(
    ("kind", "settings", "most"),
    [
        ("Llama", {"max_position_embeddings": 24}, 24),
        ("GPT2", {"n_positions": 24}, 24),
        ("OPT", {"max_position_embeddings": 24}, 24),  # its table has two more
        ("Mpt", {"max_seq_len": 24}, 24),
        ("Dbrx", {"max_seq_len": 24}, 24),
        ("GPTJ", {"n_positions": 24}, 24),
        ("Gemma3", {"text_config": {"max_position_embeddings": 24}}, 24),
        ("Bloom", {"seq_length": 24}, None),  # ALiBi goes on and on
        ("Phi3", LONGROPE, 24),  # its angles change where a batch is longer
        ("Mamba", {}, None),
        ("RecurrentGemma", {}, None),
    ],
)
def test_the_limit_is_read_from_every_configuration(kind, settings, most, tmp_path):
    config = getattr(transformers, f"{kind}Config")(**settings)
    assert max_positions(config) == most
    config.save_pretrained(tmp_path)
    assert max_positions(AutoConfig.from_pretrained(tmp_path)) == most


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("Mpt", MPT | {"max_seq_len": 24}),
        ("OPT", WIDE | {"ffn_dim": 64, "word_embed_proj_dim": 32}
         | {"max_position_embeddings": 24}),
        ("GPTJ", {"n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4, "n_positions": 24}),
    ],
)  # fmt: skip
def test_positions_are_used_to_the_last_and_not_beyond(
    kind, settings, extend, small_dump
):
    speech_llm = extend(kind, **settings)
    with pytest.raises(UserError, match=r"utterance u\d\d makes \d\d tokens"):
        for step in range(8):
            task_of(speech_llm, small_dump).batches(step)
    speech_llm.model(torch.arange(24)[None])  # the last one is there
    room = Limits(20, 3.0)
    answers = translate({"a": np.arange(18) % 20}, speech_llm, limits=room)
    assert not len(units_of(answers["a"]))
    with pytest.raises(
        UserError, match="no room for an answer, as the LLM has positions for 24"
    ):
        translate({"a": np.arange(60) % 20}, speech_llm)


def test_a_model_without_a_limit_has_none(extend, small_dump):
    speech_llm = extend("Bloom", hidden_size=32, n_layer=2, n_head=4)
    assert speech_llm.max_length is None
    task_of(speech_llm, small_dump).batches(0)
    answers = translate(
        {"a": np.arange(60) % 20}, speech_llm, limits=Limits(6, 1.0, min_max_units=8)
    )
    assert len(units_of(answers["a"]))


def test_llama_4_trains_probes_and_translates(extend, small_dump):
    """Its backbone does not go by the name that its class says."""
    speech_llm = extend(
        "Llama4Text", **GATED, **EXPERTS, head_dim=8, intermediate_size_mlp=64
    )
    task = task_of(speech_llm, small_dump)
    task.probe_every = 1
    task.loss_sum(task.batches(0)[0]).backward()
    assert all(p.grad is not None for p in speech_llm.model.parameters())
    assert "similarity_src" in task.metrics(0, task.batches(0))
    answers = translate(
        {"a": np.arange(9) % 20}, speech_llm, limits=Limits(6, 1.0, min_max_units=8)
    )
    assert len(units_of(answers["a"]))
