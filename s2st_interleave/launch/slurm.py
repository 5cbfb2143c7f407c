"""Runs jobs through sbatch: submits them, follows logs and states, and reads their ends."""

import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.launch import resources, states
from s2st_interleave.launch.batch import Batch, sbatch_words, script_text
from s2st_interleave.launch.job import Failure, Job, Line
from s2st_interleave.launch.screen import Screen
from s2st_interleave.launch.states import SlurmError, State
from s2st_interleave.preemption import EXIT_REQUEUE

FIRST_POLL_SEC = 1.0
NO_LOG = 53  # Slurm's "signal" where it could not open a job's output
CANCEL_SEC = 90  # Slurm kills a cancelled job that has not ended by then
HINTS = {
    "TIMEOUT": "; `minutes` in slurm.yaml is its time limit",
    "OUT_OF_MEMORY": "; `memory` in slurm.yaml is what it may take",
}


class Slurm:
    """The backend `slurm`: submits the jobs of a line, and cancels them all at a signal."""

    def __init__(self, line: Line) -> None:
        path = os.environ.get("S2ST_SLURM", "")
        if not path:
            raise UserError("$S2ST_SLURM is not set; cmd.sh names slurm.yaml in it")
        for job in line.jobs:
            if re.search(r"[\\\n]", str(job.log.absolute())):
                raise UserError(f"{job.log.absolute()}: Slurm takes no such log's name")
        self.line = line
        self.resources = resources.read(Path(path), line.resources)
        if line.is_array and self.resources.num_ranks > 1:
            raise UserError(
                f"{path}: {line.resources} is for {self.resources.num_ranks} processes "
                "of one job, but JOB=1:N cuts the work itself: a task of an array has "
                "one node and one GPU"
            )
        self.numbers: list[str] = []
        self.stopping = threading.Event()
        self.screen = Screen(job.prefix for job in line.jobs)

    def stop(self) -> None:
        """Cancel all jobs and submit no more."""
        self.stopping.set()
        for number in list(self.numbers):
            self._cancel(number)

    def run(self, jobs: Sequence[Job]) -> list[Failure | None]:
        """Submit jobs together and wait; the failure of each, None for success."""
        batch = Batch(self.line.log, tuple(jobs), self.line.limit)
        try:
            number = self._submit(batch)
        except SlurmError as error:
            cause = _too_many(batch) or str(error)
            return [Failure(cause, ran=False)] * len(jobs)
        ends = self._watch(batch, number)
        return [_failure(ends[job.index], _number(number, job)) for job in jobs]

    def _submit(self, batch: Batch) -> str:
        """Submit the batch and return its Slurm job number."""
        _refuse_second(batch)
        for job in batch.jobs:
            job.log.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(batch.script) as stream:
            stream.write(script_text(batch, self.resources))
        if self.stopping.is_set():
            raise SlurmError("not started")
        answer = states.call(sbatch_words(batch, self.resources))
        number = answer.strip().partition(";")[0]
        self.numbers.append(number)
        with atomic_write(batch.record) as stream:
            stream.write(f"{number}\n")
        if self.stopping.is_set():  # the signal came while sbatch ran
            self._cancel(number)
        return number

    def _cancel(self, number: str) -> None:
        try:
            states.call(["scancel", number])
            self.screen.say(f"Slurm job {number}: cancelled")
        except SlurmError as error:
            self.screen.say(f"Slurm job {number}: not cancelled: {error}")

    def _watch(self, batch: Batch, number: str) -> dict[int, State]:
        """Follow the jobs to their end; return the final state of each, by index."""
        logs = [_Follower(job) for job in batch.jobs]
        seen: dict[int, State] = {}
        shown, wait, give_up = "", FIRST_POLL_SEC, 0.0
        while True:
            # 1. Ask for the states, and print what was added to the logs.
            problem, forgotten = "", False
            try:
                live = states.of_tasks(number)
                forgotten = live is None
                seen |= live or {}
            except SlurmError as error:  # the controller is away: jobs go on
                problem = str(error)
            for log in logs:
                for text in log.lines():
                    self.screen.job(log.job.prefix, text)
            # 2. Print the summary of states if it has changed.
            summary = problem or _summary(seen)
            if summary != shown:
                self.screen.say(f"Slurm job {number}: {summary}")
                shown = summary
            # 3. Stop if all jobs have ended, else wait.
            self._give_another_turn(batch, number, seen)
            over = all(
                job.index in seen and seen[job.index].is_end for job in batch.jobs
            )
            if self.stopping.is_set():
                give_up = give_up or time.monotonic() + CANCEL_SEC
                over = over or time.monotonic() > give_up
            if over or forgotten:
                break
            if not self.stopping.wait(wait):
                wait = min(self.resources.poll_sec, 1.5 * wait)
            else:
                time.sleep(FIRST_POLL_SEC)
        batch.record.unlink(missing_ok=True)
        return _final(batch, number, seen)

    def _give_another_turn(
        self, batch: Batch, number: str, seen: dict[int, State]
    ) -> None:
        """Requeue jobs that were ended before they could requeue themselves."""
        for job in batch.jobs:
            state = seen.get(job.index, State("PENDING"))
            if state.num_restarts >= self.resources.max_requeue or (
                self.stopping.is_set() or not _wants_turn(batch, number, job, state)
            ):
                continue
            try:
                states.call(["scontrol", "requeue", _number(number, job)])
                del seen[job.index]
            except SlurmError as error:
                self.screen.say(f"{job.prefix}not queued again: {error}")


