"""Low-rank adapters of peft, with the rows of marks and units trained as well."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from s2st_interleave import keyed
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.llm.backbone import backbone
from s2st_interleave.llm.merge import adapted, check_merge
from s2st_interleave.llm.merge import merged_state as merged_state

TRAINED_FILE = "trained.safetensors"  # adapters and rows: what a resumed run needs
LEAST_SHARE = 0.5  # of the inner weights: with fewer LoRA is another thing than it says
# A fused kernel reads their weight by itself, past any adapter: peft refuses them.
UNFIT = dict.fromkeys(
    ("mamba", "mamba2", "falcon_mamba", "falcon_h1", "nemotron_h"), ("out_proj",)
)


def add_lora(model: Any, rank: int, alpha: float, new_rows: range, seed: int) -> Any:
    """`model` with adapters at all its matrices; only they and `new_rows` train.

    Of the embedding, and of the output layer where that is another table. Experts that
    are one tensor have theirs as well. The class of the model stays what it was. Raises
    UserError where peft cannot do that, or what it does cannot be merged.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    kind = model.config.model_type
    tables = [model.get_input_embeddings()]
    head = model.get_output_embeddings()
    if head.weight is not tables[0].weight:
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
        # It asks transformers by a name that will go, and tells of its own patterns.
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        torch.manual_seed(keyed.stable_hash(seed, "lora", bits=32))
        made = get_peft_model(model, config).get_base_model()
        _add_to_rest(made, config, unfit)
    share = adapted_share(made)
    if share < LEAST_SHARE:
        raise UserError(
            f"adapters reach {100 * share:.0f} % of the inner weights of a {kind} model, "
            "whose layers peft does not know: set --lora_rank 0"
        )
    check_merge(made, new_rows)
    return made


def _experts(model: Any) -> list[str]:
    """Names of matrices that are no linear layer's: experts as one tensor, and routers."""
    found = []
    for owner, module in model.named_modules():
        kind = type(module).__name__
        for leaf, value in module.named_parameters(recurse=False):
            expert = value.dim() == 3 and "expert" in (owner + kind).lower()
            if (
                expert or (_is_router(module) and value.dim() == 2)
            ) and "bias" not in leaf:
                found.append(f"{owner}.{leaf}")
    return found


def _is_router(module: Any) -> bool:
    """Some are linear layers, but return more than one."""
    return type(module).__name__.endswith("Router") and hasattr(module, "weight")


def _is_linear(module: Any) -> bool:
    import torch

    return isinstance(module, torch.nn.Linear) or type(module).__name__ == "Conv1D"


def _unfit_layers(model: Any) -> set[str]:
    """Names of linear layers whose weights the model reads without calling the layer.

    An adapter there would have no effect. Experts that are modules are called in turn.
    """
    import torch

    called: set[Any] = set()
    linear = {m: name for name, m in model.named_modules() if _is_linear(m)}
    linear.pop(model.get_output_embeddings(), None)
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


def _add_to_rest(model: Any, config: Any, unfit: set[str]) -> None:
    """Adapters for what peft's "all-linear" has left out of a mixture of experts.

    It takes names of layers for those of experts, and drops the dense ones.
    """
    from peft.tuners.lora import Linear, LoraLayer

    modules = dict(model.named_modules())
    done = {
        id(m.get_base_layer()) for m in modules.values() if isinstance(m, LoraLayer)
    }
    done |= {id(modules[name]) for name in unfit}
    head = model.get_output_embeddings()
    done |= {id(module) for module in head.modules()}
    factors = {
        id(one)
        for m in modules.values()
        if isinstance(m, LoraLayer)
        for child in m.children()  # pyrefly: ignore[missing-attribute]: a mixin of modules
        if child is not m.base_layer
        for one in child.modules()
    }
    for name, module in modules.items():
        if _is_linear(module) and id(module) not in done | factors:
            parent, _, leaf = name.rpartition(".")
            sizes = {"r": config.r, "lora_alpha": config.lora_alpha}
            more = Linear(module, "default", config=config, **sizes)
            setattr(model.get_submodule(parent), leaf, more)


def adapted_share(model: Any) -> float:
    """Of the weights between embedding and output layer, those that an adapter moves."""
    inner = {id(p): p for p in _inner(model)}
    with_adapter = {id(p): p for p in adapted(model)}
    count = [sum(p.numel() for p in some.values()) for some in (with_adapter, inner)]
    return count[0] / count[1]


def _inner(model: Any) -> Iterator[Any]:
    import torch

    head = model.get_output_embeddings()
    tables = {id(p) for p in head.parameters()}
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            tables |= {id(p) for p in module.parameters()}
    return (
        p for p in model.parameters() if not p.requires_grad and id(p) not in tables
    )


def describe(model: Any) -> str:
    """What trains, in a line for the screen."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    trained, total = sum(n for n, on in sizes if on), sum(n for n, _ in sizes)
    return (
        f"adapters and rows of units: {trained:,} of {total:,} weights train "
        f"({100 * trained / total:.2f} %); {100 * adapted_share(model):.1f} % of the "
        "inner weights have an adapter"
    )


def has_lora(model: Any) -> bool:
    return hasattr(model, "peft_config")


def save_trained(model: Any, directory: Path) -> None:
    from safetensors.torch import save

    trained = {
        name: parameter.detach().contiguous()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }
    with atomic_write(directory / TRAINED_FILE, "wb") as stream:
        stream.write(save(trained))
