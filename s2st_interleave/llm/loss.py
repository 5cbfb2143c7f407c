"""Cross-entropy of last hidden states, with all logits at once or some at a time."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, kl_div, linear
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from s2st_interleave.llm.backbone import logits, output_layer, soft_cap


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
    layer = output_layer(model)
    is_linear = type(layer) is nn.Linear and soft_cap(model) is None
    if not (is_linear and 0 < logits_at_once < len(targets)):
        return cross_entropy(
            logits(model, hidden), targets, weight=weights, reduction="sum"
        )
    device = hidden.device.type
    if torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
    else:
        dtype = layer.weight.dtype
    if dtype != torch.float32:
        return _in_parts(layer, hidden, targets, weights, logits_at_once, dtype)
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


def _in_parts(
    layer: nn.Linear,
    hidden: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor | None,
    size: int,
    dtype: torch.dtype,
) -> torch.Tensor:
    """The sum over parts of `size` targets, whose logits the backward pass computes again.

    Torch's own function sums in bf16 where products are: of 125 parts a tenth of the loss was
    missing, and the row of a frequent unit stopped growing. Here each part has weights cast for
    it alone, so that losses and gradients of all parts meet in fp32.
    """

    def part(states: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        bias = None if layer.bias is None else layer.bias.to(dtype)
        found = linear(states.to(dtype), layer.weight.to(dtype), bias)
        return cross_entropy(found.float(), wanted, weight=weights, reduction="sum")

    parts = zip(hidden.split(size), targets.split(size), strict=True)
    losses = [checkpoint(part, *each, use_reentrant=False) for each in parts]
    return torch.stack(losses).sum()


def divergence_sum(
    model: PreTrainedModel, first: torch.Tensor, second: torch.Tensor
) -> torch.Tensor:
    """Symmetric divergence of the predictions of two states, summed over positions.

    `first` and `second` (num_positions, width) are last hidden states that predict the same
    tokens of two views of an utterance (arXiv 2203.10426, 2305.08706). It is the mean of
    both Kullback-Leibler divergences, in nats.
    """
    mine, theirs = (logits(model, each).log_softmax(-1) for each in (first, second))
    return 0.5 * ((mine.exp() - theirs.exp()) * (mine - theirs)).sum()


def teaching_sum(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Kullback-Leibler divergence of a teacher's predictions from a student's, in nats.

    Both are logits (num_positions, vocabulary) of the same tokens; it is summed over
    positions, and the teacher's are taken as given.
    """
    return kl_div(
        student.log_softmax(-1),
        teacher.log_softmax(-1),
        reduction="sum",
        log_target=True,
    )


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
