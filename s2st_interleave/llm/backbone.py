"""The parts of a causal LM of Hugging Face that training uses, whatever their names."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from s2st_interleave.errors import UserError


def backbone(model: PreTrainedModel) -> nn.Module:
    """The part that gives last hidden states. Raises UserError where there is none."""
    base = model.base_model
    if base is model:  # Llama 4's text model has the prefix of the whole one
        base = getattr(model, "model", model)
    if base is model:
        raise UserError(
            f"a {model.config.model_type} model has no part that gives its last hidden "
            "states: it cannot be trained here, take another LLM"
        )
    return base


def output_layer(model: PreTrainedModel) -> nn.Module:
    """The layer from last hidden states to logits, which every causal LM has."""
    layer = model.get_output_embeddings()
    assert layer is not None
    return layer


def logits(
    model: PreTrainedModel,
    hidden: torch.Tensor,
    layer: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> torch.Tensor:
    """float32 logits (..., vocabulary) that the model computes of last hidden states.

    `hidden` has the shape (..., width). `layer` may be a part of the output layer.
    """
    uncapped = (layer or output_layer(model))(hidden).float()
    cap = soft_cap(model)
    return uncapped if cap is None else cap * torch.tanh(uncapped / cap)


def soft_cap(model: PreTrainedModel) -> float | None:
    """The bound that the model puts on its logits; None where it has none."""
    return getattr(model.config.get_text_config(), "final_logit_softcapping", None)


def uses_all_weights(model: PreTrainedModel) -> bool:
    """Whether each pass gives every weight that is trained a gradient.

    An expert of a mixture has none where no token is sent to it.
    """
    config = model.config.get_text_config()
    names = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
    return not any(getattr(config, name, None) for name in names)


def router_loss(
    model: PreTrainedModel, output: ModelOutput, mask: torch.Tensor
) -> torch.Tensor | float:
    """The term by which a mixture of experts punishes their uneven use; else 0.

    `output` is that of a forward pass of the backbone with `mask` (num_examples, longest).
    A model has the term where `output_router_logits` of its configuration is true. checks.py
    finds out whether a model adds more than this to its mean loss.
    """
    if not getattr(model.config.get_text_config(), "output_router_logits", False):
        return 0.0
    codes = [sys.modules[cls.__module__] for cls in type(model).__mro__]
    named = [getattr(code, "load_balancing_loss_func", None) for code in codes]
    balance = next(filter(None, named), None)
    if balance is None or not hasattr(model, "router_aux_loss_coef"):
        return 0.0
    counts = (model.num_experts, model.num_experts_per_tok)
    loss = balance(output["router_logits"], *counts, mask)
    return model.router_aux_loss_coef * loss


@contextmanager
def in_fp32(model: PreTrainedModel) -> Iterator[None]:
    """Inside, weights and attention are fp32; weights in bf16 come back bit by bit."""
    halves = [each for each in model.parameters() if each.dtype == torch.bfloat16]
    for each in halves:
        each.data = each.data.float()
    try:
        with without_flash(model):
            yield
    finally:
        for each in halves:
            each.data = each.data.bfloat16()


@contextmanager
def without_flash(model: PreTrainedModel) -> Iterator[None]:
    """Inside, attention runs in fp32, which FlashAttention cannot do."""
    before = model.config._attn_implementation
    flash = before == "flash_attention_2"
    if flash:
        model.set_attn_implementation("sdpa")
    try:
        yield
    finally:
        if flash:
            model.set_attn_implementation(before)
