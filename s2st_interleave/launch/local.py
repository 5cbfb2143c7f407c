"""Runs jobs as processes of this machine."""

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from s2st_interleave.launch.gpus import VISIBLE, GpuPool
from s2st_interleave.launch.job import Failure, Job, stamped
from s2st_interleave.launch.screen import Screen
from s2st_interleave.parallel import PARENT
from s2st_interleave.preemption import EXIT_REQUEUE
from s2st_interleave.progress import PROGRESS

LOG_SEC = 10.0


class Local:
    """The backend `local`: runs a process a job, and ends them all at a signal.

    Each job sees `gpus_per_job` GPUs of its own, by $CUDA_VISIBLE_DEVICES; 0: all.
    """

    def __init__(self, gpus_per_job: int = 0, screen: Screen | None = None) -> None:
        self.running: list[subprocess.Popen[str]] = []
        self.stopping = threading.Event()
        self.screen = screen or Screen()
        self.gpus = GpuPool(gpus_per_job)

    def stop(self) -> None:
        """End all processes and start no more."""
        self.stopping.set()
        for process in self.running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)

    def run(self, jobs: Sequence[Job]) -> list[Failure | None]:
        """Run jobs one after the other; the failure of each, None for success."""
        return [_failure(self._run(job)) for job in jobs]

    def _run(self, job: Job) -> int:
        """Run a job and return its exit status."""
        gpus = self.gpus.take()
        try:
            return self._follow(job, gpus)
        finally:
            self.gpus.give_back(gpus)

    def _follow(self, job: Job, gpus: Sequence[str]) -> int:
        """Run a job, printing its output and writing it to the log; return its status."""
        if self.stopping.is_set():  # the signal came while the job waited for GPUs
            return 128 + signal.SIGTERM
        environment = os.environ | {"PYTHONUNBUFFERED": "1", PARENT: str(os.getpid())}
        if self.screen.is_terminal:
            environment |= {"S2ST_PROGRESS_SEC": "1"}
        if gpus:
            environment[VISIBLE] = ",".join(gpus)
        job.log.parent.mkdir(parents=True, exist_ok=True)
        # Only logs are appended to: they keep the history of reruns.
        with _naming(job.log), job.log.open("a", encoding="utf-8", buffering=1) as log:
            log.write(stamped(shlex.join(job.command)))
            process = subprocess.Popen(
                job.command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=environment,
                start_new_session=True,
            )
            self.running.append(process)
            is_worth = _Sparse()
            for line in process.stdout or ():
                if is_worth(line):
                    log.write(line)
                self.screen.job(job.prefix, line.rstrip("\n"))
            self.screen.end(job.prefix)
            code = process.wait()
            log.write(stamped(f"ended with {code}"))
        return code


@contextlib.contextmanager
def _naming(log: Path) -> Iterator[None]:
    """Name the log in the errors of writing it, such as that of a full disk."""
    try:
        yield
    except BrokenPipeError:  # of the screen
        raise
    except OSError as error:
        error.filename = error.filename or str(log)
        raise


class _Sparse:
    """Which lines a log keeps: of the progress of a job on a terminal, one in 10 s."""

    def __init__(self) -> None:
        self.kept_sec = -LOG_SEC

    def __call__(self, line: str) -> bool:
        if (
            not PROGRESS.search(line) or "step " in line
        ):  # those of a training all count
            return True
        now_sec = time.monotonic()
        if now_sec - self.kept_sec < LOG_SEC - 0.5:
            return False
        self.kept_sec = now_sec
        return True


def _failure(code: int) -> Failure | None:
    if code == 0:
        return None
    if code == EXIT_REQUEUE:
        return Failure("stopped with a checkpoint")
    if code > 0:
        return Failure(f"failed with exit status {code}")
    hint = ": probably out of memory" if code == -signal.SIGKILL else ""
    return Failure(f"killed by signal {-code}{hint}")
