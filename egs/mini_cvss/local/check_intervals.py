#!/usr/bin/env python3
"""Measure how many of each word's aligned units lie in its equal interval (Table 3).

    cd x_en && python ../local/check_intervals.py \\
      --dump ../pt_en/shared/paper/dump/interleave/dev
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave import config
from s2st_interleave.config import option
from s2st_interleave.errors import script
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.interleave.segments import Side, uniform_spans


@dataclass(frozen=True, kw_only=True)
class Options:
    dump: Path = option(Path("dump/interleave/dev"), "of one split")


def main() -> None:
    options = config.parse(Options, sys.argv[1:], prog="check_intervals", about=__doc__)
    dump = Dump(options.dump)
    for name in dump.sides:
        sides = [dump[index].sides[name] for index in range(len(dump))]
        shares = np.concatenate([held(side) for side in sides])
        print(
            f"{name}: {shares.mean():.0%} of a word's units, "
            f"none of {(shares == 0).mean():.0%} of {len(shares)} words"
        )


def held(side: Side) -> np.ndarray:
    """Share of each word's aligned units that lie in its equal interval, (num_words,)."""
    equal = uniform_spans(len(side.words), len(side.units))
    start = np.maximum(side.spans[:, 0], equal[:, 0])
    end = np.minimum(side.spans[:, 1], equal[:, 1])
    # With fewer units than words some words have no units: their share is 0.
    return np.maximum(end - start, 0) / np.maximum(np.diff(side.spans)[:, 0], 1)


if __name__ == "__main__":
    sys.exit(script("check_intervals", main))
