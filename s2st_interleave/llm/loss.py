"""Cross-entropy of last hidden states, with all logits at once or some at a time."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import cross_entropy, kl_div, linear, pad
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from s2st_interleave.llm.backbone import logits, output_layer, soft_cap

# Rows of a product's weights, of which a GPU's fast kernels want a multiple: with units and
# three marks the vocabulary is odd (130,307 tokens for Llama-3.2 and 2,048 units).
ALIGNED = 64


def cross_entropy_sum(
    model: PreTrainedModel,
    hidden: torch.Tensor,
    targets: torch.Tensor,
    logits_at_once: int = 0,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Cross-entropy summed over `targets` (num_targets,) of `hidden` (num_targets, width).

    `weights` (vocab_size,) says how much each target counts; None: all count 1.

    The model computes the logits of `logits_at_once` targets and their gradients before
    those of the next, so that there are never more; 0: all at once, whose backward pass
    keeps them three times. Losses differ by rounding alone. A model that does more than a
    linear layer (a soft cap, adapters) computes all logits at once in any case.
    """
    layer = _layer_of_parts(model, logits_at_once, len(targets))
    if layer is None:
        return cross_entropy(
            logits(model, hidden), targets, weight=weights, reduction="sum"
        )
    dtype = _product_dtype(layer, hidden)
    if dtype != torch.float32:

        def part(states: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
            found = _cast_logits(layer, states)
            return cross_entropy(found, wanted, weight=weights, reduction="sum")

        return _in_parts(part, logits_at_once, hidden, targets)
    # Of torch 2.13; trainings that do not ask for it run on earlier ones.
    from torch.nn.functional import linear_cross_entropy

    options = nn.LinearCrossEntropyOptions(
        batch_chunk_size=logits_at_once, chunking_method=None
    )
    return linear_cross_entropy(
        hidden.to(dtype),
        layer.weight.to(dtype),
        targets,
        linear_bias=layer.bias,
        weight=weights,
        reduction="sum",
        options=options,
    ).float()


def _layer_of_parts(
    model: PreTrainedModel, logits_at_once: int, num_positions: int
) -> nn.Linear | None:
    """The output layer, by which logits are computed in parts; None: all at once.

    They are in parts where there are more than `logits_at_once`, and where they are the
    layer's products alone: no soft cap, no adapters.
    """
    layer = output_layer(model)
    is_linear = type(layer) is nn.Linear and soft_cap(model) is None
    return layer if is_linear and 0 < logits_at_once < num_positions else None


def _product_dtype(layer: nn.Linear, hidden: torch.Tensor) -> torch.dtype:
    """What the output layer computes in."""
    device = hidden.device.type
    if torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return layer.weight.dtype


def _cast_logits(layer: nn.Linear, states: torch.Tensor) -> torch.Tensor:
    """float32 logits of a layer, by weights that are cast for these states alone.

    Torch's own function sums in bf16 where products are: of 125 parts a tenth of the loss was
    missing, and the row of a frequent unit stopped growing. So losses and gradients of all
    parts meet in fp32. Rows of zeros make up for a vocabulary that is not ALIGNED.
    """
    dtype, num_tokens = _product_dtype(layer, states), len(layer.weight)
    more = -num_tokens % ALIGNED
    bias = None if layer.bias is None else pad(layer.bias.to(dtype), (0, more))
    weight = pad(layer.weight.to(dtype), (0, 0, 0, more))
    return linear(states.to(dtype), weight, bias)[:, :num_tokens].float()


def _in_parts(
    part: Callable[..., torch.Tensor], size: int, *rows: torch.Tensor
) -> torch.Tensor:
    """The sum of `part` over `size` rows at a time; the backward pass computes it again."""
    parts = zip(*(each.split(size) for each in rows), strict=True)
    losses = [checkpoint(part, *each, use_reentrant=False) for each in parts]
    return torch.stack(losses).sum()


def divergence_sum(
    model: PreTrainedModel,
    first: torch.Tensor,
    second: torch.Tensor,
    logits_at_once: int = 0,
) -> torch.Tensor:
    """Symmetric divergence of the predictions of two states, summed over positions.

    `first` and `second` (num_positions, width) are last hidden states that predict the same
    tokens of two views of an utterance (arXiv 2203.10426, 2305.08706). It is the mean of
    both Kullback-Leibler divergences, in nats. `logits_at_once` as in cross_entropy_sum.
    """
    layer = _layer_of_parts(model, logits_at_once, len(first))
    if layer is None:
        return _divergence(logits(model, first), logits(model, second))

    def part(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return _divergence(_cast_logits(layer, first), _cast_logits(layer, second))

    return _in_parts(part, logits_at_once, first, second)


def _divergence(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """`divergence_sum` of logits that are there already, (num_positions, vocabulary)."""
    mine, theirs = first.log_softmax(-1), second.log_softmax(-1)
    return 0.5 * ((mine.exp() - theirs.exp()) * (mine - theirs)).sum()


def teaching_sum(
    student: tuple[PreTrainedModel, torch.Tensor],
    teacher: tuple[PreTrainedModel, torch.Tensor],
    num_text: int,
    logits_at_once: int = 0,
) -> torch.Tensor:
    """KL(teacher || student) in nats, summed over positions; the teacher learns nothing.

    Both are a model and the last hidden states (num_positions, width) by which it predicts
    the same tokens. Compared are the first `num_text` tokens, the text that both know.
    `logits_at_once` as in cross_entropy_sum.
    """
    layer = _layer_of_parts(student[0], logits_at_once, len(student[1]))

    def part(mine: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            wanted = logits(teacher[0], theirs)[:, :num_text]
        # A tokenizer may know more tokens than its LLM has rows.
        known = wanted.shape[1]
        told = logits(student[0], mine) if layer is None else _cast_logits(layer, mine)
        both = told[:, :known].log_softmax(-1), wanted.log_softmax(-1)
        return kl_div(*both, reduction="sum", log_target=True)

    states = student[1], teacher[1]
    if layer is None:
        return part(*states)
    return _in_parts(part, logits_at_once, *states)


def num_right(
    model: PreTrainedModel,
    hidden: torch.Tensor,
    targets: torch.Tensor,
    logits_at_once: int = 0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Summed cross-entropy, and the number of targets with the greatest logit."""
    size = logits_at_once or max(1, len(targets))
    parts = [
        _judged(model, *part)
        for part in zip(hidden.split(size), targets.split(size), strict=True)
    ]
    losses, hits = zip(*parts, strict=True)
    return torch.stack(losses).sum(), torch.stack(hits).sum()


def _judged(
    model: PreTrainedModel, hidden: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    part = logits(model, hidden)
    loss = cross_entropy(part, targets, reduction="sum")
    return loss, (part.argmax(-1) == targets).sum()
