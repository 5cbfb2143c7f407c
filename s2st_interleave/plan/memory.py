"""Peak memory of one optimizer step on one GPU, by formula.

The formula counts the tensors that autograd keeps for a Llama of Hugging Face (checked on
a CPU against torch's memory profiler: tests/plan/test_step.py). A position is one token of
a padded micro-batch, h the width, q = heads * head size, f the MLP's width, V the
vocabulary:

    a layer keeps     6h of its two norms, 4q of attention, 4f of the MLP, a position
    attention, fused  and rows * length^2 of the mask a layer
    attention, math   and 3 * rows * heads * length^2 a layer
    checkpointing     h a position a layer, and one layer in full with 2h and 2f more
    logits            3 V a position that has a loss, and 3 U for each head of U units; some
                      at a time, those of as many positions, and the head's gradient

fp32: 4 bytes each. bf16 is autocast over fp32 weights: norms stay in fp32, all else
has 2 bytes, and a bf16 copy of the weights is kept during a micro-batch.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal

from s2st_interleave.plan.counts import MicroBatch
from s2st_interleave.plan.sizes import LlmSizes

Precision = Literal["fp32", "bf16"]
Kernel = Literal["fused", "math"]
Parallel = Literal["ddp", "fsdp"]
ERROR = 0.1  # relative; torch's own start-up and fragmentation come on top


@dataclass(frozen=True)
class Setup:
    """Settings of an optimizer step; ranks share the weights (fsdp) or copy them (ddp)."""

    precision: Precision = "fp32"
    kernel: Kernel = "fused"
    checkpointing: bool = False
    ranks: int = 1
    parallel: Parallel = "ddp"
    accumulates: bool = False  # gradients of earlier micro-batches are kept
    logits_at_once: int = 0  # 0: those of a micro-batch
    foreach: bool = True  # AdamW copies all tensors at once, as the fused one does not
    teacher: bool = False  # the text LLM that is trained from is there whole, frozen


@dataclass(frozen=True)
class Memory:
    """Bytes on one GPU at one moment."""

    moment: str
    weights: float
    optimizer: float
    gradients: float
    activations: float
    logits: float
    buffers: float  # memory of communication, autocast and the optimizer's step

    @property
    def total(self) -> float:
        """Bytes of all parts."""
        parts = [f.name for f in fields(self) if f.name != "moment"]
        return sum(getattr(self, name) for name in parts)


def peak(sizes: LlmSizes, micro: Iterable[MicroBatch], setup: Setup) -> Memory:
    """Memory at the moment when most is in use."""
    return max(moments(sizes, micro, setup), key=lambda memory: memory.total)


def moments(sizes: LlmSizes, micro: Iterable[MicroBatch], setup: Setup) -> list[Memory]:
    """Memory at the candidates for the peak: three in each micro-batch, and AdamW's step."""
    memories = [_optimizer_step(sizes, setup)]
    for batch in set(micro):
        memories += [
            _at_the_loss(sizes, batch, setup),
            _in_the_last_layer(sizes, batch, setup),
            _in_the_first_layer(sizes, batch, setup),
        ]
    return memories


def _at_the_loss(sizes: LlmSizes, batch: MicroBatch, setup: Setup) -> Memory:
    """Memory when the backward pass begins: kept activations, and logits three times."""
    further = sizes.heads.number * sizes.heads.num_units
    # Gradients of the head: one of a part, and in bf16 two in fp32 that are summed besides.
    of_head = 4 if setup.precision == "fp32" else 10
    in_parts = 0 < setup.logits_at_once < batch.targets
    targets = setup.logits_at_once if in_parts else batch.targets
    return _memory(
        "the loss",
        sizes,
        setup,
        gradients=_gradients(sizes, setup) if _are_kept(setup) else 0,
        activations=_around_bytes(sizes, batch) + _kept_bytes(sizes, batch, setup),
        logits=3 * 4 * (sizes.vocabulary * targets + further * batch.targets),
        more=of_head * sizes.embedding if in_parts else 0,
    )


def _in_the_last_layer(sizes: LlmSizes, batch: MicroBatch, setup: Setup) -> Memory:
    """Memory when the head has its gradient; checkpointing computes the layer again."""
    again = _working_bytes(sizes, batch, setup) if setup.checkpointing else 0
    return _memory(
        "backward, last layer",
        sizes,
        setup,
        gradients=_gradients(sizes, setup, head_only=not setup.accumulates),
        activations=_kept_bytes(sizes, batch, setup) + again,
        logits=0,
        # Rows of the units have a gradient in the shape of the whole table.
        more=4 * sizes.embedding if sizes.heads.number else 0,
    )


