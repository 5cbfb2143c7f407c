"""Packages that options of later stages want and that no installation brings."""

import os
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from s2st_interleave.errors import UserError

# Module and package of each metric, engine and kind of training that wants one.
WANTED = {
    "comet": ("comet", "unbabel-comet"),
    "blaser": ("sonar", "sonar-space"),
    "vllm": ("vllm", "vllm"),
    "lora": ("peft", "peft"),
}


def looked_for(
    training: Mapping[str, Any], decoding: Mapping[str, Any], scoring: Mapping[str, Any]
) -> list[str]:
    """The packages that options of stages 6, 7 and 9 want; UserError for one not here."""
    wanted = {
        "--lora_rank": "lora" if training.get("lora_rank") else "",
        "--engine vllm": decoding.get("engine", ""),
    }
    for metric in scoring.get("metrics", ()):
        wanted[f"metric {metric}"] = metric.partition(":")[0]
    found = []
    for what, name in wanted.items():
        module, package = WANTED.get(name, ("", ""))
        if module and find_spec(module) is None:
            raise UserError(f"{what} wants a package: python -m pip install {package}")
        found += [package] if package else []
    if training.get("compile") and not shutil.which(os.environ.get("CXX", "g++")):
        raise UserError("--compile true wants a g++, which is not here")
    return found
