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

An array has no more tasks than the cluster's MaxArraySize allows: --nj is to be less.
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
from s2st_interleave.launch.job import Failure, Job, Line

MOST_SHOWN = 10  # kinds of failure, and jobs of a kind


class Backend(Protocol):
    """Where jobs run."""

    def run(self, jobs: Sequence[Job]) -> list[Failure | None]:
        """Run jobs to their end; what each failed of, None where it ended well."""

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
        try:
            ends = [end for batch in pool.map(backend.run, batches) for end in batch]
        except OSError:  # such as a closed pipe: the jobs have nobody to tell
            backend.stop()
            raise

    # 3. Name the failures, with the end of a log of each kind.
    failed = [(one, end) for one, end in zip(jobs, ends, strict=True) if end]
    print(told(failed), end="", file=sys.stderr)
    if failed:
        what = f"{len(failed)} of {len(line.jobs)} jobs failed"
        print(f"{what}; the same command reruns only what is missing", file=sys.stderr)
    return 1 if failed else 0


def told(failed: Sequence[tuple[Job, Failure]]) -> str:
    """Each kind of failure once: jobs that failed of the same, with the same last words."""
    kinds: dict[tuple[str, str], list[tuple[Job, Failure]]] = {}
    for one, end in failed:
        said = one.last_words() if end.ran else ""
        kinds.setdefault((end.cause, said), []).append((one, end))
    shown = list(kinds.values())[:MOST_SHOWN]
    left = len(failed) - sum(map(len, shown))
    lines = [line for alike in shown for line in _kind(alike)]
    lines += [f"\n... and {left} jobs more, of other causes"] if left else []
    return "".join(f"{line}\n" for line in lines)


def _kind(alike: Sequence[tuple[Job, Failure]]) -> list[str]:
    """Which jobs, the cause, and the log of the first."""
    one, end = alike[0]
    left = len(alike) - MOST_SHOWN
    names = "".join(job.prefix for job, _ in alike[:MOST_SHOWN])
    names += f"and {left} more: " if left > 0 else ""
    place = f" ({end.place})" if end.place else ""
    if not end.ran:
        return [f"\n{names}{end.cause}"]
    first = "log of the first" if len(alike) > 1 else "log"
    head = f"\n{names}{end.cause}{place}; {first}: {one.log}"
    return [head, *(f"  {line}" for line in one.tail())]


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
