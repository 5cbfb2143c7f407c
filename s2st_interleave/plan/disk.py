"""Files and bytes of finished stages, and the bytes that checkpoints will take."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave import record_file
from s2st_interleave.plan import sizes as llm_sizes
from s2st_interleave.plan.sizes import LlmSizes
from s2st_interleave.promises import DONE
from s2st_interleave.stage_list import COMMANDS


@dataclass(frozen=True)
class Used:
    """The number of a stage's finished directories, their files and bytes."""

    stage: str
    num_directories: int
    num_files: int
    bytes: int


def finished(recipes: Sequence[Path]) -> list[Used]:
    """What each stage with a `stage.json` below a recipe takes, in the stages' order.

    The recordings of stage 1, which lie beside its directory, are counted as "audio".
    """
    by_stage: dict[str, list[tuple[int, int]]] = {}
    for recipe in recipes:
        for path in sorted(recipe.glob("**/" + DONE)):
            done = record_file.read(path)
            of_stage = len(_files(path.parent)), done["bytes"]
            by_stage.setdefault(done["stage"], []).append(of_stage)
            audio = Path(done.get("paths", {}).get("audio_dir", ""))
            if done["stage"] == "data" and audio.name:
                folder = recipe / audio
                of_audio = len(_files(folder)), size_of(folder)
                by_stage.setdefault("audio", []).append(of_audio)
    order = [command.name for command in COMMANDS]
    order.insert(order.index("data") + 1, "audio")
    place = {name: number for number, name in enumerate(order)}
    return [
        Used(
            name,
            num_directories=len(by_stage[name]),
            num_files=sum(files for files, _ in by_stage[name]),
            bytes=sum(count for _, count in by_stage[name]),
        )
        for name in sorted(by_stage, key=lambda name: (place.get(name, -1), name))
    ]


def size_of(directory: Path) -> int:
    """Bytes of all files below a directory."""
    return sum(path.stat().st_size for path in _files(directory))


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def checkpoints(sizes: LlmSizes, keep_last: int) -> Mapping[str, int]:
    """Bytes of a checkpoint's weights and optimizer, and of all that a training keeps.

    "kept" are the newest ones and the best; "while saving" adds the one being written and
    one that a signal has left, which goes then. A training that "ended" keeps the optimizer of
    the newest alone.
    """
    weights = llm_sizes.weights_bytes(sizes)
    optimizer = llm_sizes.optimizer_bytes(sizes)
    return {
        "weights": weights,
        "optimizer": optimizer,
        "kept": (keep_last + 1) * (weights + optimizer),
        "while saving": (keep_last + 3) * (weights + optimizer),
        "ended": (keep_last + 1) * weights + optimizer,
    }


def human(count: float) -> str:
    """Bytes with a unit, for people.

    >>> human(4_944_000_000), human(1234), human(7)
    ('4.94 GB', '1.23 kB', '7 B')
    """
    if count < 1000:
        return f"{count:.0f} B"
    power = min(4, int(math.log10(count) // 3))
    return f"{count / 1000**power:.3g} {'kMGT'[power - 1]}B"
