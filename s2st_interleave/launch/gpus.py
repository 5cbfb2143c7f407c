"""The GPUs of this machine that a process may use, dealt out to jobs that run at once.

`python -m s2st_interleave.launch.gpus` prints their number.
"""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from itertools import takewhile

from s2st_interleave.errors import UserError, script

VISIBLE = "CUDA_VISIBLE_DEVICES"
NAME = re.compile(
    r"\d+|(GPU|MIG)-\S+"
)  # CUDA reads the list up to what is none of these


def visible() -> tuple[str, ...]:
    """Numbers or UUIDs of the GPUs, as $CUDA_VISIBLE_DEVICES names them, or else the driver.

    PyTorch is not asked, because it takes seconds to load.
    """
    named = os.environ.get(VISIBLE)
    if named is None:
        named = ",".join(_known_to_driver())
    names = (part.strip() for part in named.split(","))
    return tuple(takewhile(NAME.fullmatch, names))


def num_unused() -> int:
    """Number of the driver's GPUs that a process may use, asked where PyTorch finds none.

    The environment alone is not believed: it may name GPUs that are not there.
    """
    return len(visible()) if _known_to_driver() else 0


def _known_to_driver() -> Sequence[str]:
    words = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return done.stdout.split() if done.returncode == 0 else ()


class GpuPool:
    """Deals out GPUs: jobs that run at once never share one.

    On a machine without GPUs every job gets none, and runs on the CPU. Raises UserError
    where a job wants more than there are.
    """

    def __init__(self, per_job: int) -> None:
        self.per_job = per_job
        self.free = list(visible()) if per_job else []
        self.exists = bool(self.free)
        self.changed = threading.Condition()
        if self.exists and per_job > len(self.free):
            raise UserError(
                f"--gpu {per_job}: a job wants more GPUs than the {len(self.free)} that "
                f"this machine has (${VISIBLE} or nvidia-smi)"
            )

    def take(self) -> tuple[str, ...]:
        """Wait for a job's GPUs, and return their names; none on a machine without."""
        if not self.exists:
            return ()
        with self.changed:
            self.changed.wait_for(lambda: len(self.free) >= self.per_job)
            taken, self.free = self.free[: self.per_job], self.free[self.per_job :]
        return tuple(taken)

    def give_back(self, names: Sequence[str]) -> None:
        with self.changed:
            self.free.extend(names)
            self.changed.notify_all()


if __name__ == "__main__":
    sys.exit(script("gpus", lambda: print(len(visible()))))
