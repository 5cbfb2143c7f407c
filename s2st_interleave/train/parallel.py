"""Several ranks at one training: who they are, and what they say to each other.

`torchrun` starts a rank for each GPU (nccl) or for some CPU cores (gloo), and tells it so
in its environment; nothing else is read. Without it there is one rank, and nothing here
does anything. What ranks exchange are sums, never means: losses and gradients are those
of one process with the same batch.
"""

import atexit
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")
# Rank 0 may work alone for long, for example on fingerprints of the inputs.
TIMEOUT = timedelta(hours=2)
JOB_SLOT = "S2ST_SLOT"  # of launch/local.py: 0, 1, ... among the jobs at once


@dataclass(frozen=True)
class Ranks:
    index: int
    count: int
    local: int  # index on this machine: which of its GPUs

    @property
    def is_first(self) -> bool:
        return self.index == 0


def ranks() -> Ranks:
    """This process among all, by torchrun's variables."""
    names = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0}
    return Ranks(*(int(os.environ.get(k, default)) for k, default in names.items()))


def on_first(work: Callable[[], T]) -> T:
    """What `work` returns on rank 0, the only one to do it; the others wait for it.

    The value travels by pickle. An error ends all ranks, and rank 0 says what it was.
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


def sums(values: Mapping[str, float]) -> dict[str, float]:
    """Each value summed over the ranks, in their order: the same bits on all of them."""
    if ranks().count == 1:
        return dict(values)
    import torch

    mine = torch.tensor(list(values.values()), dtype=torch.float64)
    return dict(zip(values, total(mine).tolist(), strict=True))


def total(mine: Any) -> Any:
    """A tensor summed over the ranks."""
    if ranks().count == 1:
        return mine
    import torch

    parts = [torch.empty_like(mine) for _ in range(ranks().count)]
    connected().all_gather(parts, mine)
    return torch.stack(parts).sum(dim=0)


def say(text: str) -> None:
    if ranks().is_first:
        print(text, flush=True)


def connected() -> Any:
    """`torch.distributed`, with its process group."""
    import torch
    from torch import distributed

    if not distributed.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        distributed.init_process_group(backend, timeout=TIMEOUT)
        atexit.register(distributed.destroy_process_group)
    return distributed


def exit_with(main: Callable[[], int | None]) -> NoReturn:
    """End this process with the exit status that `main` returns or raises.

    A rank ends without taking its interpreter apart. DDP keeps gloo's threads alive even
    when the group is destroyed, and one that lets go of a tensor that late ends the
    process by SIGABRT, its work done.
    """
    if ranks().count == 1:
        sys.exit(main())
    try:
        status = main()
    except SystemExit as stop:
        status = stop.code
        if isinstance(status, str):  # sys.exit("message"), as Python itself has it
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()  # what os._exit leaves out
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)
