"""LoRA of every kind: all that trains is in what is saved, or the model is refused."""

import json
from dataclasses import dataclass

import pytest
import torch
import transformers
from fit_task import fit_task
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.llm import lora, merge
from s2st_interleave.llm import model as llm
from s2st_interleave.train import checkpoint
from s2st_interleave.train.interleaved import InterleavedTask, Interleaving
from s2st_interleave.train.options import TrainOptions

ROWS, NUM_UNITS = 320, 20
WIDE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
GATED = WIDE | {"intermediate_size": 64, "num_key_value_heads": 2}
EXPERTS = GATED | {"num_local_experts": 4, "num_experts_per_tok": 2}
SHARED = GATED | {
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
}
LATENT = {"q_lora_rank": 16, "kv_lora_rank": 16, "qk_nope_head_dim": 8,
          "qk_rope_head_dim": 8, "v_head_dim": 8, "n_routed_experts": 4,
          "moe_intermediate_size": 16, "n_group": 1, "topk_group": 1,
          "num_experts_per_tok": 2, "first_k_dense_replace": 1}  # fmt: skip
KINDS = {
    "Llama": GATED,
    "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 4},
    "Mixtral": EXPERTS,
    "GptOss": EXPERTS | {"head_dim": 8},
    "Llama4Text": EXPERTS | {"head_dim": 8, "intermediate_size_mlp": 64},
    "Phimoe": EXPERTS,  # a router is a linear layer that returns two tensors
    "GraniteMoe": EXPERTS,
    "Qwen2Moe": SHARED | {"shared_expert_intermediate_size": 16},
    "DeepseekV3": GATED | LATENT | {"num_key_value_heads": 4},
    "Mamba": {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 8},
    "Jamba": GATED | {"attn_layer_period": 2, "attn_layer_offset": 1, "num_experts": 2,
                      "mamba_d_state": 4, "use_mamba_kernels": False},
    "Rwkv": {"hidden_size": 32, "num_hidden_layers": 8, "attention_hidden_size": 32},
    "Zamba": GATED | {"num_hidden_layers": 4, "attention_head_dim": 16,
                      "num_key_value_heads": 4, "n_mamba_heads": 2, "mamba_d_state": 8,
                      "layers_block_type": ["mamba", "hybrid"] * 2},
}  # fmt: skip
REFUSED = ("Zamba",)  # two layers of adapters at one shared layer of weights
MERGED = [kind for kind in KINDS if kind not in REFUSED]


@pytest.fixture(scope="module")
def folder(text_llm, tmp_path_factory):
    """A function from a kind to a directory of it."""
    root = tmp_path_factory.mktemp("kinds")

    def make(kind: str, **more):
        place = root / f"{kind} {sorted(more)}"
        if place.is_dir():
            return place
        AutoTokenizer.from_pretrained(text_llm).save_pretrained(place)
        config = getattr(transformers, f"{kind}Config")(
            vocab_size=ROWS, bos_token_id=0, eos_token_id=1, pad_token_id=None,
            **KINDS[kind] | more,
        )  # fmt: skip
        with torch.random.fork_rng():
            torch.manual_seed(0)
            AutoModelForCausalLM.from_config(config).save_pretrained(place)
        return place

    return make


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions):
    max_steps: int = 2
    lr: float = 3e-2
    batch_size: int = 4
    eval_every: int = 1
    num_threads: int = 1


def task_of(speech_llm: llm.SpeechLlm, data) -> InterleavedTask:
    interleaving = Interleaving(Schedule("constant", 0.5), seed=5)
    return InterleavedTask(speech_llm, data, data, interleaving, 4, 1, "cpu")


def drawn(model) -> None:
    """All that trains becomes something else."""
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        if parameter.requires_grad:
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.data += 0.1 * noise


@pytest.mark.parametrize("kind", MERGED)
def test_what_is_saved_says_what_the_model_says(kind, folder, tmp_path):
    speech_llm = llm.extend(folder(kind), NUM_UNITS, lora_rank=4)
    before = speech_llm.sample()
    drawn(speech_llm.model)
    speech_llm.model.eval()
    speech_llm.save(tmp_path)
    sample = speech_llm.sample()
    assert (sample - before).abs().max() > 0.1
    loaded = llm.SpeechLlm.load(tmp_path)
    assert torch.allclose(loaded.sample(), sample, atol=1e-4)
    assert torch.equal(
        speech_llm.sample(), sample
    )  # and the one that goes on is untouched
    # Every matrix but what peft or the model itself puts out of reach.
    assert lora.adapted_share(speech_llm.model) > (0.6 if kind == "Mamba" else 0.93)


