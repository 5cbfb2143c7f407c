"""torchrun, with its options, which passes signals to ranks and returns their exit status.

    python -m s2st_interleave.train.torchrun --standalone --nproc_per_node 2 \\
        -m s2st_interleave train ...

`python -m s2st_interleave.train.torchrun --if_unfinished WORD ...` first asks the command,
in one process that does not load torch, whether its stage is finished: ranks take seconds
to start. The command must open its stage's directory before it does anything else.

torchrun itself dies of SIGUSR1, gives ranks 30 seconds after SIGTERM, and turns any exit
status into 1. Here ranks get either signal and all the time that they need to save, and
the exit status is theirs, such as EXIT_REQUEUE.
"""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

# Hides warnings of torch's C++ code, once per rank, about settings that we want.
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torchrun's own default, said aloud

from s2st_interleave.errors import RANK_ERRORS, script
from s2st_interleave.parallel import PARENT, exit_with
from s2st_interleave.stage_dir import EXIT_UNFINISHED, LOOK
from s2st_interleave.train.stop_signals import SIGNALS

IF_UNFINISHED = "--if_unfinished"


def main(argv: Sequence[str]) -> int:
    if argv[:1] == [IF_UNFINISHED]:
        argv = argv[1:]
        status = look([sys.executable, *_command(argv)])
        if status != EXIT_UNFINISHED:
            return status
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    for name in ("multiprocessing.api", "agent.server.api"):  # what is told below
        logger = logging.getLogger(f"torch.distributed.elastic.{name}")
        logger.setLevel(logging.CRITICAL)
    for number in SIGNALS:
        signal.signal(number, lambda number, _: hand_down(number))
    os.environ |= {RANK_ERRORS: "1", PARENT: str(os.getpid())}
    # Those that torchrun handles itself: not SIGTERM.
    arguments = run.parse_args(["--signals_to_handle", "SIGINT,SIGHUP,SIGQUIT", *argv])
    try:
        run.run(arguments)
    except SignalException as error:  # Ctrl-C: ranks get SIGTERM, and may have saved
        print("interrupted; the same command carries on", file=sys.stderr)
        return 128 + error.sigval
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        code = failure.exitcode
        if not _tell_errors(error.failures.values()) or code < 0:
            print(f"rank {rank} ended with exit status {code}", file=sys.stderr)
        return code if code > 0 else 128 - code
    return 0


def _tell_errors(failures: Iterable[Any]) -> bool:
    """Print what ranks have left by errors.py, each line once; have they left anything?"""
    lines = [f.message for f in failures if Path(f.error_file).is_file()]
    for line in dict.fromkeys(lines):
        print(line, file=sys.stderr)
    return bool(lines)


def look(command: Sequence[str]) -> int:
    """EXIT_UNFINISHED where the stage of a command has something to do.

    Else its exit status: 0 where the stage is up to date, which it has printed, or that of
    an error in its options.
    """
    return subprocess.run(command, env=os.environ | {LOOK: "1"}).returncode


def _command(words: Sequence[str]) -> Sequence[str]:
    """What a rank runs: the words behind torchrun's options, `-m` included."""
    first = next(
        k for k, word in enumerate(words) if word == "-m" or word[-3:] == ".py"
    )
    return words[first:]


def hand_down(number: int) -> None:
    """Send a signal to all ranks of this machine: they have sessions of their own."""
    for children in Path("/proc/self/task").glob("*/children"):
        for child in children.read_text().split():
            os.kill(int(child), number)


if __name__ == "__main__":
    exit_with(partial(script, "torchrun", partial(main, sys.argv[1:])))
