"""Adapters merged into the weights that they add to: what is saved of a LoRA run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from s2st_interleave import keyed
from s2st_interleave.errors import UserError


def merged_state(model: Any) -> dict[str, Any]:
    """The weights of the plain model, by its own names; the one with adapters stays.

    Not by peft's merge and unmerge: their rounding would change the run that goes on.
    Every trained tensor goes into it.
    """
    import torch

    left = {id(p): name for name, p in model.named_parameters() if p.requires_grad}
    with torch.no_grad():
        state = {
            _plain(name): value
            for name, value in model.state_dict().items()
            if not _is_adapter(name)
        }
        for name, layer in _adapters(model):
            where = _plain(f"{name}.{getattr(layer, 'parameter_name', 'weight')}")
            state[where] = _merged(layer, state[where])
            for own, parameter in layer.named_parameters():
                if _is_adapter(own):
                    left.pop(id(parameter), None)
    assert not left, f"{next(iter(left.values()))} trains and is not merged"
    return state


def check_merge(model: Any, new_rows: range) -> None:
    """UserError unless drawn adapters do what their merged weights do.

    An adapter has no effect where a model reads a weight past its layer, and two have
    one place where layers share a weight. The model is left as it came.
    """
    import torch

    ids = torch.tensor([[*range(6), *list(new_rows)[-3:]]])
    factors = _factors(model)
    drawn = torch.Generator().manual_seed(keyed.stable_hash("drawn adapters", bits=32))
    with torch.inference_mode():
        plain = model(ids, use_cache=False).logits
        with _restored(factors):
            for factor in factors:  # half of them start at 0
                noise = torch.randn(factor.shape, generator=drawn)
                factor.data = factor + 0.02 * noise.to(factor.device)
            apart = model(ids, use_cache=False).logits
            with _merged_in_place(model):
                merged = model(ids, use_cache=False).logits
    moved = (apart - plain).abs().max()
    shared = len(set(map(id, adapted(model)))) < len(adapted(model))
    if shared or not (apart - merged).abs().max() < 1e-3 * moved:
        raise UserError(
            f"adapters of a {model.config.model_type} model do not give what they give "
            "when merged into its weights: set --lora_rank 0"
        )


def adapted(model: Any) -> list[Any]:
    """The parameters that adapters add to, one an adapter."""
    return [_target(layer) for layer in _layers(model)]


def _layers(model: Any) -> list[Any]:
    from peft.tuners.lora import LoraLayer

    return [module for module in model.modules() if isinstance(module, LoraLayer)]


def _factors(model: Any) -> list[Any]:
    return [p for name, p in model.named_parameters() if "lora_" in name]


def _adapters(model: Any) -> list[tuple[str, Any]]:
    from peft.tuners.lora import LoraLayer
    from peft.tuners.trainable_tokens import TrainableTokensLayer

    kinds = (LoraLayer, TrainableTokensLayer)
    modules = model.named_modules(remove_duplicate=False)
    return [(name, module) for name, module in modules if isinstance(module, kinds)]


def _target(layer: Any) -> Any:
    return getattr(layer.get_base_layer(), getattr(layer, "parameter_name", "weight"))


def _merged(layer: Any, weight: Any) -> Any:
    from peft.tuners.lora import LoraLayer

    active = layer.active_adapters
    if isinstance(layer, LoraLayer):
        deltas = [layer.get_delta_weight(name) for name in active]  # pyrefly: ignore[missing-attribute]
        return weight + sum(deltas)
    return layer.get_merged_weights(active)


@contextmanager
def _merged_in_place(model: Any) -> Iterator[None]:
    """Inside, weights have their adapters merged, and adapters do nothing."""
    import torch

    layers, factors = _layers(model), _factors(model)
    with _restored([*map(_target, layers), *factors]):
        for layer in layers:
            target = _target(layer)
            target.data = _merged(layer, target.data)
        for factor in factors:
            factor.data = torch.zeros_like(factor)
        yield


@contextmanager
def _restored(parameters: list[Any]) -> Iterator[None]:
    """Afterwards, the tensors that parameters have are those that they had."""
    before = [(parameter, parameter.data) for parameter in parameters]
    try:
        yield
    finally:
        for parameter, data in before:
            parameter.data = data


def _is_adapter(name: str) -> bool:
    return "lora_" in name or "trainable_tokens_" in name


def _plain(name: str) -> str:
    """A parameter's name in the model before it had adapters."""
    for wrapper in (".token_adapter", ".base_layer", ".original_module"):
        name = name.replace(wrapper, "")
    return name