@pytest.mark.parametrize(
    "kind", ["Mixtral", "GptOss", "Jamba", pytest.param("Rwkv", marks=pytest.mark.slow)]
)
def test_dev_loss_is_that_of_the_checkpoint(kind, folder, small_dump, tmp_path):
    """Mixtral's was 4.44 in training and 6.85 from what was saved."""
    make = lambda: llm.extend(folder(kind), NUM_UNITS, lora_rank=8)  # noqa: E731
    outcome = fit_task(task_of(make(), small_dump), Options(), tmp_path)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["dev_loss"] for line in lines]
    saved = task_of(llm.SpeechLlm.load(outcome.last), small_dump).evaluate()["loss"]
    assert losses[-1] == pytest.approx(saved, rel=1e-5)
    assert losses[0] != pytest.approx(losses[-1], rel=1e-3)
    # What a run is carried on from is all of it.
    resumed = make().model
    checkpoint.load_model(outcome.last, resumed)
    merged = merge.merged_state(resumed)
    weights = AutoModelForCausalLM.from_pretrained(outcome.last).state_dict()
    assert all(torch.equal(weights[name], merged[name]) for name in weights)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_merged_is_refused_by_name(kind, folder):
    with pytest.raises(UserError, match=rf"a {kind.lower()} model .*set --lora_rank 0"):
        llm.extend(folder(kind), NUM_UNITS, lora_rank=4)


def test_an_adapter_that_the_model_reads_past_is_found_out(folder, monkeypatch):
    speech_llm = llm.extend(folder("Llama"), NUM_UNITS, lora_rank=4)
    rows = range(speech_llm.vocabulary.num_text, speech_llm.vocabulary.size)
    merge.check_merge(speech_llm.model, rows)
    layer = speech_llm.model.model.layers[0].mlp.up_proj
    monkeypatch.setattr(layer, "forward", layer.base_layer.forward)
    with pytest.raises(UserError, match="a llama model do not give what they give"):
        merge.check_merge(speech_llm.model, rows)


def test_a_trained_tensor_that_nobody_merges_is_a_fault(folder):
    speech_llm = llm.extend(folder("Mixtral"), NUM_UNITS, lora_rank=4)
    speech_llm.model.model.norm.weight.requires_grad_(True)
    with pytest.raises(
        AssertionError, match=r"model.norm.weight trains and is not merged"
    ):
        merge.merged_state(speech_llm.model)


def test_a_model_whose_layers_peft_does_not_know_is_refused(folder, monkeypatch):
    monkeypatch.setattr(lora, "_experts", lambda model: [])
    with pytest.raises(
        UserError, match=r"reach \d+ % of the inner weights of a gpt_oss"
    ):
        llm.extend(folder("GptOss"), NUM_UNITS, lora_rank=4)


def test_the_share_that_trains_is_told(folder):
    speech_llm = llm.extend(folder("GptOss"), NUM_UNITS, lora_rank=4).model
    told = lora.describe(speech_llm)
    trained = sum(p.numel() for p in speech_llm.parameters() if p.requires_grad)
    assert f"{trained:,} of " in told and "97.1 % of the inner weights have an" in told


def test_a_model_that_changes_when_it_is_saved_makes_no_checkpoint(
    folder, small_dump, tmp_path, monkeypatch
):
    task = task_of(llm.extend(folder("Llama"), NUM_UNITS, lora_rank=4), small_dump)
    monkeypatch.setattr(merge, "merged_state", lambda model: plain_state(model))
    with pytest.raises(
        UserError, match="a llama model is another one when it is saved"
    ):
        fit_task(task, Options(), tmp_path)
    assert not checkpoint.by_step(tmp_path)


def plain_state(model) -> dict:
    """As if adapters were nothing."""
    kept = {k: v for k, v in model.state_dict().items() if not merge._is_adapter(k)}
    return {merge._plain(name): value for name, value in kept.items()}


def test_rwkv_is_saved_as_it_trains(folder, small_dump, tmp_path):
    """To evaluate, the library halves weights of every sixth layer in place."""
    task = task_of(llm.extend(folder("Rwkv"), NUM_UNITS), small_dump)
    outcome = fit_task(task, Options(max_steps=1), tmp_path)
    saved = load_file(outcome.last / "model.safetensors")
    task.model.train()
    task.loss_sum(task.batches(0)[0])
    ours = task.model.state_dict()
    assert all(torch.equal(saved[name], ours[name]) for name in saved)
