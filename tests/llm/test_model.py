"""Any causal LM: tiny random models of each real class, from a folder to a translation."""

from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pytest
import torch
import transformers
from answers import same, translate, units_of
from fit_task import fit_task
from transformers import AutoModelForCausalLM, AutoTokenizer

from s2st_interleave.decode.generate import Limits
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.llm import dropout, merge
from s2st_interleave.llm import model as llm
from s2st_interleave.llm.options import TRAINED_FILE
from s2st_interleave.train import checkpoint
from s2st_interleave.train.interleaved import InterleavedTask, Interleaving
from s2st_interleave.train.options import TrainOptions

NUM_UNITS, NUM_ROWS = 20, 320  # more rows than the tokenizer knows, as Qwen has
INTERLEAVING = Interleaving(Schedule("step", 0.9, 0.3, 2), seed=5)
WIDE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
LLAMA = WIDE | {"intermediate_size": 64, "num_key_value_heads": 2}
KINDS = {
    "Llama": LLAMA | {"tie_word_embeddings": True},
    "Llama untied": LLAMA | {"tie_word_embeddings": False},
    "Qwen2": LLAMA,
    "Qwen3": LLAMA | {"head_dim": 8},
    "SmolLM3": LLAMA,
    "Mistral": LLAMA,
    "Gemma2": LLAMA | {"head_dim": 8, "final_logit_softcapping": 2.0},
    "Gemma3Text": LLAMA | {"head_dim": 8, "sliding_window": 8},
    "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "resid_pdrop": 0.3},
    "OPT": WIDE | {"ffn_dim": 64, "word_embed_proj_dim": 32, "dropout": 0.3},
    "GPTNeoX": WIDE | {"intermediate_size": 64, "tie_word_embeddings": False},
}
SLOW = ("Llama", "Qwen2", "SmolLM3", "Mistral", "Gemma3Text", "GPTNeoX")
NO_BOS = ("Qwen2", "Qwen3")
LIMITS = Limits(max_text_tokens=6, max_unit_ratio=1.5, min_max_units=8)


@pytest.fixture(scope="module")
def folder(text_llm, tmp_path_factory):
    """A function from a kind to a Hugging Face directory of it."""
    root = tmp_path_factory.mktemp("text llms")

    @cache
    def make(kind: str):
        tokenizer = AutoTokenizer.from_pretrained(text_llm)
        bos = tokenizer.bos_token_id
        if kind in NO_BOS:
            tokenizer.bos_token = bos = None
        tokenizer.save_pretrained(root / kind)
        config = getattr(transformers, f"{kind.split()[0]}Config")(
            vocab_size=NUM_ROWS,
            bos_token_id=bos,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=None,
            **KINDS[kind],
        )
        with torch.random.fork_rng():
            torch.manual_seed(0)
            AutoModelForCausalLM.from_config(config).save_pretrained(root / kind)
        return root / kind

    return make


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions):
    max_steps: int = 3
    lr: float = 1e-2
    batch_size: int = 4
    accum_grad: int = 1
    save_every: int = 2
    eval_every: int = 3
    num_threads: int = 1


def task_of(speech_llm: llm.SpeechLlm, data) -> InterleavedTask:
    return InterleavedTask(speech_llm, data, data, INTERLEAVING, 4, 1, "cpu")


