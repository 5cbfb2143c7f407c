"""What training takes from a causal LM of Hugging Face, by the names that they use."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from s2st_interleave.errors import UserError


def backbone(model: Any) -> Any:
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


def logits(model: Any, hidden: Any) -> Any:
    """float32 logits of last hidden states, (..., width): the model's own."""
    import torch

    made = model.get_output_embeddings()(hidden).float()
    cap = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
    return made if cap is None else cap * torch.tanh(made / cap)


def router_loss(model: Any, output: Any, mask: Any) -> Any:
    """What a mixture of experts adds to its mean loss for uneven use of them; else 0.

    Of one forward pass of the backbone, with `mask` (num_examples, longest), where the
    configuration asks for it by `output_router_logits`. That it is all that a model adds
    is for `checks` to find out.
    """
    if not getattr(model.config.get_text_config(), "output_router_logits", False):
        return 0.0
    codes = [sys.modules[cls.__module__] for cls in type(model).__mro__]
    named = [getattr(code, "load_balancing_loss_func", None) for code in codes]
    balance = next(filter(None, named), None)
    if balance is None or not hasattr(model, "router_aux_loss_coef"):
        return 0.0
    routed, counts = (
        output.router_logits,
        (model.num_experts, model.num_experts_per_tok),
    )
    return model.router_aux_loss_coef * balance(routed, *counts, mask)


@contextmanager
def without_flash(model: Any) -> Iterator[None]:
    """Inside, attention can do fp32, which FlashAttention knows nothing of."""
    before = model.config._attn_implementation
    flash = before == "flash_attention_2"
    if flash:
        model.set_attn_implementation("sdpa")
    try:
        yield
    finally:
        if flash:
            model.set_attn_implementation(before)