class _Follower:
    """Reads the lines that are added to a job's log from now on."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.offset = job.log.stat().st_size if job.log.is_file() else 0

    def lines(self) -> list[str]:
        if not self.job.log.is_file():
            return []
        with self.job.log.open("rb") as stream:
            stream.seek(self.offset)
            whole, newline, _ = stream.read().rpartition(b"\n")
        self.offset += len(whole + newline)
        text = whole.decode("utf-8", errors="replace")
        return text.splitlines()


def _number(number: str, job: Job) -> str:
    return f"{number}_{job.index}" if job.index else number


def _wants_turn(batch: Batch, number: str, job: Job, state: State) -> bool:
    """Must a job go on: was it preempted, ended by an early warning, or out of time?

    A job that is out of time goes on only if it has saved a checkpoint.
    """
    if state.name == "TIMEOUT":
        return batch.exit_status(job, _number(number, job)) == EXIT_REQUEUE
    return state.name == "PREEMPTED" or state.signal == signal.SIGUSR1


def _refuse_second(batch: Batch) -> None:
    """Raise SlurmError if a job of an earlier run is still there: both would share exp/."""
    if not batch.record.is_file():
        return
    number = batch.record.read_text(encoding="utf-8").strip()
    there = states.of_tasks(number) or {}
    if any(not state.is_end for state in there.values()):
        raise SlurmError(
            f"Slurm job {number} of an earlier run is still {_summary(there)}: wait for "
            f"it, or end it with `scancel {number}`, and start again"
        )


def _too_many(batch: Batch) -> str:
    """The fault of an array that has more tasks than the cluster allows; "": it has not."""
    most = states.max_array_index() if batch.is_array else None
    last = batch.jobs[-1].index
    if most is None or last <= most:
        return ""
    return (
        f"JOB goes to {last}, and arrays of this cluster to {most} (MaxArraySize "
        f"{most + 1}): cut the work into fewer parts, --nj {most} at most"
    )


def _summary(seen: dict[int, State]) -> str:
    """Numbers of tasks by state, such as "2 RUNNING, 1 PENDING (Priority)"."""
    names = Counter(
        state.name + (f" ({state.reason})" if state.name == "PENDING" else "")
        for state in seen.values()
    )
    if len(seen) == 1:
        return next(iter(names))
    return ", ".join(f"{count} {name}" for name, count in sorted(names.items()))


def _final(batch: Batch, number: str, seen: dict[int, State]) -> dict[int, State]:
    """Final states by accounting, or as seen last, or by the status files of the jobs."""
    account = states.of_account(number)
    ends = {}
    for job in batch.jobs:
        state = account.get(job.index) or seen.get(job.index, State("UNKNOWN"))
        if not state.is_end:
            status = batch.exit_status(job, _number(number, job))
            if status is not None:
                state = State("FAILED" if status else "COMPLETED", status)
        ends[job.index] = state
    return ends


def _failure(state: State, number: str) -> Failure | None:
    """The failure that a final state means; None for success."""
    if state.is_well:
        return None
    cause = state.name
    if state.exit_status == EXIT_REQUEUE:
        cause += ", stopped with a checkpoint and not queued again"
    elif state.exit_status:
        cause += f" with exit status {state.exit_status}"
    if state.signal == NO_LOG:
        cause += ": Slurm could not open the log; is its folder there on every node?"
    elif state.signal:
        cause += f" by signal {state.signal}"
    place = f"Slurm job {number}" + (f" on {state.node}" if state.node else "")
    return Failure(cause + HINTS.get(state.name, ""), place)
