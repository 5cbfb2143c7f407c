"""The script and the options for sbatch, made of words, never of unquoted shell text."""

import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.launch.job import Job
from s2st_interleave.launch.resources import Resources

PACKAGE = "s2st_interleave.launch"


@dataclass(frozen=True)
class Batch:
    """Jobs that are submitted together: a single one, or tasks of an array."""

    log: Path  # for an array with JOB in it
    jobs: tuple[Job, ...]
    limit: int = 0  # tasks at once; 0: all

    @property
    def is_array(self) -> bool:
        return self.jobs[0].index > 0

    @property
    def stem(self) -> Path:
        """The start of the paths of its files, beside the log: <stem>.sh, <stem>.job."""
        name = self.log.name if self.is_array else self.jobs[0].log.name
        return self.jobs[0].log.parent / "slurm" / name

    @property
    def script(self) -> Path:
        return self.stem.with_name(f"{self.stem.name}.sh")

    @property
    def record(self) -> Path:
        """The file with its Slurm job number, which is there as long as it is watched."""
        return self.stem.with_name(f"{self.stem.name}.job")

    def status(self, job: Job) -> Path:
        """The file into which a job writes its Slurm number and its exit status."""
        return job.log.parent / "slurm" / f"{job.log.name}.status"

    def exit_status(self, job: Job, number: str) -> int | None:
        """Exit status by that file, for a Slurm without accounting; None: it has none."""
        path = self.status(job)
        words = path.read_text(encoding="utf-8").split() if path.is_file() else []
        return int(words[1]) if words[:1] == [number] else None


def script_text(batch: Batch, resources: Resources) -> str:
    """The batch script: each job's words, quoted, and the program that runs them."""
    cases = []
    for job in batch.jobs:
        task = [sys.executable, "-m", f"{PACKAGE}.task"]
        task += ["--status", str(batch.status(job))]
        task += ["--max_requeue", str(resources.max_requeue), "--"]
        words = shlex.join([*task, *_ranks(resources), *job.command])
        cases.append(f"{job.index})\n  exec {words}\n  ;;\n")
    return (
        "#!/bin/bash\n"
        "# Made by s2st_interleave for sbatch; a number is that of an array's task.\n"
        'case "${SLURM_ARRAY_TASK_ID:-0}" in\n' + "".join(cases) + "esac\n"
        'echo "no task ${SLURM_ARRAY_TASK_ID:-0} in this script"\n'
        "exit 1\n"
    )


def _ranks(resources: Resources) -> list[str]:
    """Words before the command that start it once for each GPU of every node.

    A training that stops to be requeued ends with a status other than 0, at which srun
    would kill the other nodes: they get a minute to end by themselves.
    """
    if resources.num_ranks == 1:
        return []
    torchrun = [sys.executable, "-m", f"{PACKAGE}.torchrun"]
    torchrun += ["--nproc_per_node", str(max(1, resources.gpus_per_node)), "--"]
    if resources.num_nodes == 1:
        return torchrun
    nodes = str(resources.num_nodes)
    srun = ["srun", "--nodes", nodes, "--ntasks", nodes, "--ntasks-per-node", "1"]
    srun += ["--cpus-per-task", str(resources.node_cpus)]
    srun += ["--kill-on-bad-exit=0", "--wait=60"]
    return srun + torchrun


def sbatch_words(batch: Batch, resources: Resources) -> list[str]:
    """The command that submits the batch's script from the current directory."""
    log = str(batch.log if batch.is_array else batch.jobs[0].log).replace("%", "%%")
    if batch.is_array:  # JOB in the log's name as typed, not in the current directory's
        log = log.replace("JOB", "%a")
    output = os.path.join(str(Path.cwd()).replace("%", "%%"), log)
    words = ["sbatch", "--parsable", "--requeue", "--export=ALL"]
    words += ["--job-name", re.sub(r"[^\w.-]+", "_", batch.stem.name)]
    words += ["--chdir", str(Path.cwd()), "--output", output, "--open-mode=append"]
    words += ["--nodes", str(resources.num_nodes), "--ntasks-per-node", "1"]
    words += ["--cpus-per-task", str(resources.node_cpus)]
    if resources.gpus_per_node:
        words += ["--gpus-per-node", str(resources.gpus_per_node)]
    if resources.node_memory:
        words += ["--mem", resources.node_memory]
    if resources.minutes:
        words += ["--time", str(resources.minutes)]
    if resources.warning_sec:
        words += ["--signal", f"B:USR1@{resources.warning_sec}"]
    if resources.account:
        words += ["--account", resources.account]
    if resources.partition:
        words += ["--partition", resources.partition]
    if batch.is_array:
        tasks = ",".join(str(job.index) for job in batch.jobs)
        words += ["--array", tasks + (f"%{batch.limit}" if batch.limit else "")]
    return [*words, *resources.sbatch_args, str(batch.script)]
