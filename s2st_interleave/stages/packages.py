"""Packages that options of later stages want and that no installation brings."""

import os
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from s2st_interleave import extras
from s2st_interleave.errors import UserError

# The module of each metric, engine and kind of training that wants one of others.
MODULES = {"comet": "comet", "blaser": "sonar", "vllm": "vllm", "lora": "peft"}


def looked_for(
    training: Mapping[str, Any], decoding: Mapping[str, Any], scoring: Mapping[str, Any]
) -> list[str]:
    """The modules that options of stages 6, 7 and 9 want; UserError for one not here."""
    wanted = {
        "--lora_rank": "lora" if training.get("lora_rank") else "",
        "--engine vllm": decoding.get("engine", ""),
    }
    for metric in scoring.get("metrics", ()):
        wanted[f"metric {metric}"] = metric.partition(":")[0]
    found = []
    for what, name in wanted.items():
        module = MODULES.get(name, "")
        if module and find_spec(module) is None:
            raise UserError(f"{what} wants a package: {extras.command(module)}")
        found += [module] if module else []
    if training.get("compile") and not shutil.which(os.environ.get("CXX", "g++")):
        raise UserError("--compile true wants a g++, which is not here")
    return found
