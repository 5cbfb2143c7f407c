"""How Slurm says a job is, or how it ended."""

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
    """A job as Slurm sees it; `reason` says why it waits, or why it failed."""

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
    """Standard output of one of Slurm's programs; SlurmError says why it failed.

    A session of its own: Ctrl-C must not end sbatch between the job and its number.
    """
    kept = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SLURM_") or name in kept
    }  # of a job from which this one is submitted
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
    """The number of the job this process runs in, 12 or 12_3 in an array."""
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        return f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    return os.environ["SLURM_JOB_ID"]


def of_job(number: str) -> State | None:
    """One job's state, None where Slurm cannot say."""
    try:
        return next(iter((of_tasks(number) or {}).values()), None)
    except SlurmError:
        return None


def of_tasks(number: str) -> dict[int, State] | None:
    """States by index of an array's tasks, at 0 of a single job.

    None when Slurm has forgotten the job, as it does some minutes after its end.
    """
    try:
        text = call(["scontrol", "show", "job", "--oneliner", number])
    except SlurmError as error:
        if "Invalid job id" in str(error):
            return None
        raise
    found = {}
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
            found[index] = state
    return found


def _indices(text: str) -> list[int]:
    """Of "3", "1,4-6%2" (tasks that wait together), or "" (no array)."""
    if not text:
        return [0]
    found: list[int] = []
    for part in text.partition("%")[0].split(","):
        span = re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", part)
        if span:  # else it is the "..." of a long list
            last = int(span[2] or span[1])
            found += range(int(span[1]), last + 1, int(span[3] or 1))
    return found


def _field(line: str, name: str) -> str:
    match = re.search(rf"(?:^| ){name}=(\S*)", line)
    return match[1] if match else ""


def max_array_index() -> int | None:
    """The largest number that a task of an array may have, None where Slurm is silent."""
    try:
        text = call(["scontrol", "show", "config"])
    except SlurmError:
        return None
    size = re.search(r"^MaxArraySize\s*=\s*(\d+)", text, re.MULTILINE)
    return int(size[1]) - 1 if size else None


def of_account(number: str) -> dict[int, State]:
    """States of a job that ended, from accounting; empty where there is none."""
    words = ["sacct", "--noheader", "--parsable2", "--allocations", "--jobs", number]
    try:
        text = call([*words, "--format=JobID,State,ExitCode,NodeList"])
    except SlurmError:
        return {}
    found = {}
    for line in text.splitlines():
        job, state, code, nodes = line.split("|")
        task = job.partition("_")[2]
        if task.isdigit() or not task:
            status, _, ended_by = code.partition(":")
            name = state.split()[0]  # "CANCELLED by 1000"
            found[int(task or 0)] = State(
                name, int(status), int(ended_by or 0), node=nodes
            )
    return {index: state for index, state in found.items() if state.is_end}
