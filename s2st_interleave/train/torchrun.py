"""torchrun, with its options, which passes signals to ranks and returns their exit status.

    python -m s2st_interleave.train.torchrun --standalone --nproc_per_node 2 \\
        -m s2st_interleave train ...

torchrun itself dies of SIGUSR1, gives ranks 30 seconds after SIGTERM, and turns any exit
status into 1. Here ranks get either signal and all the time that they need to save, and
the exit status is theirs, such as EXIT_REQUEUE.
"""

import os
import signal
import sys
from pathlib import Path

# Hides warnings of torch's C++ code, once per rank, about settings that we want.
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torchrun's own default, said aloud

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from s2st_interleave.train.stop_signals import SIGNALS


def main(argv: list[str]) -> int:
    for number in SIGNALS:
        signal.signal(number, lambda number, _: hand_down(number))
    # Those that torchrun handles itself: not SIGTERM.
    arguments = run.parse_args(["--signals_to_handle", "SIGINT,SIGHUP,SIGQUIT", *argv])
    try:
        run.run(arguments)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        code = failure.exitcode
        print(f"rank {rank} ended with exit status {code}", file=sys.stderr)
        return code if code > 0 else 128 - code
    return 0


def hand_down(number: int) -> None:
    """Send a signal to all ranks of this machine: they have sessions of their own."""
    for children in Path("/proc/self/task").glob("*/children"):
        for child in children.read_text().split():
            os.kill(int(child), number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
