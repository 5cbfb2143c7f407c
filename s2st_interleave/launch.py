"""Run a command once per JOB, each with its log, and tell the truth about the outcome.

    python -m s2st_interleave launch [--max-jobs-run N] [JOB=1:4] exp/log/align.JOB.log \\
        python -m s2st_interleave align --shard JOB/4 ...

JOB in the log's name and the command is replaced by 1, 2, 3, 4, or by the names in
JOB=baseline,scheduled; without it there is one job. Lines are shown as they come and
kept in the log.
"""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TAIL_LINES = 20


@dataclass(frozen=True)
class Job:
    log: Path
    command: tuple[str, ...]
    prefix: str


def main(argv: Sequence[str]) -> int:
    # 1. Read the line.
    words = list(argv)
    if not words or words[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if words else 2
    limit = 0
    if words[0].replace("_", "-") == "--max-jobs-run":
        limit, words = int(words[1]), words[2:]
    jobs = _jobs(words)

    # 2. Run; Ctrl-C, termination and the end of the recipe take the children along.
    _end_with_parent()
    crew = _Crew()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, crew.stop)
    with ThreadPoolExecutor(limit or len(jobs)) as pool:
        codes = list(pool.map(crew.run, jobs))

    # 3. Name each failure, with the end of its log.
    failed = [(job, code) for job, code in zip(jobs, codes, strict=True) if code]
    for job, code in failed:
        print(f"\n{job.prefix}{_cause(code)}; log: {job.log}", file=sys.stderr)
        lines = job.log.read_text(encoding="utf-8", errors="replace").splitlines()
        print("\n".join(f"  {line}" for line in lines[-TAIL_LINES:]), file=sys.stderr)
    if failed:
        what = f"{len(failed)} of {len(jobs)} jobs failed"
        print(f"{what}; the same command reruns only what is missing", file=sys.stderr)
    return 1 if failed else 0


def _end_with_parent() -> None:
    """Ask Linux for SIGTERM when run.sh is killed: two runs must not share an exp/."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _jobs(words: list[str]) -> list[Job]:
    names = [""]
    if words[0].startswith("JOB="):
        values, words = words[0].removeprefix("JOB="), words[1:]
        first, colon, last = values.partition(":")
        names = values.split(",")
        if colon:
            names = [str(index) for index in range(int(first), int(last) + 1)]
    if len(words) < 2:
        raise ValueError("expected [JOB=1:N] LOG COMMAND ...")
    return [
        Job(
            log=Path(words[0].replace("JOB", name) if name else words[0]),
            command=tuple(w.replace("JOB", name) if name else w for w in words[1:]),
            prefix=f"[{name}] " if len(names) > 1 else "",
        )
        for name in names
    ]


class _Crew:
    """The running processes, so that a signal can end them all."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen] = []
        self.stopping = threading.Event()
        self.screen = threading.Lock()

    def stop(self, number: int, _: object) -> None:
        self.stopping.set()
        for process in self.running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        sys.exit(128 + number)

    def run(self, job: Job) -> int:
        """Run one job, its lines on the screen and in its log; its exit status."""
        if self.stopping.is_set():
            return 128 + signal.SIGTERM
        job.log.parent.mkdir(parents=True, exist_ok=True)
        # Logs alone are appended to: the history of reruns is what they are for.
        with job.log.open("a", encoding="utf-8", buffering=1) as log:
            log.write(f"# {time.strftime('%F %T')} {shlex.join(job.command)}\n")
            process = subprocess.Popen(
                job.command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
            self.running.append(process)
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                with self.screen:
                    print(f"{job.prefix}{line}", end="", flush=True)
            code = process.wait()
            log.write(f"# {time.strftime('%F %T')} ended with {code}\n")
        return code


def _cause(code: int) -> str:
    if code >= 0:
        return f"failed with exit status {code}"
    hint = ": probably out of memory" if code == -signal.SIGKILL else ""
    return f"killed by signal {-code}{hint}"
