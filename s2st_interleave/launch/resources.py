"""Reads conf/slurm.yaml: the resources that a job of each class asks Slurm for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from s2st_interleave import config, yaml_text
from s2st_interleave.config import option
from s2st_interleave.errors import UserError

# Trainings; each is a cuda_cmd but for what slurm.yaml says of it.
TRAININGS = ("encoder_cmd", "llm_cmd", "vocoder_cmd")
RIVALS = (("memory", "memory_per_gpu"), ("cpus_per_node", "cpus_per_gpu"))
CLASSES = ("train_cmd", "decode_cmd", "cuda_cmd", *TRAININGS)


class Minutes(int):
    """A whole number of minutes. Slurm's other forms are refused: its 1:30 is 90 s.

    >>> Minutes("1440")
    1440
    """

    def __new__(cls, text: str | int) -> "Minutes":
        if not re.fullmatch(r"[0-9]+", str(text)):
            raise ValueError(f"a whole number of minutes{_meant(str(text))}")
        return super().__new__(cls, text)


def _meant(text: str) -> str:
    """A hint for a message: the minutes of a time such as 1:30 or 2-12:00."""
    clock = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text)
    if not clock:
        return ""
    days, first, second, third = (int(part or 0) for part in clock.groups())
    if clock[1] or clock[4]:  # D-H, D-H:M, D-H:M:S or H:M:S
        return f": {(days * 24 + first) * 60 + second + (third > 0)}"
    return f": {first * 60 + second} if these are hours, {first + (second > 0)} if not"


class Memory(str):
    """Memory as Slurm writes it: a whole number, and K, M (also without it), G or T.

    >>> Memory("48G").times(8)
    '384G'
    """

    def __new__(cls, text: str | int) -> "Memory":
        if not re.fullmatch(r"([0-9]+[KMGT]?)?", str(text)):
            raise ValueError("a number of megabytes, or one with a unit such as 32G")
        return super().__new__(cls, text)

    def times(self, count: int) -> str:
        """This memory `count` times."""
        number = self.rstrip("KMGT")
        return f"{int(number) * count}{self[len(number) :]}"


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Options of a class of slurm.yaml."""

    account: str = option("", "whom the hours are charged to; empty: Slurm's default")
    partition: str = option("", "empty: Slurm's default")
    num_nodes: int = option(
        1, "nodes of a job; several: one torchrun on each", minimum=1
    )
    gpus_per_node: int = option(
        0, "several: a process for each, through torchrun", minimum=0
    )
    cpus_per_node: int = option(1, "CPU cores, where there is no GPU", minimum=1)
    cpus_per_gpu: int = option(
        0, "CPU cores for each GPU of a node; 0: cpus_per_node", minimum=0
    )
    memory: Memory = option(Memory(""), "of a node, say 32G; empty: Slurm's default")
    memory_per_gpu: Memory = option(
        Memory(""), "of a node for each of its GPUs; empty: memory"
    )
    minutes: Minutes = option(Minutes(0), "time limit; 0: the partition's", minimum=0)
    warning_sec: int = option(
        0, "SIGUSR1 comes so long before the limit; 0: never", minimum=0
    )
    max_requeue: int = option(0, "how often a job may go on in another turn", minimum=0)
    sbatch_args: tuple[str, ...] = option((), "more words for sbatch, say --qos=long")
    poll_sec: float = option(10.0, "how often Slurm is asked how the jobs are", above=0)

    def __post_init__(self) -> None:
        if self.warning_sec and self.minutes * 60 <= self.warning_sec:
            raise UserError(
                f"warning_sec {self.warning_sec} is not within minutes {self.minutes}"
            )

    @property
    def node_cpus(self) -> int:
        """CPU cores of a node: they grow with its GPUs."""
        return self.cpus_per_gpu * self.gpus_per_node or self.cpus_per_node

    @property
    def node_memory(self) -> str:
        """Memory of a node: it grows with its GPUs, as each has a process of its own."""
        if self.memory_per_gpu and self.gpus_per_node:
            return self.memory_per_gpu.times(self.gpus_per_node)
        return self.memory

    @property
    def num_ranks(self) -> int:
        """Processes of a job: one for each GPU, or one for each node without GPUs."""
        return self.num_nodes * max(1, self.gpus_per_node)


def read(path: Path, name: str) -> Resources:
    """Options of the class `name`, which override the file's common ones.

    Raises UserError naming the file and the option that is wrong.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; $S2ST_SLURM names conf/slurm.yaml")
    loaded = config.mapping(yaml_text.read(path), str(path))
    known = {k: _values(loaded.get(k), f"{path}, {k}") for k in CLASSES}
    common = {k: v for k, v in loaded.items() if k not in CLASSES}
    layers = [_values(common, str(path)), known[name]]
    if name in TRAININGS:
        layers.insert(1, known["cuda_cmd"])
    try:
        return Resources(**reduce(_over, layers))
    except UserError as error:
        raise UserError(f"{path}, {name}: {error}") from None


def _over(general: Mapping[str, Any], special: Mapping[str, Any]) -> dict[str, Any]:
    """The options of both; the special ones win, also over their rivals of a node or GPU.

    Raises UserError where one of the two has an option and its rival.
    """
    for layer in (general, special):
        for pair in RIVALS:
            if all(layer.get(name) for name in pair):
                raise UserError(f"{' and '.join(pair)} are both set: set one of them")
    lost = {b if a in special else a for a, b in RIVALS if a in special or b in special}
    return {k: v for k, v in general.items() if k not in lost} | dict(special)


def _values(given: Any, where: str) -> dict[str, Any]:
    return {
        key: config.value_of(Resources, key, value, source=where, also=CLASSES)
        for key, value in config.mapping(given, where).items()
    }