def weights(model) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("lora_rank", [0, 4])
@pytest.mark.parametrize(
    "kind",
    [pytest.param(k, marks=pytest.mark.slow if k in SLOW else ()) for k in KINDS],
)
def test_it_trains_saves_loads_and_translates(
    kind, lora_rank, folder, small_dump, tmp_path
):
    make = partial(
        llm.extend,
        folder(kind),
        NUM_UNITS,
        attention_dropout=0.2,
        lora_rank=lora_rank,
    )
    whole, stopped, resumed = make(), make(), make()
    outcome = fit_task(task_of(whole, small_dump), Options(), tmp_path / "whole")
    fit_task(task_of(stopped, small_dump), Options(max_steps=2), tmp_path / "stopped")
    fit_task(task_of(resumed, small_dump), Options(), tmp_path / "stopped")
    ended, again = weights(whole.model), weights(resumed.model)
    assert all(torch.equal(ended[name], again[name]) for name in ended | again)

    # A plain folder: same logits, and names for every row.
    plain = AutoModelForCausalLM.from_pretrained(outcome.last, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(outcome.last)
    vocabulary = whole.vocabulary
    ids = torch.tensor([[vocabulary.bos, 9, vocabulary.sep, vocabulary.offset + 3]])
    whole.model.eval()
    with torch.inference_mode():
        a, b = plain.eval()(ids).logits, whole.model(ids).logits
    assert type(plain) is type(whole.model) and torch.allclose(a, b, atol=1e-4)
    assert plain.config.vocab_size == len(tokenizer) == vocabulary.size
    assert tokenizer.convert_tokens_to_ids("<unit_17>") == vocabulary.offset + 17
    assert tokenizer.convert_ids_to_tokens(vocabulary.sep) == "<s2st_sep>"

    # The cache of keys and values changes nothing, nor does the batch.
    loaded = llm.SpeechLlm.load(outcome.last)
    sources = {f"u{i}": (np.arange(5 + 3 * i) % 20).astype(np.int32) for i in range(3)}
    together = translate(sources, loaded, limits=LIMITS, batch_size=3)
    alone = translate(sources, loaded, limits=LIMITS, batch_size=1)
    loaded.model.generation_config.use_cache = False
    slow = translate(sources, loaded, limits=LIMITS, batch_size=1)
    for name, answer in together.items():
        units = units_of(answer)
        assert len(units) and 0 <= units.min() <= units.max() < NUM_UNITS
        assert all(same(answer, other) for other in (alone[name], slow[name]))


def test_adapters_train_the_new_rows_and_leave_the_rest(folder, small_dump, tmp_path):
    speech_llm = llm.extend(folder("Llama untied"), NUM_UNITS, lora_rank=4)
    before = merge.merged_state(speech_llm.model)
    outcome = fit_task(task_of(speech_llm, small_dump), Options(), tmp_path)
    after = AutoModelForCausalLM.from_pretrained(outcome.last).state_dict()
    num_text, offset = speech_llm.vocabulary.num_text, speech_llm.vocabulary.offset
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        assert torch.equal(before[name][:num_text], after[name][:num_text])
        assert not torch.equal(before[name][offset:], after[name][offset:])
    same = {name for name in after if torch.equal(before[name], after[name])}
    assert same == {name for name in after if "norm" in name}
    # A checkpoint is resumed from what was trained: small beside the model.
    assert (outcome.last / TRAINED_FILE).is_file()
    assert checkpoint.by_step(tmp_path)


def test_a_model_without_bos_starts_with_eos(folder):
    speech_llm = llm.extend(folder("Qwen3"), NUM_UNITS)
    assert speech_llm.tokenizer.bos_token_id is None
    assert (
        speech_llm.vocabulary.bos
        == speech_llm.vocabulary.eos
        == speech_llm.tokenizer.eos_token_id
    )


def test_a_model_without_eos_is_refused(folder, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(folder("Llama"))
    AutoModelForCausalLM.from_pretrained(folder("Llama")).save_pretrained(tmp_path)
    tokenizer.eos_token = None
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="no eos token"):
        llm.extend(tmp_path, NUM_UNITS)


def test_text_is_never_a_unit(folder):
    speech_llm = llm.extend(folder("Llama"), NUM_UNITS)
    text = "la <unit_3> </s> <s2st_sep> casa"
    ids = speech_llm.encode(text)
    assert (
        max(ids) < speech_llm.vocabulary.num_text
        and speech_llm.vocabulary.eos not in ids
    )
    assert speech_llm.decode(ids) == text
    plain = AutoTokenizer.from_pretrained(folder("Llama"))
    assert speech_llm.encode("la casa roja") == plain.encode(
        "la casa roja", add_special_tokens=False
    )


@pytest.mark.parametrize("kind", ["Llama", "GPT2", "OPT", "Gemma3Text", "GPTNeoX"])
@pytest.mark.parametrize("where", ["attention_dropout", "residual_dropout"])
def test_dropout_acts_where_it_is_asked_for_and_nowhere_else(kind, where, folder):
    def passes(**asked) -> list[torch.Tensor]:
        model = llm.extend(folder(kind), NUM_UNITS, **asked).model.train()
        ids = torch.arange(12)[None]
        with torch.no_grad():
            return [model(ids, use_cache=False).logits for _ in range(2)]

    assert torch.equal(*passes())
    assert not torch.equal(*passes(**{where: 0.3}))


def test_an_architecture_without_attention_dropout_says_so(text_llm, tmp_path):
    AutoTokenizer.from_pretrained(text_llm).save_pretrained(tmp_path)
    config = transformers.MambaConfig(
        vocab_size=NUM_ROWS, hidden_size=16, num_hidden_layers=2, state_size=4
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="mamba model has no attention dropout"):
        llm.extend(tmp_path, NUM_UNITS, attention_dropout=0.2)


def test_an_option_that_a_model_only_reads_is_found_out(folder):
    speech_llm = llm.extend(folder("Llama"), NUM_UNITS, attention_dropout=0.2)
    dropout.check_attention(speech_llm.model)
    for layer in dropout.layers(speech_llm.model):
        layer.self_attn.attention_dropout = 0.0
    with pytest.raises(ValueError, match="no attention dropout"):
        dropout.check_attention(speech_llm.model)


def test_logits_are_the_models_own_or_it_is_refused(text_llm, folder, tmp_path):
    speech_llm = llm.extend(folder("Gemma2"), NUM_UNITS)
    ids = torch.arange(9)[None]
    with torch.inference_mode():
        logits = speech_llm.logits(speech_llm.model.base_model(ids).last_hidden_state)
        assert torch.allclose(logits, speech_llm.model(ids).logits, atol=1e-5)
    assert logits.abs().max() <= 2.0

    AutoTokenizer.from_pretrained(text_llm).save_pretrained(tmp_path)
    config = transformers.CohereConfig(vocab_size=NUM_ROWS, **LLAMA, logit_scale=9.0)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="more than a linear layer"):
        llm.extend(tmp_path, NUM_UNITS)


