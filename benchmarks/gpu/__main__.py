"""Measures one piece: python -m benchmarks.gpu --piece NAME --size full|tiny --out DIR.

`--list` prints each piece with its time limit in seconds and the packages that it lacks
here. benchmarks/gpu.sh calls this, a process a piece. The exit status is 0 where a JSON says
why a piece could not be measured.
"""

import argparse
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from benchmarks.gpu.pieces import PIECES, Piece

OUT = Path(__file__).parents[1] / "results" / "gpu"


def main(argv: Sequence[str] | None = None) -> None:
    names = [piece.name for piece in PIECES]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--piece", choices=names)
    parser.add_argument("--size", choices=("full", "tiny"), default="full")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the JSONs")
    parser.add_argument(
        "--list", action="store_true", help="pieces, limits, what lacks"
    )
    options = parser.parse_args(argv)
    if options.list:
        for piece in PIECES:
            print(piece.name, piece.limit_sec, *piece.missing)
    elif options.piece:
        measure(PIECES[names.index(options.piece)], options.size, options.out)
    else:
        parser.error("--piece or --list is missing")


def measure(piece: Piece, size: str, out: Path) -> None:
    """Write the JSON of a piece, anew behind each row, so that a kill leaves those it had."""
    from benchmarks.gpu import record, shapes

    shape = shapes.of(size)
    done = record.begun(piece.name, size, shape.device)
    record.write(out, done)
    started = time.monotonic()
    try:
        if piece.missing:
            raise ModuleNotFoundError(f"not installed: {', '.join(piece.missing)}")
        module = import_module(f"benchmarks.gpu.{piece.name}")
        for row, figure in module.figures(shape):
            assert row in piece.rows, row
            seconds = round(time.monotonic() - started, 1)
            done = replace(done, seconds=seconds, figures=done.figures | {row: figure})
            record.write(out, done)
            print(f"{row}: {figure.ours:.5g} {figure.unit}", flush=True)
        done = replace(done, state="finished", reason="")
    except Exception as error:  # whatever a piece lacks, the others are measured
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        done = replace(done, state="failed", reason=reason)
    record.write(out, replace(done, seconds=round(time.monotonic() - started, 1)))


if __name__ == "__main__":
    main()
