"""Low-rank adapters of peft, with the rows of marks and units trained as well.

peft is an extra of this package: llm/model.py imports this module only for `lora_rank`.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import Linear, LoraLayer
from safetensors.torch import save
from torch import nn
from transformers import PreTrainedModel

from s2st_interleave import keyed
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.llm.backbone import backbone, output_layer
from s2st_interleave.llm.merge import adapted, check_merge
from s2st_interleave.llm.options import TRAINED_FILE
from s2st_interleave.llm.unit_rows import weight_of

LEAST_SHARE = 0.5  # of the inner weights; an LLM with fewer adapters would learn little
# peft refuses these layers: a fused kernel reads their weight past any adapter.
UNFIT = dict.fromkeys(
    ("mamba", "mamba2", "falcon_mamba", "falcon_h1", "nemotron_h"), ("out_proj",)
)


def add_lora(
    model: PreTrainedModel, rank: int, alpha: float, new_rows: range, seed: int
) -> None:
    """Put adapters at all matrices of `model`; only they and `new_rows` will train.

    These rows are trained in the embedding, and in the output layer where that is another
    table. Experts that are one tensor get adapters as well. The model keeps its class.
    Raises UserError where peft cannot do that, or its adapters cannot be merged.
    """
    kind = model.config.model_type
    tables = [model.get_input_embeddings()]
    head = output_layer(model)
    if weight_of(head) is not weight_of(tables[0]):
        tables.append(head)
    if getattr(head, "bias", None) is not None:
        raise UserError(
            f"peft trains no rows of a {kind} model's output layer, which has a bias: "
            "set --lora_rank 0"
        )
    names = {module: name for name, module in model.named_modules()}
    unfit = _unfit_layers(model)
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,  # pyrefly: ignore[bad-argument-type]: peft divides it, a float is as good
        target_modules="all-linear",
        exclude_modules=sorted(unfit) or None,
        target_parameters=_experts(model) or None,
        fan_in_fan_out=any(type(m).__name__ == "Conv1D" for m in names),  # GPT-2
        trainable_token_indices={names[table]: list(new_rows) for table in tables},
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # peft uses a deprecated name of transformers, and warns about its own patterns.
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        torch.manual_seed(keyed.stable_hash(seed, "lora", bits=32))
        get_peft_model(model, config)
        _add_to_rest(model, config, unfit)
    share = adapted_share(model)
    if share < LEAST_SHARE:
        raise UserError(
            f"adapters reach {100 * share:.0f} % of the inner weights of a {kind} model, "
            "whose layers peft does not know: set --lora_rank 0"
        )
    check_merge(model, new_rows)


def _experts(model: nn.Module) -> list[str]:
    """Names of matrices outside of linear layers: experts as one tensor, and routers."""
    names = []
    for owner, module in model.named_modules():
        kind = type(module).__name__
        for leaf, value in module.named_parameters(recurse=False):
            expert = value.dim() == 3 and "expert" in (owner + kind).lower()
            if (
                expert or (_is_router(module) and value.dim() == 2)
            ) and "bias" not in leaf:
                names.append(f"{owner}.{leaf}")
    return names


def _is_router(module: nn.Module) -> bool:
    """Whether a module is a router; some are linear layers that return several tensors."""
    return type(module).__name__.endswith("Router") and hasattr(module, "weight")


def _is_linear(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


def _unfit_layers(model: PreTrainedModel) -> set[str]:
    """Names of linear layers whose weights the model reads without calling the layer.

    An adapter there would have no effect. Experts that are modules are fit, although a
    pass over a few tokens may not call all of them.
    """
    called: set[nn.Module] = set()
    linear = {m: name for name, m in model.named_modules() if _is_linear(m)}
    linear.pop(output_layer(model), None)
    hooks = [m.register_forward_pre_hook(lambda m, _: called.add(m)) for m in linear]
    with torch.inference_mode():
        backbone(model)(torch.arange(8)[None], use_cache=False)
    for hook in hooks:
        hook.remove()
    refused = UNFIT.get(model.config.model_type, ())
    return {
        name
        for module, name in linear.items()
        if name.endswith(refused)
        or _is_router(module)
        or (module not in called and ".experts." not in name)
    }


def _add_to_rest(model: PreTrainedModel, config: LoraConfig, unfit: set[str]) -> None:
    """Add adapters where peft's "all-linear" has left some out of a mixture of experts.

    It compares names of layers alone, and drops dense layers that are called like experts.
    """
    modules = dict(model.named_modules())
    done = {
        id(m.get_base_layer()) for m in modules.values() if isinstance(m, LoraLayer)
    }
    done |= {id(modules[name]) for name in unfit}
    head = output_layer(model)
    done |= {id(module) for module in head.modules()}
    factors = {
        id(module)
        for m in modules.values()
        if isinstance(m, LoraLayer)
        for child in m.children()  # pyrefly: ignore[missing-attribute]: a mixin of modules
        if child is not m.base_layer
        for module in child.modules()
    }
    for name, module in modules.items():
        if _is_linear(module) and id(module) not in done | factors:
            parent, _, leaf = name.rpartition(".")
            adapter = Linear(
                module,
                "default",
                config=config,
                r=config.r,
                lora_alpha=config.lora_alpha,
            )
            setattr(model.get_submodule(parent), leaf, adapter)


def adapted_share(model: PreTrainedModel) -> float:
    """Share, 0 to 1, of the weights between the tables that an adapter moves."""
    inner = {id(p): p.numel() for p in _inner(model)}
    moved = {id(p): p.numel() for p in adapted(model)}
    return sum(moved.values()) / sum(inner.values())


def _inner(model: PreTrainedModel) -> Iterator[nn.Parameter]:
    """Weights between embedding and output layer, without those of adapters."""
    head = output_layer(model)
    tables = {id(p) for p in head.parameters()}
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            tables |= {id(p) for p in module.parameters()}
    return (
        p for p in model.parameters() if not p.requires_grad and id(p) not in tables
    )


def describe(model: PreTrainedModel) -> str:
    """A line for the screen: how many weights train."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    trained, total = sum(n for n, on in sizes if on), sum(n for n, _ in sizes)
    return (
        f"adapters and rows of units: {trained:,} of {total:,} weights train "
        f"({100 * trained / total:.2f} %); {100 * adapted_share(model):.1f} % of the "
        "inner weights have an adapter"
    )


def save_trained(model: nn.Module, directory: Path) -> None:
    """Write adapters and trained rows, which a resumed run loads."""
    trained = {
        name: parameter.detach().contiguous()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }
    with atomic_write(directory / TRAINED_FILE, "wb") as stream:
        stream.write(save(trained))
