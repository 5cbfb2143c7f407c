"""Reads conf/slurm.yaml: the resources that a job of each class asks Slurm for."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2st_interleave import config, yaml_text
from s2st_interleave.config import option
from s2st_interleave.errors import UserError

CLASSES = ("train_cmd", "decode_cmd", "cuda_cmd")


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
    cpus_per_node: int = option(1, "CPU cores", minimum=1)
    memory: str = option("", "of a node, say 32G; empty: Slurm's default")
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
    try:
        return Resources(**(_values(common, str(path)) | known[name]))
    except UserError as error:
        raise UserError(f"{path}, {name}: {error}") from None


def _values(given: Any, where: str) -> dict[str, Any]:
    return {
        key: config.value_of(Resources, key, value, source=where, also=CLASSES)
        for key, value in config.mapping(given, where).items()
    }
