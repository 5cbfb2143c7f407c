"""Runs a command inside a Slurm job, passes signals on to it, and requeues the job.

SIGUSR1 (the time limit is near) and SIGTERM (preemption, the limit itself) reach the
command as SIGUSR1. If the command then saves and ends with EXIT_REQUEUE, the job is queued
again.
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from s2st_interleave.files import atomic_write
from s2st_interleave.launch import states
from s2st_interleave.launch.job import stamped
from s2st_interleave.preemption import EXIT_REQUEUE

# Exit statuses of a command that saved, and of one that the signal ended because it had
# not yet set a handler.
ASKS = (EXIT_REQUEUE, 128 + signal.SIGUSR1)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--status", type=Path, required=True)
    parser.add_argument("--max_requeue", type=int, required=True)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(argv)

    # 1. Run the command.
    number = states.own_id()
    turn = int(os.environ.get("SLURM_RESTART_COUNT", "0"))
    host = os.environ.get("SLURMD_NODENAME", "")
    _say(
        f"Slurm job {number} on {host}, turn {turn + 1}: {shlex.join(options.command)}"
    )
    code = _run(options.command)
    _say(f"ended with {code}")

    # 2. Requeue the job, or write the exit status for the launcher.
    status = code if code >= 0 else 128 - code
    if status in ASKS and _requeue(number, turn, options.max_requeue):
        return EXIT_REQUEUE
    with atomic_write(options.status) as stream:
        stream.write(f"{number} {status}\n")
    return status


def _say(text: str) -> None:
    print(stamped(text), end="", flush=True)


def _run(command: Sequence[str]) -> int:
    """Run a command; its exit status, or the negative number of the signal that ended it."""
    process: subprocess.Popen[bytes] | None = None
    early = []

    def pass_on(number: int, _: object) -> None:
        if process is None:
            early.append(number)
        else:
            process.send_signal(signal.SIGUSR1)

    for number in (signal.SIGUSR1, signal.SIGTERM):
        signal.signal(number, pass_on)
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    try:
        process = subprocess.Popen(command, env=environment)
    except OSError as error:
        _say(str(error))
        return 127
    for number in early:
        pass_on(number, None)
    return process.wait()


def _requeue(number: str, turn: int, max_requeue: int) -> bool:
    """Queue this job again, unless it is being ended from outside; was it queued?

    A job that is ended from outside is left to the launcher, which sees why: Slurm itself
    requeues a preempted job, and a cancelled one must not go on.
    """
    if turn >= max_requeue:
        _say(f"not queued again: this was turn {turn + 1}, max_requeue {max_requeue}")
        return False
    state = states.of_job(number)
    if state and state.name != "RUNNING":
        _say(f"not queued again from here: {state.name}")
        return False
    try:
        states.call(["scontrol", "requeue", number])
    except states.SlurmError as error:
        _say(f"not queued again: {error}")
        return False
    _say("queued again")
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
