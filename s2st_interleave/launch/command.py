"""Run a command once per JOB, each with its log; the exit status is 1 if one fails.

    python -m s2st_interleave launch [--max-jobs-run N] [JOB=1:4] exp/log/align.JOB.log \\
        python -m s2st_interleave align --shard JOB/4 ...

JOB in the log's name and the command is replaced by 1, 2, 3, 4, or by the names in
JOB=baseline,scheduled; without it there is one job. Output is printed and written to the
log. Options stand before JOB:

    --max-jobs-run N     that many at once; all by default
    --gpu N              on this machine: a job sees N GPUs that no other job sees, and
                         waits until they are free; without GPUs it runs on the CPU
    --done FILE          a job whose FILE (with its JOB; several --done: all of them) is
                         there is not run again
    --backend local      on this machine; slurm: through sbatch. JOB=1:N is one array,
                         each name in JOB=a,b a job of its own
    --resources CLASS    what a job needs in Slurm: a class of slurm.yaml, whose path is
                         in $S2ST_SLURM; train_cmd by default

An array cannot have more tasks than the cluster's MaxArraySize allows: choose --nj so.
"""

import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from s2st_interleave import config, parallel
from s2st_interleave.errors import UserError
from s2st_interleave.launch.job import Failure, Job, Line, read
from s2st_interleave.launch.local import Local
from s2st_interleave.launch.screen import Screen
from s2st_interleave.launch.slurm import Slurm

MOST_SHOWN = 10  # kinds of failure that are printed, and jobs of each kind


class Backend(Protocol):
    """Runs jobs: on this machine, or through Slurm."""

    def run(self, jobs: Sequence[Job]) -> list[Failure | None]:
        """Run jobs to their end; the failure of each, None for success."""
        ...

    def stop(self) -> None:
        """End what runs and start nothing more; called from a signal handler."""
        ...


def main(argv: Sequence[str]) -> int:
    # 1. Read the line; leave out jobs that are done.
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if argv else 2
    line = read(argv)
    jobs = [job.from_now() for job in line.jobs if not job.is_done()]
    if len(jobs) < len(line.jobs):
        print(f"{len(line.jobs) - len(jobs)} of {len(line.jobs)} jobs are done already")

    # 2. Run the jobs; Ctrl-C, termination and the end of the recipe end them as well.
    backend = _backend(line)
    # Where run.sh is killed: lest a second run share its exp/.
    parallel.end_with_parent(signal.SIGTERM)

    def stop(number: int, _: object) -> None:
        backend.stop()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    together = line.backend == "slurm" and line.is_array
    batches = [jobs] if together and jobs else [[job] for job in jobs]
    with ThreadPoolExecutor(line.limit or len(batches) or 1) as pool:
        try:
            ends = [end for batch in pool.map(backend.run, batches) for end in batch]
        except OSError:  # such as a closed pipe, to which jobs cannot print any more
            backend.stop()
            raise

    # 3. Print the failures by kind, each kind with the end of a log.
    failed = [(job, end) for job, end in zip(jobs, ends, strict=True) if end]
    is_seen = line.backend == "local" and len(line.jobs) == 1  # on the screen, just now
    print(told(failed, with_log=not is_seen), end="", file=sys.stderr)
    if failed and len(line.jobs) > 1:
        what = f"{len(failed)} of {len(line.jobs)} jobs failed"
        print(f"{what}; the same command reruns only what is missing", file=sys.stderr)
    return 1 if failed else 0


def told(failed: Sequence[tuple[Job, Failure]], *, with_log: bool = True) -> str:
    """The failures as text. Jobs with the same cause and last line are one kind.

    `with_log`: with the end of a log of each kind.
    """
    kinds: dict[tuple[str, str], list[tuple[Job, Failure]]] = {}
    for job, end in failed:
        last_words = job.last_words() if end.ran else ""
        kinds.setdefault((end.cause, last_words), []).append((job, end))
    shown = list(kinds.values())[:MOST_SHOWN]
    left = len(failed) - sum(map(len, shown))
    lines = [
        line for group in shown for line in _kind(group)[: None if with_log else 1]
    ]
    lines += [f"\n... and {left} jobs more, of other causes"] if left else []
    return "".join(f"{line}\n" for line in lines)


def _kind(group: Sequence[tuple[Job, Failure]]) -> list[str]:
    """Lines about a kind of failure: its jobs, the cause, and the end of the first log."""
    job, end = group[0]
    left = len(group) - MOST_SHOWN
    names = "".join(job.prefix for job, _ in group[:MOST_SHOWN])
    names += f"and {left} more: " if left > 0 else ""
    place = f" ({end.place})" if end.place else ""
    if not end.ran:
        return [f"\n{names}{end.cause}"]
    first = "log of the first" if len(group) > 1 else "log"
    head = f"\n{names}{end.cause}{place}; {first}: {job.log}"
    return [head, *(f"  {line}" for line in job.tail())]


def _backend(line: Line) -> Backend:
    if line.backend == "local":
        return Local(line.gpus, Screen(job.prefix for job in line.jobs))
    if line.backend == "slurm":
        return Slurm(line)
    near = config.nearest(line.backend, ["local", "slurm"])
    raise UserError(f"--backend is '{line.backend}', wants local or slurm{near}")
