"""Runs jobs as processes of this machine."""

import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Sequence

from s2st_interleave.launch.gpus import VISIBLE, GpuPool
from s2st_interleave.launch.job import Failure, Job
from s2st_interleave.preemption import EXIT_REQUEUE


class Local:
    """The backend `local`: runs a process a job, and ends them all at a signal.

    Each job sees `gpus_per_job` GPUs of its own, by $CUDA_VISIBLE_DEVICES; 0: all.
    """

    def __init__(self, gpus_per_job: int = 0) -> None:
        self.running: list[subprocess.Popen[str]] = []
        self.stopping = threading.Event()
        self.screen = threading.Lock()
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
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        if gpus:
            environment[VISIBLE] = ",".join(gpus)
        job.log.parent.mkdir(parents=True, exist_ok=True)
        # Only logs are appended to: they keep the history of reruns.
        with job.log.open("a", encoding="utf-8", buffering=1) as log:
            log.write(f"# {time.strftime('%F %T')} {shlex.join(job.command)}\n")
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
            for line in process.stdout or ():
                log.write(line)
                with self.screen:
                    print(f"{job.prefix}{line}", end="", flush=True)
            code = process.wait()
            log.write(f"# {time.strftime('%F %T')} ended with {code}\n")
        return code


def _failure(code: int) -> Failure | None:
    if code == 0:
        return None
    if code == EXIT_REQUEUE:
        return Failure("stopped with a checkpoint")
    if code > 0:
        return Failure(f"failed with exit status {code}")
    hint = ": probably out of memory" if code == -signal.SIGKILL else ""
    return Failure(f"killed by signal {-code}{hint}")
