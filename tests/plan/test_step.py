"""Memory and FLOPs of one real optimizer step, and what the planner says of them."""

import tempfile
from pathlib import Path

import pytest
import torch

from s2st_interleave.llm.loss import cross_entropy_sum
from s2st_interleave.plan import compute, counts, memory, sizes


@pytest.mark.parametrize("checkpointing", [False, True])
def test_flops_are_those_that_torch_counts(checkpointing):
    from torch.utils.flop_counter import FlopCounterMode

    llm, model, batch = llama()
    if checkpointing:
        enable_checkpointing(model)
    counter = FlopCounterMode(display=False)
    with counter:
        loss(model, batch).backward()
    planned = compute.flops(llm, [batch], checkpointing=checkpointing)
    assert planned == pytest.approx(counter.get_total_flops(), rel=0.001)


def llama(dropout: float = 0.2, **more):
    """A Llama wide enough to be no rounding error, its sizes, and a micro-batch."""
    from transformers import LlamaConfig, LlamaForCausalLM

    values = {
        "vocab_size": 1200,
        "hidden_size": 128,
        "intermediate_size": 344,
        "num_hidden_layers": 6,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "tie_word_embeddings": True,
    }
    config = LlamaConfig(**values | more, attention_dropout=dropout)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LlamaForCausalLM(config)
    return measured(config), model.train(), counts.MicroBatch(8, 128, 8 * 64)


def measured(config) -> sizes.LlmSizes:
    with tempfile.TemporaryDirectory() as folder:
        config.save_pretrained(folder)
        return sizes.measure(Path(folder), config.vocab_size)


def enable_checkpointing(model) -> None:
    model.config.use_cache = False
    model.activation_checkpointing_enable({"use_reentrant": False})


def loss(model, batch: counts.MicroBatch, at_once: int = 0) -> torch.Tensor:
    """As InterleavedTask: padding, and logits only where there is a loss."""
    ids = torch.arange(batch.rows * batch.length) % 1200
    ids = ids.view(batch.rows, batch.length)
    mask = torch.ones_like(ids)
    mask[0, -20:] = 0
    wanted = torch.zeros(batch.rows, batch.length - 1, dtype=torch.bool)
    wanted[:, : batch.targets // batch.rows] = True
    hidden = model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
    states, targets = hidden[:, :-1][wanted], ids[:, 1:][wanted]
    return cross_entropy_sum(model, states, targets, at_once)


def measured_peak(
    model, batch: counts.MicroBatch, accumulates: bool, at_once: int
) -> int:
    """Bytes at the worst moment of one optimizer step, by torch's memory profiler."""
    from torch.profiler import ProfilerActivity, profile

    optimizer = torch.optim.AdamW(model.parameters())

    def step() -> None:
        for _ in range(1 + accumulates):
            loss(model, batch, at_once).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    step()  # AdamW makes its states
    resident = sum(p.numel() * 4 for p in model.parameters())
    resident += sum(t.numel() * 4 for s in optimizer.state.values() for t in s.values())
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step()
    events = profiler.profiler.kineto_results.events()
    now = most = 0
    for event in sorted(
        (e for e in events if e.name() == "[memory]"), key=lambda e: e.start_ns()
    ):
        now += event.nbytes()
        most = max(most, now)
    return resident + most


# What is largest, dropout (on a CPU it takes the math kernel), whether gradients of a
# micro-batch before are there, checkpointing.
WIDE_MLP = {"hidden_size": 256, "intermediate_size": 4096}
MANY_ROWS = {"vocab_size": 30_000, "num_hidden_layers": 2}
UNTIED = {"tie_word_embeddings": False, "num_key_value_heads": 4}
CASES = {
    "activations": ({}, 0.0, False, False),
    "attention scores": ({}, 0.2, False, False),
    "activations of one layer": ({}, 0.0, False, True),
    "attention scores of one layer": ({}, 0.2, True, True),
    "weights": (WIDE_MLP, 0.2, True, False),
    "weights, checkpointing": (WIDE_MLP, 0.0, True, True),
    "logits": (MANY_ROWS, 0.0, False, True),
    "logits in parts": (MANY_ROWS, 0.0, False, True),
    "untied": (UNTIED, 0.0, False, True),
}


@pytest.mark.parametrize("case", CASES)
def test_memory_is_that_of_a_real_step(case):
    """Within the error that the planner states."""
    shape, dropout, accumulates, checkpointing = CASES[case]
    at_once = 64 if "in parts" in case else 0
    llm, model, batch = llama(dropout, **shape)
    if shape is WIDE_MLP:
        batch = counts.MicroBatch(2, 48, 48)
    if checkpointing:
        enable_checkpointing(model)
    planned = memory.peak(
        llm,
        [batch],
        memory.Setup(
            kernel="math" if dropout else "fused",
            checkpointing=checkpointing,
            accumulates=accumulates,
            logits_at_once=at_once,
            foreach=False,
        ),
    )
    real = measured_peak(model, batch, accumulates, at_once)
    assert planned.total == pytest.approx(real, rel=memory.ERROR)
