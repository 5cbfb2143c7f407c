"""Low-rank adapters of peft, with the rows of marks and units trained as well."""

import warnings
from pathlib import Path
from typing import Any

from s2st_interleave import keyed
from s2st_interleave.artifact import atomic_write
from s2st_interleave.errors import UserError

TRAINED_FILE = "trained.safetensors"  # adapters and rows: what a resumed run needs


def add_lora(model: Any, rank: int, alpha: float, new_rows: range, seed: int) -> Any:
    """`model` with adapters at all its linear layers; only they and `new_rows` train.

    Of the embedding, and of the output layer where that is another table. The class of
    the model stays what it was. Raises UserError where peft cannot do that.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    tables = [model.get_input_embeddings()]
    head = model.get_output_embeddings()
    if head.weight is not tables[0].weight:
        tables.append(head)
    if getattr(head, "bias", None) is not None:
        raise UserError(
            f"peft trains no rows of a {model.config.model_type} model's output layer, "
            "which has a bias: set --lora_rank 0"
        )
    names = {module: name for name, module in model.named_modules()}
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules="all-linear",
        fan_in_fan_out=any(type(m).__name__ == "Conv1D" for m in names),  # GPT-2
        trainable_token_indices={names[table]: list(new_rows) for table in tables},
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # It asks transformers by a name that will go.
        warnings.simplefilter("ignore", FutureWarning)
        torch.manual_seed(keyed.stable_hash(seed, "lora", bits=32))
        return get_peft_model(model, config).get_base_model()


def has_lora(model: Any) -> bool:
    return hasattr(model, "peft_config")


def merged_state(model: Any) -> dict[str, Any]:
    """The weights of the plain model, by its own names; the one with adapters stays.

    Not by peft's merge and unmerge: their rounding would change the run that goes on.
    """
    import torch
    from peft.tuners.lora import LoraLayer
    from peft.tuners.trainable_tokens import TrainableTokensLayer

    modules = dict(model.named_modules())
    state = {}
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if "lora_" in name or "token_adapter.trainable_tokens" in name:
                continue
            owner, _, leaf = name.rpartition(".")
            layer = modules[owner.removesuffix(".base_layer")]
            if leaf == "weight" and isinstance(layer, LoraLayer):
                value = value + sum(map(layer.get_delta_weight, layer.active_adapters))
            elif leaf == "weight" and isinstance(layer, TrainableTokensLayer):
                value = layer.get_merged_weights(layer.active_adapters)
            plain = name.replace(".token_adapter", "").replace(".base_layer", "")
            state[plain.replace(".original_module", "")] = value
    return state


def save_trained(model: Any, directory: Path) -> None:
    from safetensors.torch import save

    trained = {
        name: parameter.detach().contiguous()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }
    with atomic_write(directory / TRAINED_FILE, "wb") as stream:
        stream.write(save(trained))
