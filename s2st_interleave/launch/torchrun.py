"""Starts torchrun on a node of a Slurm job, so that its ranks meet those of other nodes."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

# Ports of the rendezvous. Linux gives higher ones to clients.
FIRST_PORT, NUM_PORTS = 20000, 10000


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nproc_per_node", required=True)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(argv)

    from s2st_interleave.stage_dir import EXIT_UNFINISHED
    from s2st_interleave.train import torchrun

    if list(options.command[1:3]) == ["-m", "s2st_interleave"]:
        status = torchrun.look(options.command)
        if status != EXIT_UNFINISHED:
            return status
    words = [*rendezvous(os.environ), "--nproc_per_node", options.nproc_per_node]
    return torchrun.main([*words, "--no_python", *options.command])


def rendezvous(environment: Mapping[str, str]) -> list[str]:
    """torchrun's options, by Slurm's variables: ranks meet on the node that ran srun."""
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
