"""Asks Slurm for the states of jobs, by scontrol and sacct."""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

ENDS = set(
    "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED "
    "REVOKED TIMEOUT".split()
)


class SlurmError(Exception):
    """Slurm could not be asked, or refused."""


@dataclass(frozen=True)
class State:
    """A job's state in Slurm; `reason` is why it waits, or why it failed."""

    name: str
    exit_status: int = 0
    signal: int = 0
    reason: str = ""
    node: str = ""
    num_restarts: int = 0

    @property
    def is_end(self) -> bool:
        return self.name in ENDS

    @property
    def is_well(self) -> bool:
        return self.name == "COMPLETED" and not (self.exit_status or self.signal)


def call(words: Sequence[str]) -> str:
    """Standard output of one of Slurm's programs; SlurmError if it fails.

    It runs in a session of its own, so that Ctrl-C cannot end sbatch after it has submitted
    the job and before it has printed the number.
    """
    kept = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SLURM_") or name in kept
    }  # without the variables of a job in which this program itself may run
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise SlurmError(
            f"{words[0]}: no such program; is this machine part of a Slurm "
            "cluster? cmd.sh chooses the backend"
        ) from None
    if done.returncode:
        raise SlurmError(f"{words[0]}: {done.stderr.strip() or 'failed'}")
    return done.stdout


def own_id() -> str:
    """The number of the job in which this process runs: 12, or 12_3 in an array."""
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        return f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    return os.environ["SLURM_JOB_ID"]


def of_job(number: str) -> State | None:
    """The state of a job, None where Slurm does not tell."""
    try:
        return next(iter((of_tasks(number) or {}).values()), None)
    except SlurmError:
        return None


def of_tasks(number: str) -> dict[int, State] | None:
    """States of an array's tasks by index; a single job has index 0.

    None where Slurm does not know the job any more, which is so some minutes after its end.
    """
    try:
        text = call(["scontrol", "show", "job", "--oneliner", number])
    except SlurmError as error:
        if "Invalid job id" in str(error):
            return None
        raise
    by_index = {}
    for line in text.splitlines():
        status, _, ended_by = _field(line, "ExitCode").partition(":")
        state = State(
            _field(line, "JobState"),
            int(status or 0),
            int(ended_by or 0),
            _field(line, "Reason"),
            _field(line, "BatchHost"),
            int(_field(line, "Restarts") or 0),
        )
        for index in _indices(_field(line, "ArrayTaskId")):
            by_index[index] = state
    return by_index


def _indices(text: str) -> list[int]:
    """Indices in "3", in "1,4-6%2" (tasks that wait together) or in "" (no array)."""
    if not text:
        return [0]
    indices: list[int] = []
    for part in text.partition("%")[0].split(","):
        span = re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", part)
        if span:  # Slurm shortens a long list by "..."
            last = int(span[2] or span[1])
            indices += range(int(span[1]), last + 1, int(span[3] or 1))
    return indices


def _field(line: str, name: str) -> str:
    match = re.search(rf"(?:^| ){name}=(\S*)", line)
    return match[1] if match else ""


def max_array_index() -> int | None:
    """The largest index that a task may have, None where Slurm does not tell."""
    try:
        text = call(["scontrol", "show", "config"])
    except SlurmError:
        return None
    size = re.search(r"^MaxArraySize\s*=\s*(\d+)", text, re.MULTILINE)
    return int(size[1]) - 1 if size else None


def of_account(number: str) -> dict[int, State]:
    """Final states of a job's tasks by index, from accounting; {} without accounting."""
    words = ["sacct", "--noheader", "--parsable2", "--allocations", "--jobs", number]
    try:
        text = call([*words, "--format=JobID,State,ExitCode,NodeList"])
    except SlurmError:
        return {}
    by_index = {}
    for line in text.splitlines():
        job, state, code, nodes = line.split("|")
        task = job.partition("_")[2]
        if task.isdigit() or not task:
            status, _, ended_by = code.partition(":")
            name = state.split()[0]  # "CANCELLED by 1000"
            by_index[int(task or 0)] = State(
                name, int(status), int(ended_by or 0), node=nodes
            )
    return {index: state for index, state in by_index.items() if state.is_end}
