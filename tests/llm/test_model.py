"""Any causal LM: tiny random models of each real class, from a folder to a translation."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
import transformers
from answers import same, translate, units_of
from fit_task import fit_task
from tiny_llms import KINDS, LLAMA, NUM_ROWS, NUM_UNITS
from transformers import AutoModelForCausalLM, AutoTokenizer

from s2st_interleave.decode.generate import Limits
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.llm import merge
from s2st_interleave.llm import model as llm
from s2st_interleave.llm.options import TRAINED_FILE
from s2st_interleave.train import checkpoint
from s2st_interleave.train.interleaved import InterleavedTask, Interleaving
from s2st_interleave.train.options import TrainOptions

HOW = Interleaving(Schedule("step", 0.9, 0.3, 2), seed=5)
SLOW = (
    "Llama",
    "Llama untied",
    "OPT",
    "Qwen2",
    "SmolLM3",
    "Mistral",
    "Gemma3Text",
    "GPTNeoX",
)
LIMITS = Limits(max_text_tokens=6, max_unit_ratio=1.5, min_max_units=8)


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
    return InterleavedTask(speech_llm, data, data, HOW, 4, 1, "cpu")


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
    made = llm.extend(folder("Llama untied"), NUM_UNITS, lora_rank=4)
    before = merge.merged_state(made.model)
    outcome = fit_task(task_of(made, small_dump), Options(), tmp_path)
    after = AutoModelForCausalLM.from_pretrained(outcome.last).state_dict()
    num_text, offset = made.vocabulary.num_text, made.vocabulary.offset
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        assert torch.equal(before[name][:num_text], after[name][:num_text])
        assert not torch.equal(before[name][offset:], after[name][offset:])
    same = {name for name in after if torch.equal(before[name], after[name])}
    assert same == {name for name in after if "norm" in name}
    # A checkpoint is resumed from what was trained: small beside the model.
    assert (outcome.last / TRAINED_FILE).is_file()
    assert checkpoint.by_step(tmp_path)


def test_a_model_without_bos_starts_with_eos(folder):
    made = llm.extend(folder("Qwen3"), NUM_UNITS)
    assert made.tokenizer.bos_token_id is None
    assert made.vocabulary.bos == made.vocabulary.eos == made.tokenizer.eos_token_id


def test_a_model_without_eos_is_refused(folder, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(folder("Llama"))
    AutoModelForCausalLM.from_pretrained(folder("Llama")).save_pretrained(tmp_path)
    tokenizer.eos_token = None
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="no eos token"):
        llm.extend(tmp_path, NUM_UNITS)


def test_text_is_never_a_unit(folder):
    made = llm.extend(folder("Llama"), NUM_UNITS)
    text = "la <unit_3> </s> <s2st_sep> casa"
    ids = made.encode(text)
    assert max(ids) < made.vocabulary.num_text and made.vocabulary.eos not in ids
    assert made.decode(ids) == text
    plain = AutoTokenizer.from_pretrained(folder("Llama"))
    assert made.encode("la casa roja") == plain.encode(
        "la casa roja", add_special_tokens=False
    )


@pytest.mark.parametrize("byte", [0, 0x1B, 0x07, 0x7F])
def test_a_control_character_that_a_model_writes_is_in_no_file_of_texts(text_llm, byte):
    """The next stage refused a NUL as no text, and a terminal obeyed an escape."""
    made = llm.reader(text_llm)
    sign = chr(0x100 + byte) if byte < 0x21 else "\u0121"  # of a byte-level vocabulary
    ids = made.tokenizer.convert_tokens_to_ids(["l", "a", sign, "c", "a"])
    assert None not in ids and made.decode(ids) == "la ca"


def test_logits_are_the_models_own_or_it_is_refused(text_llm, folder, tmp_path):
    made = llm.extend(folder("Gemma2"), NUM_UNITS)
    ids = torch.arange(9)[None]
    with torch.inference_mode():
        logits = made.logits(made.model.base_model(ids).last_hidden_state)
        assert torch.allclose(logits, made.model(ids).logits, atol=1e-5)
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
        made = llm.extend(
            folder("Qwen3"), NUM_UNITS, gradient_checkpointing=checkpointing
        )
        made.model.train()
        task = task_of(made, small_dump)
        task.loss_sum(task.batches(0)[0]).backward()
        grads.append([p.grad for p in made.model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*grads, strict=True))


def test_bf16_is_for_products_and_weights_stay_fp32(folder, small_dump, tmp_path):
    losses = []
    for bf16 in (False, True):
        made = llm.extend(folder("Llama"), NUM_UNITS, bf16=bf16)
        made.model.eval()
        task = task_of(made, small_dump)
        losses.append(task.loss_sum(task.batches(0)[0]).item())
        assert {p.dtype for p in made.model.parameters()} == {torch.float32}
    assert losses[0] != losses[1] == pytest.approx(losses[0], rel=1e-2)
    fit_task(task_of(made, small_dump), Options(max_steps=1), tmp_path)
    found = translate({"u": np.arange(9) % 20}, made, limits=LIMITS)
    assert len(units_of(found["u"]))


def test_positions_that_a_model_lacks_are_named(text_llm, small_dump, tmp_path):
    AutoTokenizer.from_pretrained(text_llm).save_pretrained(tmp_path)
    config = transformers.GPT2Config(
        vocab_size=NUM_ROWS, n_embd=16, n_layer=1, n_head=2, n_positions=24
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    made = llm.extend(tmp_path, NUM_UNITS)
    with pytest.raises(ValueError, match=r"utterance u\d\d makes \d\d tokens"):
        for step in range(8):
            task_of(made, small_dump).batches(step)
    sources = {"a": np.arange(18) % 20}  # an answer has four positions
    found = translate(sources, made, limits=Limits(20, 3.0, 100))
    assert not len(units_of(found["a"]))
    with pytest.raises(ValueError, match="no room for an answer"):
        translate({"a": np.arange(60) % 20}, made)


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
