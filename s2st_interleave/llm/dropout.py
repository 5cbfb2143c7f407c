"""Dropout at the places that options name, whatever an architecture calls them."""

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel

from s2st_interleave.errors import UserError
from s2st_interleave.llm.backbone import backbone
from s2st_interleave.llm.unit_rows import weight_of

ATTENTION = ("attention_dropout", "attn_pdrop")
RESIDUAL = ("resid_pdrop", "hidden_dropout", "dropout")
# Always 0. OPT's layerdrop would also leave parameters without a gradient.
OTHER = ("embd_pdrop", "embed_pdrop", "activation_dropout", "ffn_dropout", "layerdrop")


def configure(config: PreTrainedConfig, attention: float, residual: float) -> None:
    """Set these two probabilities in an LLM's configuration, and all others to 0.

    It acts before the LLM is built. Raises UserError where attention dropout is asked of
    an architecture that has none.
    """
    names = [name for name in ATTENTION if hasattr(config, name)]
    if attention and not names:
        raise UserError(_no_attention_dropout(config))
    values = dict.fromkeys(names, attention)
    values |= dict.fromkeys(RESIDUAL, residual) | dict.fromkeys(OTHER, 0.0)
    for name, value in values.items():
        if hasattr(config, name):
            setattr(config, name, value)


def check_attention(model: PreTrainedModel) -> None:
    """Raise UserError unless two passes in training mode differ.

    Some architectures have the option in their configuration and never use it.
    """
    num_rows = len(weight_of(model.get_input_embeddings()))
    ids = torch.arange(32)[None] % num_rows
    outputs = []
    model.train()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for seed in range(2):
            torch.manual_seed(seed)
            outputs.append(backbone(model)(ids, use_cache=False).last_hidden_state)
    model.eval()
    if torch.equal(*outputs):
        raise UserError(_no_attention_dropout(model.config))


def _no_attention_dropout(config: PreTrainedConfig) -> str:
    return (
        f"a {config.model_type} model has no attention dropout: set --attention_dropout 0 "
        "and, for another one, --residual_dropout"
    )


def add_residual(model: PreTrainedModel, probability: float) -> None:
    """Add dropout behind each attention and MLP block, where the architecture has none.

    Raises UserError where its layers have no such blocks.
    """
    if any(hasattr(model.config.get_text_config(), name) for name in RESIDUAL):
        return  # `configure` has set it

    def drop(module: nn.Module, _: Any, output: Any) -> Any:  # a tensor, or a tuple
        first = output[0] if isinstance(output, tuple) else output
        first = nn.functional.dropout(first, probability, module.training)
        return (first, *output[1:]) if isinstance(output, tuple) else first

    for layer in layers(model):
        blocks = [
            block
            for block in layer.children()
            if type(block).__name__.endswith(("Attention", "MLP", "MoeBlock", "MoE"))
        ]
        if len(blocks) != 2:
            raise UserError(
                f"a {model.config.model_type} layer is not one attention and one MLP "
                "block: set --residual_dropout 0"
            )
        for block in blocks:
            block.register_forward_hook(drop)


def layers(model: PreTrainedModel) -> nn.ModuleList:
    """The list of an LLM's layers, whatever its name."""
    count = model.config.get_text_config().num_hidden_layers
    return next(
        module
        for module in model.base_model.modules()
        if isinstance(module, nn.ModuleList) and len(module) == count
    )
