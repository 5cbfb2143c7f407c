"""The ranks of a training with several processes, and what they exchange.

`torchrun` starts a rank for each GPU (nccl) or for some CPU cores (gloo), and sets its
number in the environment. Without torchrun there is one rank, and the functions of this
module do nothing. Ranks exchange sums, never means: losses and gradients equal those of
one process with the same batch.
"""

import atexit
import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from s2st_interleave.preemption import EXIT_REQUEUE
from s2st_interleave.workers import timeout_sec

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
# Names the process with which a job of the launcher, or a rank of torchrun, ends.
PARENT = "S2ST_PARENT"
# Seconds that ranks wait for one that says nothing, by this variable. Rank 0 may work alone
# for a long time, for example on fingerprints of the inputs.
TIMEOUT, TIMEOUT_SEC = "S2ST_RANK_TIMEOUT_SEC", 7200.0


@dataclass(frozen=True)
class Ranks:
    """One process among the `count` of a training."""

    index: int
    count: int
    local: int  # index on this machine: which of its GPUs

    @property
    def is_first(self) -> bool:
        return self.index == 0


def ranks() -> Ranks:
    """This process's rank, by the environment variables that torchrun sets."""
    names = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0}
    return Ranks(*(int(os.environ.get(k, default)) for k, default in names.items()))


def on_first(work: Callable[[], T]) -> T:
    """Call `work` on rank 0 alone and return its result on all ranks, which wait for it.

    The result is sent by pickle. An error ends all ranks, and rank 0 reports it.
    """
    if ranks().count == 1:
        return work()
    box: list[Any] = [None, True]
    try:
        if ranks().is_first:
            box[0] = work()
    except BaseException:
        box[1] = False
        raise
    finally:
        connected().broadcast_object_list(box)
    if not box[1]:
        raise SystemExit(1)
    return box[0]


def gathered(value: T) -> list[T]:
    """The values of all ranks, in their order; they are sent by pickle."""
    if ranks().count == 1:
        return [value]
    values: list[Any] = [None] * ranks().count
    connected().all_gather_object(values, value)
    return values


def sums(values: Mapping[str, float]) -> dict[str, float]:
    """Each value summed over the ranks, in their order: the same bits on all of them."""
    if ranks().count == 1:
        return dict(values)
    import torch

    part = torch.tensor(list(values.values()), dtype=torch.float64)
    return dict(zip(values, total(part).tolist(), strict=True))


def total(part: "torch.Tensor") -> "torch.Tensor":
    """The sum over the ranks of a tensor that each of them has, of any shape."""
    if ranks().count == 1:
        return part
    import torch

    parts = [torch.empty_like(part) for _ in range(ranks().count)]
    connected().all_gather(parts, part)
    return torch.stack(parts).sum(dim=0)


def say(text: str) -> None:
    """Print a line, on rank 0 alone."""
    if ranks().is_first:
        print(text, flush=True)


def connected() -> ModuleType:
    """The module torch.distributed, with the process group set up."""
    import torch
    from torch import distributed

    if not distributed.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        distributed.init_process_group(backend, timeout=_timeout())
        atexit.register(distributed.destroy_process_group)
    return distributed


def _leave_alone() -> None:
    """Let a rank that has failed end without the others.

    NCCL destroys a group when all ranks do, and those that wait for this one's sum never
    would: the launcher ends them when it sees this rank's exit status.
    """
    if distributed := sys.modules.get("torch.distributed"):
        atexit.unregister(distributed.destroy_process_group)


def _timeout() -> timedelta:
    """How long ranks wait for one that says nothing; UserError for what is no time."""
    return timedelta(seconds=timeout_sec(TIMEOUT, TIMEOUT_SEC))


def end_with_parent(number: int = signal.SIGKILL) -> None:
    """Ask Linux for a signal when this process's parent ends without a word to it.

    The same command could else be started again while this one works on.
    """
    parent = os.getppid()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(1, int(number))  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os.kill(os.getpid(), number)


def exit_with(main: Callable[[], int | None]) -> NoReturn:
    """End this process with the exit status that `main` returns or raises.

    A job that a launcher has started, or a rank, is killed where its starter is.

    A rank of several ends by os._exit. DDP keeps gloo's threads alive even when the group
    is destroyed; a thread that frees a tensor while the interpreter shuts down would end
    the process by SIGABRT although its work is done.
    """
    if os.environ.get(PARENT) == str(os.getppid()):
        end_with_parent()
    if ranks().count == 1:
        sys.exit(main())
    try:
        status = main()
    except SystemExit as stop:
        status = stop.code
        if isinstance(status, str):  # sys.exit("message") prints it, as Python does
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
        status = 1
    if status not in (None, 0, EXIT_REQUEUE):
        _leave_alone()
    atexit._run_exitfuncs()  # os._exit skips them
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)
