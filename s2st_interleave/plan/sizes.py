"""Dimensions of an LLM, from its configuration; no weights are read or made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2st_interleave.errors import UserError
from s2st_interleave.hub import load
from s2st_interleave.progress import quiet_transformers

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel


@dataclass(frozen=True)
class Heads:
    """Heads of a training, each of which chooses among the units, for all targets."""

    number: int = 0
    num_units: int = 0


NO_HEADS = Heads()


@dataclass(frozen=True)
class LlmSizes:
    """A decoder of equal layers with gated MLPs, such as a Llama, with its unit rows."""

    name: str
    hidden: int
    num_layers: int
    num_heads: int
    query: int  # num_heads * head size
    intermediate: int
    vocabulary: int  # rows of the embedding, units included
    num_weights: int
    layer_weights: int  # weights of one layer
    layer_matmul: int  # weights of one layer that are in matrices, not in norms
    largest_tensor: int
    tensors: Mapping[str, tuple[int, ...]]  # shapes in model.safetensors by name
    heads: Heads = NO_HEADS

    @property
    def embedding(self) -> int:
        """Weights of the embedding."""
        return self.vocabulary * self.hidden

    @property
    def head_matmul(self) -> int:
        """Weights of all heads that each target meets, rows of the units included."""
        return self.heads.number * self.hidden * (self.hidden + self.heads.num_units)

    def with_heads(self, heads: Heads) -> "LlmSizes":
        """The same LLM in a training with `heads`."""
        more = heads.number * self.hidden**2
        return replace(self, heads=heads, num_weights=self.num_weights + more)


def read_config(source: Path) -> "PretrainedConfig":
    """The Hugging Face configuration in a directory, on the hub or in a JSON file.

    Raises UserError where there is none.
    """
    from transformers import AutoConfig

    return load(AutoConfig, source)


def build(source: Path, vocabulary: int) -> "PreTrainedModel":
    """A model with `vocabulary` rows, on the device "meta", where it takes no memory."""
    import torch
    from transformers import AutoModelForCausalLM

    quiet_transformers()
    config = read_config(source)
    config.vocab_size = vocabulary
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)


def measure(source: Path, vocabulary: int) -> LlmSizes:
    """Dimensions of a model; UserError where it is not a decoder of equal layers."""
    model = build(source, vocabulary)
    config = model.config
    layers = getattr(model.base_model, "layers", None)
    wanted = ("hidden_size", "num_attention_heads", "intermediate_size")
    missing = [name for name in wanted if not hasattr(config, name)]
    if not layers or missing:
        raise UserError(f"{source}: {config.model_type} is not a Llama-like decoder")
    weights = {k: v for k, v in model.named_parameters()}
    layer = list(layers[0].parameters())
    heads = config.num_attention_heads
    head_size = getattr(config, "head_dim", None) or config.hidden_size // heads
    return LlmSizes(
        name=str(source),
        hidden=config.hidden_size,
        num_layers=len(layers),
        num_heads=heads,
        query=heads * head_size,
        intermediate=config.intermediate_size,
        vocabulary=vocabulary,
        num_weights=sum(p.numel() for p in weights.values()),
        layer_weights=sum(p.numel() for p in layer),
        layer_matmul=sum(p.numel() for p in layer if p.dim() == 2),
        largest_tensor=max(p.numel() for p in weights.values()),
        tensors={name: tuple(p.shape) for name, p in weights.items()},
    )


def weights_bytes(sizes: LlmSizes) -> int:
    """Exact bytes of model.safetensors in fp32, header included."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name in sorted(sizes.tensors):
        shape = sizes.tensors[name]
        start, count = end, 1
        for side in shape:
            count *= side
        end += 4 * count
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":"))
    return 8 + -(-len(text) // 8) * 8 + end


def optimizer_bytes(sizes: LlmSizes) -> int:
    """Bytes of optimizer.pt: two moments a weight, and about 400 bytes for each record."""
    return 8 * sizes.num_weights + 3 * 400 * len(sizes.tensors)
