"""Dropout, which every architecture calls differently, put where it is asked for."""

from typing import Any

from s2st_interleave.errors import UserError
from s2st_interleave.llm.backbone import backbone

ATTENTION = ("attention_dropout", "attn_pdrop")
RESIDUAL = ("resid_pdrop", "hidden_dropout", "dropout")
# Never asked for; OPT's layerdrop would leave parameters without a gradient besides.
OTHER = ("embd_pdrop", "embed_pdrop", "activation_dropout", "ffn_dropout", "layerdrop")


def configure(config: Any, attention: float, residual: float) -> None:
    """Set an LLM's configuration, before it is built: these two and no other dropout.

    Raises UserError where attention dropout is asked of an architecture without any.
    """
    names = [name for name in ATTENTION if hasattr(config, name)]
    if attention and not names:
        raise UserError(_no_attention_dropout(config))
    values = dict.fromkeys(names, attention)
    values |= dict.fromkeys(RESIDUAL, residual) | dict.fromkeys(OTHER, 0.0)
    for name, value in values.items():
        if hasattr(config, name):
            setattr(config, name, value)


def check_attention(model: Any) -> None:
    """UserError unless two passes in training mode differ: some only read the option."""
    import torch

    num_rows = len(model.get_input_embeddings().weight)
    ids = torch.arange(32)[None] % num_rows
    seen = []
    model.train()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for seed in range(2):
            torch.manual_seed(seed)
            seen.append(backbone(model)(ids, use_cache=False).last_hidden_state)
    model.eval()
    if torch.equal(*seen):
        raise UserError(_no_attention_dropout(model.config))


def _no_attention_dropout(config: Any) -> str:
    return (
        f"a {config.model_type} model has no attention dropout: set --attention_dropout 0 "
        "and, for another one, --residual_dropout"
    )


def add_residual(model: Any, probability: float) -> None:
    """Dropout behind each attention and MLP block, where the architecture has none.

    Raises UserError where its layers have no such blocks.
    """
    import torch

    if any(hasattr(model.config.get_text_config(), name) for name in RESIDUAL):
        return  # `configure` has set it

    def drop(module: Any, _: Any, output: Any) -> Any:
        first = output[0] if isinstance(output, tuple) else output
        first = torch.nn.functional.dropout(first, probability, module.training)
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


def layers(model: Any) -> Any:
    """The ModuleList of an LLM's layers, whatever it is called."""
    import torch

    count = model.config.get_text_config().num_hidden_layers
    return next(
        module
        for module in model.base_model.modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == count
    )
