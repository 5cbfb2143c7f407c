"""Heads that predict the units after the next one, for the loss of a training.

An extension: the multi-token prediction of units of arXiv 2510.10003. A unit is so short
that the one before it tells most of the next; the units that follow depend on what is being
said, which the LLM has to know sooner. Answers are written without the heads, unless stage 7
is asked to guess with them (`decode.drafts`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import nn
from torch.nn.functional import cross_entropy, linear
from transformers import PreTrainedModel

from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.interleave.sequence import IGNORE
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.backbone import logits, output_layer
from s2st_interleave.llm.options import HEADS_FILE
from s2st_interleave.llm.unit_rows import weight_of
from s2st_interleave.weights import reading

NAME = "unit_heads"  # of the part that a model in training has, and before its weights


class UnitHeads(nn.Module):
    """Head j makes of a state h the state h + W_j h, which predicts the unit j later.

    `weight` (num * width, width) is the W_j one below the other. They start at 0: no random
    number is drawn, and each head starts from what predicts the next unit.
    """

    def __init__(self, num: int, width: int):
        super().__init__()
        self.num = num
        self.weight = nn.Parameter(torch.zeros(num * width, width))

    def forward(self, hidden: torch.Tensor) -> list[torch.Tensor]:
        """The states of each head, in the shape of `hidden` (num_targets, width)."""
        return [hidden + linear(hidden, each) for each in self.weight.chunk(self.num)]


def add(model: PreTrainedModel, vocabulary: Vocabulary, num: int) -> None:
    """Give `model` heads for `num` further units, which belong to its weights from now on.

    Raises UserError where the rows of the units are not all that makes their logits.
    """
    width = weight_of(output_layer(model)).shape[1]
    few = torch.linspace(-1, 1, 4 * width, device=model.device).view(4, width)
    with torch.no_grad():
        whole = logits(model, few)[:, vocabulary.offset : vocabulary.size]
        ours = unit_logits(model, vocabulary, few)
        if not torch.allclose(ours, whole, rtol=1e-3, atol=1e-3):
            raise UserError(
                f"the output layer of a {model.config.model_type} model is no plain "
                "product, which --unit_heads wants: set it to 0"
            )
    model.add_module(NAME, UnitHeads(num, width).to(model.device))


def loss_sum(
    model: PreTrainedModel,
    vocabulary: Vocabulary,
    hidden: torch.Tensor,
    targets: torch.Tensor,
    places: torch.Tensor,
) -> torch.Tensor:
    """Cross-entropy of further units, summed over positions; the mean over the heads.

    `hidden` (num_targets, width) are the states at `places` that predict `targets`. A
    head chooses among the units alone: text has far more logits, which are dear. All
    targets are read by every head, and those without a further unit are left out by the
    loss, so that no GPU is waited for and each pass gives every head a gradient.
    """
    heads = model.get_submodule(NAME)
    assert isinstance(heads, UnitHeads)
    wanted = further_units(targets, places, vocabulary, heads.num)
    losses = [
        cross_entropy(
            unit_logits(model, vocabulary, states),
            units,
            ignore_index=IGNORE,
            reduction="sum",
        )
        for states, units in zip(heads(hidden), wanted, strict=True)
    ]
    return torch.stack(losses).mean()


def further_units(
    targets: torch.Tensor, places: torch.Tensor, vocabulary: Vocabulary, num: int
) -> list[torch.Tensor]:
    """For each of `num` heads the number of the unit that is j after each target.

    `targets` (num_targets,) have the positions `places`, counted over all rows, as in a
    `Batch`. It is IGNORE where the target is no unit, or where a text token, a mark or the
    end of a row comes before the j-th unit after it.
    """
    is_unit = vocabulary.is_unit(targets)
    unbroken, wanted = is_unit, []
    for j in range(1, num + 1):
        beside = places[j:] == places[:-j] + j
        unbroken = unbroken[:-1] & is_unit[j:] & beside
        units = torch.full_like(targets, IGNORE)
        units[:-j] = torch.where(unbroken, targets[j:] - vocabulary.offset, IGNORE)
        wanted.append(units)
    return wanted


@contextmanager
def left_out(model: nn.Module) -> Iterator[None]:
    """Inside, `model` has no heads: what is written of it is a plain model."""
    heads = model._modules.pop(NAME, None)
    try:
        yield
    finally:
        if heads is not None:
            model.add_module(NAME, heads)


def save_heads(model: nn.Module, directory: Path) -> None:
    """Write the heads, where there are some, for a resumed run.

    They lie in a folder: engines that decode load every file of weights beside the model's.
    """
    heads = model._modules.get(NAME)
    if heads is None:
        return
    state = {
        f"{NAME}.{name}": value.contiguous()
        for name, value in heads.state_dict().items()
    }
    (directory / HEADS_FILE).parent.mkdir(exist_ok=True)
    with atomic_write(directory / HEADS_FILE, "wb") as stream:
        stream.write(save(state))


def unit_logits(
    model: PreTrainedModel, vocabulary: Vocabulary, hidden: torch.Tensor
) -> torch.Tensor:
    """float32 logits (num_states, num_units), by the output layer's rows of the units."""
    layer, rows = output_layer(model), slice(vocabulary.offset, vocabulary.size)
    bias = getattr(layer, "bias", None)
    bias = None if bias is None else bias[rows]
    part = partial(linear, weight=weight_of(layer)[rows], bias=bias)
    return logits(model, hidden, part)


def load(directory: Path, dtype: torch.dtype, device: torch.device) -> UnitHeads:
    """The heads that lie beside a model's weights. Raises UserError without any."""
    file = directory / HEADS_FILE
    if not file.is_file():
        raise UserError(
            f"{directory} has no heads that guess units ahead: train with --unit_heads 3, "
            "say, or leave out --draft_units"
        )
    with reading(file, "train anew, or leave out --draft_units"):
        weight = load_file(file)[f"{NAME}.weight"]
    heads = UnitHeads(len(weight) // weight.shape[1], weight.shape[1])
    heads.weight.data = weight
    return heads.to(device, dtype).eval()
