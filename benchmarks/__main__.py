"""Prints one table of ratios: python -m benchmarks [--only NAME] [--json FILE].

NAME is a file of benchmarks/rows, for example draws. Each ratio is measured side by side
in this run; it is above 1 where this project is better.
"""

import argparse
import importlib
import json
import os
import pkgutil
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import rows
from benchmarks.measure import Row
from s2st_interleave.provenance import git_state

HEAD = ("what", "ours", "other", "unit", "ratio", "from", "to", "aim", "against")


def main(argv: Sequence[str] | None = None) -> None:
    names = sorted(module.name for module in pkgutil.iter_modules(rows.__path__))
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=names, help="this subject alone")
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    options = parser.parse_args(argv)
    print(_machine(), flush=True)
    print(" | ".join(HEAD), "-" * 100, sep="\n", flush=True)
    measured: list[Row] = []
    for name in [options.only] if options.only else names:
        module = importlib.import_module(f"benchmarks.rows.{name}")
        for row in module.rows():
            print(_line(row), flush=True)
            measured.append(row)
    if options.json:
        facts = {"machine": _machine(), "rows": [asdict(row) for row in measured]}
        options.json.write_text(json.dumps(facts, indent=1) + "\n")


def _machine() -> str:
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    threads = torch.get_num_threads()
    return (
        f"{_processor()}, {os.cpu_count()} cores, {threads} threads, {gpu}, "
        f"torch {torch.__version__}, git {git_state()}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    return names[0].strip() if names else platform.processor()


def _line(row: Row) -> str:
    spread = (f"{row.ratio:.2f}", f"{row.lowest:.2f}", f"{row.highest:.2f}")
    figures = (f"{row.ours:.4g}", f"{row.other:.4g}", row.unit)
    return " | ".join((row.what, *figures, *spread, row.aim, row.against))


if __name__ == "__main__":
    main()
