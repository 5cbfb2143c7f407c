"""Run a command once per JOB, each with its log, and tell the truth about the outcome.

    python -m s2st_interleave launch [--max-jobs-run N] [JOB=1:4] exp/log/align.JOB.log \\
        python -m s2st_interleave align --shard JOB/4 ...

JOB in the log's name and the command is replaced by 1, 2, 3, 4, or by the names in
JOB=baseline,scheduled; without it there is one job. Lines are shown as they come and
kept in the log. Options, before JOB:

    --max-jobs-run N     that many at once; all by default
    --done FILE          a job whose FILE (with its JOB; several --done: all of them) is
                         there is not run again
    --backend local      on this machine; slurm: through sbatch. JOB=1:N is one array,
                         each name in JOB=a,b a job of its own
    --resources CLASS    what a job needs in Slurm: a class of slurm.yaml, whose path is
                         in $S2ST_SLURM; train_cmd by default
"""

import ctypes
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from s2st_interleave import config
from s2st_interleave.errors import UserError
from s2st_interleave.launch import job
from s2st_interleave.launch.job import Job, Line


class Backend(Protocol):
    """Where jobs run."""

    def run(self, jobs: Sequence[Job]) -> list[str]:
        """Run jobs to their end; what each failed of, "" where it ended well."""

    def stop(self) -> None:
        """End what runs and start nothing more; called from a signal handler."""


def main(argv: Sequence[str]) -> int:
    # 1. Read the line; leave out what is done.
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if argv else 2
    line = job.read(argv)
    jobs = [one for one in line.jobs if not one.is_done()]
    if len(jobs) < len(line.jobs):
        print(f"{len(line.jobs) - len(jobs)} of {len(line.jobs)} jobs are done already")

    # 2. Run; Ctrl-C, termination and the end of the recipe take the jobs along.
    backend = _backend(line)
    _end_with_parent()

    def stop(number: int, _: object) -> None:
        backend.stop()
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    together = line.backend == "slurm" and line.is_array
    batches = [jobs] if together and jobs else [[one] for one in jobs]
    with ThreadPoolExecutor(line.limit or len(batches) or 1) as pool:
        causes = [cause for batch in pool.map(backend.run, batches) for cause in batch]

    # 3. Name each failure, with the end of its log.
    failed = [(one, cause) for one, cause in zip(jobs, causes, strict=True) if cause]
    for one, cause in failed:
        print(f"\n{one.prefix}{cause}; log: {one.log}", file=sys.stderr)
        print(one.tail(), file=sys.stderr)
    if failed:
        what = f"{len(failed)} of {len(line.jobs)} jobs failed"
        print(f"{what}; the same command reruns only what is missing", file=sys.stderr)
    return 1 if failed else 0


def _backend(line: Line) -> Backend:
    if line.backend == "local":
        from s2st_interleave.launch.local import Local

        return Local()
    if line.backend == "slurm":
        from s2st_interleave.launch.slurm import Slurm

        return Slurm(line)
    near = config.nearest(line.backend, ["local", "slurm"])
    raise UserError(f"--backend is '{line.backend}', wants local or slurm{near}")


def _end_with_parent() -> None:
    """Ask Linux for SIGTERM when run.sh is killed: two runs must not share an exp/."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
