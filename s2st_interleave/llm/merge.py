"""Adapters merged into the weights that they add to, so that a LoRA run saves a plain LLM."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from peft.tuners.lora import LoraLayer
from peft.tuners.trainable_tokens import TrainableTokensLayer
from torch import nn
from transformers import PreTrainedModel

from s2st_interleave import keyed
from s2st_interleave.errors import UserError

Adapter = LoraLayer | TrainableTokensLayer


def merged_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """Weights with adapters merged, by the plain model's names; the model does not change.

    peft's own merge and unmerge would round the weights of the run that goes on. Every
    trained tensor goes into the result.
    """
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
            for inner, parameter in layer.named_parameters():  # pyrefly: ignore[missing-attribute]: a mixin of modules
                if _is_adapter(inner):
                    left.pop(id(parameter), None)
    assert not left, f"{next(iter(left.values()))} trains and is not merged"
    return state


def check_merge(model: PreTrainedModel, new_rows: range) -> None:
    """Raise UserError unless random adapters give the outputs of their merged weights.

    They do not where a model reads a weight past its layer, so that the adapter has no
    effect, or where two layers with adapters share a weight. The model does not change.
    """
    ids = torch.tensor([[*range(6), *list(new_rows)[-3:]]])
    factors = _factors(model)
    random = torch.Generator().manual_seed(keyed.stable_hash("drawn adapters", bits=32))
    with torch.inference_mode():
        plain = model(ids, use_cache=False).logits
        with _restored(factors):
            for factor in factors:  # half of them start at 0
                noise = torch.randn(factor.shape, generator=random)
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


def adapted(model: nn.Module) -> list[nn.Parameter]:
    """The parameter that each LoRA adapter adds to."""
    return [_target(layer) for layer in _layers(model)]


def _layers(model: nn.Module) -> list[LoraLayer]:
    return [module for module in model.modules() if isinstance(module, LoraLayer)]


def _factors(model: nn.Module) -> list[nn.Parameter]:
    return [p for name, p in model.named_parameters() if "lora_" in name]


def _adapters(model: nn.Module) -> list[tuple[str, Adapter]]:
    modules = model.named_modules(remove_duplicate=False)
    return [(name, module) for name, module in modules if isinstance(module, Adapter)]


def _target(layer: LoraLayer) -> nn.Parameter:
    return getattr(layer.get_base_layer(), getattr(layer, "parameter_name", "weight"))


def _merged(layer: Adapter, weight: torch.Tensor) -> torch.Tensor:
    """The weight with what an adapter adds to it."""
    active = layer.active_adapters
    if isinstance(layer, LoraLayer):
        deltas = [layer.get_delta_weight(name) for name in active]  # pyrefly: ignore[missing-attribute]
        return weight + sum(deltas)
    return layer.get_merged_weights(active)


@contextmanager
def _merged_in_place(model: nn.Module) -> Iterator[None]:
    """Inside, weights have their adapters merged, and adapters do nothing."""
    layers, factors = _layers(model), _factors(model)
    with _restored([*map(_target, layers), *factors]):
        for layer in layers:
            target = _target(layer)
            target.data = _merged(layer, target.data)
        for factor in factors:
            factor.data = torch.zeros_like(factor)
        yield


@contextmanager
def _restored(parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    """Give the parameters their tensors back afterwards."""
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
