"""Networks with random weights that learn one step on the device of a training.

`values` are the options that a stage's YAML sets, `name` that of the device.
"""

import contextlib
import math
from collections.abc import Mapping
from typing import Any

from s2st_interleave import blocks
from s2st_interleave.precision import use_bf16
from s2st_interleave.stages import train


def of_llm(config: Any, values: Mapping[str, Any], name: str) -> None:
    """A forward and backward pass of the LLM's first two layers, with random weights."""
    import torch
    from transformers import AutoModelForCausalLM

    from s2st_interleave.device import resolve_device
    from s2st_interleave.llm.model import attention_backend
    from s2st_interleave.precision import autocast

    device = resolve_device(name)
    bf16 = use_bf16(values.get("dtype", train.Options.dtype), device)
    attention = values.get("attention", train.Options.attention)
    text = config.get_text_config()  # of a model of several kinds
    text.num_hidden_layers = 2
    if getattr(text, "layer_types", None):
        # Some follow from the number of layers.
        with contextlib.suppress(AttributeError):
            text.layer_types = text.layer_types[:2]
    with torch.random.fork_rng(devices=[]):
        model = AutoModelForCausalLM.from_config(
            config,
            dtype=torch.float32,
            attn_implementation=attention_backend(attention, device, bf16),
        ).to(device)
    ids = torch.arange(8, device=device)[None]
    with autocast(device, bf16):
        loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    loss.backward()


def of_hifigan(values: Mapping[str, Any], name: str) -> None:
    """HiFi-GAN's networks, with random weights, on the units of a crop and back."""
    import torch

    from s2st_interleave.device import resolve_device
    from s2st_interleave.vocoder.base import UnitTiming
    from s2st_interleave.vocoder.hifigan import HifiganSizes
    from s2st_interleave.vocoder.hifigan import Options as Block
    from s2st_interleave.vocoder.hifigan_net import Gan

    block = Block(**blocks.nested(values).get("hifigan", {}))
    sizes = HifiganSizes.of(block)
    device = resolve_device(name)
    per_unit = math.prod(sizes.upsample_scales)
    with torch.random.fork_rng(devices=[]):
        gan = Gan(UnitTiming(2, per_unit, 16_000), sizes).to(device)
    units = torch.ones(1, block.crop_units, dtype=torch.long, device=device)
    judged = gan.discriminator(gan.generator(units))
    torch.stack([layers[-1].sum() for layers in judged]).sum().backward()