def _in_the_first_layer(sizes: LlmSizes, batch: MicroBatch, setup: Setup) -> Memory:
    """Memory with all gradients, one layer's activations, the embedding's new gradient."""
    return _memory(
        "backward, first layer",
        sizes,
        setup,
        gradients=_gradients(sizes, setup),
        activations=_working_bytes(sizes, batch, setup),
        logits=0,
        more=4 * sizes.embedding,
    )


def _gradients(sizes: LlmSizes, setup: Setup, *, head_only: bool = False) -> float:
    """Bytes of gradients; under DDP they lie in its buckets, which are always there."""
    if setup.ranks > 1 and setup.parallel == "ddp":
        return 4 * sizes.num_weights
    count = sizes.embedding if head_only else sizes.num_weights
    return 4 * count * _share(setup)


def _optimizer_step(sizes: LlmSizes, setup: Setup) -> Memory:
    at_once = sizes.num_weights if setup.foreach else sizes.largest_tensor
    return _memory(
        "AdamW's step",
        sizes,
        setup,
        gradients=_gradients(sizes, setup),
        activations=0,
        logits=0,
        more=4 * at_once * _share(setup),
        computing=False,
    )


def _memory(
    moment: str,
    sizes: LlmSizes,
    setup: Setup,
    *,
    gradients: float,
    activations: float,
    logits: float,
    more: float = 0.0,
    computing: bool = True,
) -> Memory:
    share = _share(setup)
    taught_bytes = (2 if setup.precision == "bf16" else 4) * setup.teacher
    buffers = more
    if setup.ranks > 1 and setup.parallel == "fsdp":
        buffers += _gathered_bytes(sizes)
    if computing and setup.precision == "bf16":
        # FSDP frees gathered fp32 weights, and backward keeps autocast's copies of them.
        buffers += 2 * sizes.num_weights
    return Memory(
        moment=moment,
        weights=(4 * share + taught_bytes) * sizes.num_weights,
        optimizer=8 * sizes.num_weights * share,
        gradients=gradients,
        activations=activations,
        logits=logits,
        buffers=buffers,
    )


def _share(setup: Setup) -> float:
    return 1 / setup.ranks if setup.parallel == "fsdp" else 1.0


def _are_kept(setup: Setup) -> bool:
    """Whether there are gradients before the backward pass."""
    return setup.accumulates or (setup.ranks > 1 and setup.parallel == "ddp")


def _gathered_bytes(sizes: LlmSizes) -> float:
    """Bytes of FSDP's gathered weights: the embedding and two layers at once."""
    return 4 * (sizes.embedding + 2 * 2 * sizes.layer_weights)


def _around_bytes(sizes: LlmSizes, batch: MicroBatch) -> float:
    """Bytes kept by the last norm, and for the positions that the head reads."""
    return 4 * sizes.hidden * (3 * batch.rows * batch.length + batch.targets)


def _kept_bytes(sizes: LlmSizes, batch: MicroBatch, setup: Setup) -> float:
    """Bytes that all layers keep from the forward to the backward pass."""
    if setup.checkpointing:
        return 4 * sizes.hidden * sizes.num_layers * batch.rows * batch.length
    return sizes.num_layers * _layer_bytes(sizes, batch, setup)


def _working_bytes(sizes: LlmSizes, batch: MicroBatch, setup: Setup) -> float:
    """Bytes of the layer in the backward pass: its activations and their gradients."""
    gradients = 4 * 2 * (sizes.hidden + sizes.intermediate)
    kept = _layer_bytes(sizes, batch, setup)
    return kept + batch.rows * batch.length * gradients


def _layer_bytes(sizes: LlmSizes, batch: MicroBatch, setup: Setup) -> float:
    positions = batch.rows * batch.length
    small = 2 if setup.precision == "bf16" else 4
    square = batch.rows * batch.length**2 * small
    norms = sizes.hidden * (2 * 4 * 2 + 2 * small)
    others = 4 * small * (sizes.query + sizes.intermediate)
    scores = 3 * sizes.num_heads * square if setup.kernel == "math" else square
    return positions * (norms + others) + scores
