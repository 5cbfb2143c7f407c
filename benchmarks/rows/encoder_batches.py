"""Stage 2's batches cut by seconds against cut by count: padding, and the slowest rank.

Figures are counted, not timed: seconds of audio, padding included, by the code that cuts
the batches, for lengths as those of CVSS.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

import numpy as np

from benchmarks.measure import Row, figure
from s2st_interleave.encoder.batches import Cutting
from s2st_interleave.encoder.recordings import Recording
from s2st_interleave.train.batches import batch_at

NUM_RANKS, NUM_STEPS, BATCH_SIZE = 8, 40, 64
BY_COUNT = Cutting(BATCH_SIZE, accum_grad=8)
BY_SEC = Cutting(BATCH_SIZE, batch_sec=160)  # as egs/cvss/conf/encoder.yaml


def lengths() -> list[Recording]:
    """4.5 s in the mean, log-normal (our guess at CVSS, from 1 to 15 s)."""
    drawn = np.random.default_rng(0).lognormal(np.log(4.5) - 0.08, 0.4, 20_000)
    seconds = np.clip(drawn, 1, 15).round(3).tolist()
    return [Recording(str(k), Path(), "", length) for k, length in enumerate(seconds)]


def _costs(cutting: Cutting, chosen: Sequence[Recording], count: int) -> list[float]:
    """Padded seconds of each of `count` ranks."""
    costs = []
    for rank in range(count):
        names = {"WORLD_SIZE": str(count), "RANK": str(rank)}
        with mock.patch.dict(os.environ, names):
            parts = cutting.shares(chosen)
        costs.append(
            sum(len(part) * max(r.seconds or 0 for r in part) for part in parts)
        )
    return costs


def rows() -> Iterator[Row]:
    train = lengths()
    steps = [batch_at(train, step, BATCH_SIZE, 1) for step in range(NUM_STEPS)]
    for count in (1, NUM_RANKS):
        padding, slowest = {}, {}
        for cutting in (BY_SEC, BY_COUNT):
            costs = [_costs(cutting, chosen, count) for chosen in steps]
            heard = sum(r.seconds or 0 for chosen in steps for r in chosen)
            padding[cutting] = float(np.sum(costs)) / heard
            slowest[cutting] = float(np.mean([max(c) / np.mean(c) for c in costs]))
        yield figure(
            f"stage 2, {count} ranks: seconds with padding over seconds",
            "cut by count",
            padding[BY_SEC],
            padding[BY_COUNT],
            "x",
        )
        if count > 1:
            yield figure(
                f"stage 2, {count} ranks: slowest rank over the mean",
                "cut by count",
                slowest[BY_SEC],
                slowest[BY_COUNT],
                "x",
                aim="1.05",
            )