def test_an_llm_that_knows_units_keeps_them(folder, tmp_path):
    first = llm.extend(folder("Llama"), NUM_UNITS)
    first.save(tmp_path)
    again = llm.extend(tmp_path, NUM_UNITS, seed=7)
    assert again.vocabulary == first.vocabulary
    assert torch.equal(
        first.model.get_input_embeddings().weight,
        again.model.get_input_embeddings().weight,
    )
    with pytest.raises(ValueError, match="an LLM of 20 units, and the dump has 30"):
        llm.extend(tmp_path, 30)


def test_gradients_are_the_same_with_checkpointing(folder, small_dump):
    grads = []
    for checkpointing in (False, True):
        speech_llm = llm.extend(
            folder("Qwen3"), NUM_UNITS, gradient_checkpointing=checkpointing
        )
        speech_llm.model.train()
        task = task_of(speech_llm, small_dump)
        task.loss_sum(task.batches(0)[0]).backward()
        grads.append([p.grad for p in speech_llm.model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*grads, strict=True))


def test_bf16_is_for_products_and_weights_stay_fp32(folder, small_dump, tmp_path):
    losses = []
    for bf16 in (False, True):
        speech_llm = llm.extend(folder("Llama"), NUM_UNITS, bf16=bf16)
        speech_llm.model.eval()
        task = task_of(speech_llm, small_dump)
        losses.append(task.loss_sum(task.batches(0)[0]).item())
        assert {p.dtype for p in speech_llm.model.parameters()} == {torch.float32}
    assert losses[0] != losses[1] == pytest.approx(losses[0], rel=1e-2)
    fit_task(task_of(speech_llm, small_dump), Options(max_steps=1), tmp_path)
    answers = translate({"u": np.arange(9) % 20}, speech_llm, limits=LIMITS)
    assert len(units_of(answers["u"]))


def test_positions_that_a_model_lacks_are_named(text_llm, small_dump, tmp_path):
    AutoTokenizer.from_pretrained(text_llm).save_pretrained(tmp_path)
    config = transformers.GPT2Config(
        vocab_size=NUM_ROWS, n_embd=16, n_layer=1, n_head=2, n_positions=24
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    speech_llm = llm.extend(tmp_path, NUM_UNITS)
    with pytest.raises(ValueError, match=r"utterance u\d\d makes \d\d tokens"):
        for step in range(8):
            task_of(speech_llm, small_dump).batches(step)
    sources = {"a": np.arange(18) % 20}  # an answer has four positions
    answers = translate(sources, speech_llm, limits=Limits(20, 3.0, 100))
    assert not len(units_of(answers["a"]))
    with pytest.raises(ValueError, match="no room for an answer"):
        translate({"a": np.arange(60) % 20}, speech_llm)


def test_attention_backends_are_named_or_refused(folder):
    cpu = torch.device("cpu")
    assert llm.attention_backend("auto", cpu, bf16=False) is None
    with pytest.raises(ValueError, match="wants the package flash-attn"):
        llm.attention_backend("flash_attention_2", cpu, bf16=True)
    logits = []
    for backend in ("eager", "sdpa"):
        name = llm.attention_backend(backend, cpu, bf16=False)
        model = llm.extend(folder("Llama"), NUM_UNITS, attention=name).model
        assert model.config._attn_implementation == backend
        with torch.inference_mode():
            logits.append(model(torch.arange(9)[None]).logits)
    assert torch.allclose(*logits, atol=1e-5)


def test_how_a_model_came_to_sample_does_not_matter(folder, tmp_path):
    """Qwen's generation_config.json has a repetition penalty, which greedy search obeys."""
    model = AutoModelForCausalLM.from_pretrained(folder("Qwen2"))
    AutoTokenizer.from_pretrained(folder("Qwen2")).save_pretrained(tmp_path)
    model.generation_config.update(
        do_sample=True, temperature=0.7, repetition_penalty=1.5
    )
    model.save_pretrained(tmp_path)
    config = llm.extend(tmp_path, NUM_UNITS).model.generation_config
    assert not config.do_sample and config.repetition_penalty in (None, 1.0)
