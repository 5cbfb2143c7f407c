"""Curves of trainings, from their metrics.jsonl: smoothed, and thinned for a page."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave.errors import UserError
from s2st_interleave.files import json_lines

MOST_POINTS = 300
SMOOTHED_SHARE = 0.02  # of the points: each becomes the mean of so many around it

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Curve:
    """A quantity of one system over the optimizer steps."""

    system: str
    points: Points


@dataclass(frozen=True)
class Chart:
    """One quantity of all systems on one axis."""

    title: str
    curves: tuple[Curve, ...]


def read_charts(trainings: Mapping[str, Path]) -> list[Chart]:
    """The charts of trainings, directories by system; a quantity that none has is left out."""
    measured = {name: read_metrics(path) for name, path in trainings.items()}
    keys = dict.fromkeys(key for values in measured.values() for key in values)
    realised = [key for key in keys if key.startswith("realised_")]
    charts = [
        ("Loss of training, smoothed", "loss"),
        ("Loss on dev, without text", "dev_loss"),
        ("Text ratio p", "text_ratio"),
        *(
            (f"Realised ratio, {key.removeprefix('realised_')}", key)
            for key in realised
        ),
    ]
    return [
        Chart(title, curves)
        for title, key in charts
        if (
            curves := tuple(
                Curve(name, _drawn(key, values[key]))
                for name, values in measured.items()
                if key in values
            )
        )
    ]


def read_metrics(directory: Path) -> dict[str, Points]:
    """(step, value) by quantity, sorted by step; {} where there is no metrics.jsonl.

    A step that occurs twice counts as it was done last. Values that are no finite numbers
    are left out.
    """
    path = directory / "metrics.jsonl"
    values: dict[str, dict[int, float]] = {}
    for line in json_lines(path) if path.is_file() else ():
        for key, value in line.items():
            if (
                key != "step"
                and isinstance(value, int | float)
                and abs(value) <= sys.float_info.max
            ):
                if type(line["step"]) is not int:
                    raise UserError(f"{path}: step {line['step']!r} is no number")
                values.setdefault(key, {})[line["step"]] = float(value)
    return {key: tuple(sorted(table.items())) for key, table in values.items()}


def _drawn(key: str, points: Points) -> Points:
    if key == "text_ratio":
        return corners(points)
    return points if key == "dev_loss" else thinned(points)


def thinned(points: Points, most: int = MOST_POINTS) -> Points:
    """At most `most` points, each the mean of those around it."""
    steps, values = np.array(points).T
    reach = max(1, round(len(points) * SMOOTHED_SHARE)) // 2
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.unique(np.linspace(0, len(points) - 1, min(most, len(points))).round())
    chosen = []
    for place in places.astype(int).tolist():
        within = min(reach, place, len(points) - 1 - place)  # no more before than after
        low, high = place - within, place + within + 1
        mean = (sums[high] - sums[low]) / (high - low)
        chosen.append((float(steps[place]), float(mean)))
    return tuple(chosen)


def corners(points: Points) -> Points:
    """The points of a step function at which it changes, before and after, and its ends."""
    kept = [
        point
        for index, point in enumerate(points)
        if index in (0, len(points) - 1)
        or point[1] != points[index - 1][1]
        or point[1] != points[index + 1][1]
    ]
    return tuple(kept) if len(kept) <= MOST_POINTS * 2 else thinned(points)


def stairs(shares: Sequence[float], edges: Sequence[float]) -> Points:
    """The outline of a histogram."""
    points: list[tuple[float, float]] = []
    for share, low, high in zip(shares, edges, edges[1:], strict=False):
        points += [(low, share), (high, share)]
    return tuple(points)
