"""Bytes on disk: of finished stages as they are, of checkpoints as they will be."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.files import read_json
from s2st_interleave.plan import sizes as llm_sizes
from s2st_interleave.plan.sizes import LlmSizes
from s2st_interleave.promises import DONE
from s2st_interleave.stage_list import COMMANDS


@dataclass(frozen=True)
class Used:
    """What a stage's finished directories hold."""

    stage: str
    num_directories: int
    bytes: int


def finished(recipes: Sequence[Path]) -> list[Used]:
    """Of each stage with a `stage.json` below a recipe, in order; audio apart.

    Stage 1 writes its recordings beside its directory: they are looked up and counted.
    """
    found: dict[str, list[int]] = {}
    for recipe in recipes:
        for path in sorted(recipe.glob("**/" + DONE)):
            done = read_json(path)
            found.setdefault(done["stage"], []).append(done["bytes"])
            audio = Path(done.get("paths", {}).get("audio_dir", ""))
            if done["stage"] == "data" and audio.name:
                found.setdefault("audio", []).append(size_of(recipe / audio))
    order = [command.name for command in COMMANDS]
    order.insert(order.index("data") + 1, "audio")
    place = {name: number for number, name in enumerate(order)}
    return [
        Used(name, len(found[name]), sum(found[name]))
        for name in sorted(found, key=lambda name: (place.get(name, -1), name))
    ]


def size_of(directory: Path) -> int:
    return sum(p.stat().st_size for p in directory.rglob("*") if p.is_file())


def checkpoints(sizes: LlmSizes, keep_last: int) -> Mapping[str, int]:
    """Of a training at its largest: the newest, the best, and one that is being written."""
    weights = llm_sizes.weights_bytes(sizes)
    optimizer = llm_sizes.optimizer_bytes(sizes)
    return {
        "weights": weights,
        "optimizer": optimizer,
        "kept": (keep_last + 1) * (weights + optimizer),
        "while saving": (keep_last + 2) * (weights + optimizer),
    }


def human(count: float) -> str:
    """
    >>> human(4_944_000_000), human(1234), human(7)
    ('4.94 GB', '1.23 kB', '7 B')
    """
    if count < 1000:
        return f"{count:.0f} B"
    power = min(4, int(math.log10(count) // 3))
    return f"{count / 1000**power:.3g} {'kMGT'[power - 1]}B"
