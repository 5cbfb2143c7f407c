"""torchrun on one node of a Slurm job; ends with the exit status of its first failure.

torchrun itself dies of SIGUSR1 and answers any failure with status 1, so that a training
could neither be warned nor say that it wants another turn.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

# Ports of the rendezvous: below those that Linux gives to clients.
FIRST_PORT, NUM_PORTS = 20000, 10000


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nproc_per_node", type=int, required=True)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(argv)

    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    def pass_on(number: int, _: object) -> None:
        for child in _children():
            os.kill(child, signal.SIGUSR1)

    for number in (signal.SIGUSR1, signal.SIGTERM):
        signal.signal(number, pass_on)
    words = ["--nproc_per_node", str(options.nproc_per_node), *_rendezvous(os.environ)]
    words += ["--signals_to_handle", "SIGINT,SIGHUP,SIGQUIT"]  # SIGTERM is ours
    try:
        run.main([*words, "--no_python", *options.command])
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        code = failure.exitcode
        return code if code >= 0 else 128 - code
    return 0


def _rendezvous(environment: os._Environ | dict[str, str]) -> list[str]:
    """How the nodes of the job meet: at the one from which srun was started."""
    job = environment["SLURM_JOB_ID"]
    nodes = int(environment.get("SLURM_STEP_NUM_NODES", "1"))
    address, port, is_host = "localhost", 0, True
    if nodes > 1:
        address = environment["SLURM_LAUNCH_NODE_IPADDR"]
        port = FIRST_PORT + int(job) % NUM_PORTS
        is_host = environment["SLURM_NODEID"] == "0"
    words = ["--nnodes", str(nodes), "--rdzv_id", job, "--rdzv_backend", "c10d"]
    words += ["--rdzv_endpoint", f"{address}:{port}"]
    return [*words, "--rdzv_conf", f"is_host={int(is_host)}"]


def _children() -> list[int]:
    found = []
    for path in Path("/proc/self/task").glob("*/children"):
        found += [int(pid) for pid in path.read_text().split()]
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
