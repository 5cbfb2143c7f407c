"""conf/slurm.yaml: what a job of each class asks Slurm for."""

import dataclasses
import typing
from dataclasses import dataclass
from pathlib import Path

import yaml

from s2st_interleave import config
from s2st_interleave.config import option
from s2st_interleave.errors import UserError

CLASSES = ("train_cmd", "decode_cmd", "cuda_cmd")


@dataclass(frozen=True, kw_only=True)
class Resources:
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
    minutes: int = option(0, "time limit; 0: the partition's", minimum=0)
    warning_sec: int = option(
        0, "SIGUSR1 comes so long before the limit; 0: never", minimum=0
    )
    max_requeue: int = option(0, "how often a job may go on in another turn", minimum=0)
    sbatch_args: tuple[str, ...] = option((), "more words for sbatch, say --qos=long")
    poll_sec: float = option(10.0, "how often Slurm is asked how the jobs are", above=0)

    def __post_init__(self) -> None:
        if min(self.num_nodes, self.cpus_per_node) < 1 or self.gpus_per_node < 0:
            raise UserError("num_nodes and cpus_per_node are at least 1, GPUs 0")
        if self.warning_sec and self.minutes * 60 <= self.warning_sec:
            raise UserError(
                f"warning_sec {self.warning_sec} is not within minutes {self.minutes}"
            )

    @property
    def num_ranks(self) -> int:
        return self.num_nodes * max(1, self.gpus_per_node)


def read(path: Path, name: str) -> Resources:
    """Options of class `name`: the file's common ones, and over them its own.

    Raises UserError naming the file and the option that is wrong.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; $S2ST_SLURM names conf/slurm.yaml")
    loaded = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    if not isinstance(loaded, dict):
        raise UserError(f"{path}: expected 'option: value' lines")
    if name not in CLASSES:
        near = config.nearest(name, CLASSES)
        raise UserError(f"no class '{name}' of resources{near}")
    own = loaded.get(name) or {}
    if not isinstance(own, dict):
        raise UserError(f"{path}: expected 'option: value' lines under {name}")
    common = {k: v for k, v in loaded.items() if k not in CLASSES}
    hints = typing.get_type_hints(Resources)
    values = {}
    for key, value in (common | own).items():
        if key not in hints:
            near = config.nearest(str(key), [*hints, *CLASSES])
            raise UserError(f"{path}: unknown option '{key}'{near}")
        value = "" if value is None and hints[key] is str else value
        values[key] = config.convert(key, value, hints[key], source=str(path))
    try:
        return dataclasses.replace(Resources(), **values)
    except UserError as error:
        raise UserError(f"{path}, {name}: {error}") from None
