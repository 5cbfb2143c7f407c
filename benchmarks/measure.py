"""Measures two ways of doing one thing in turn, because machines are noisy."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `ours` and `other` are medians in `unit`; `ratio` is the median of the ratios of
    neighbouring runs, above 1 where ours is better, with its lowest and highest value.
    `aim` is the ratio or the figure to reach, in words; "" where there is none.
    """

    what: str
    against: str
    ours: float
    other: float
    unit: str
    ratio: float
    lowest: float
    highest: float
    aim: str = ""


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call of `work`."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def side_by_side(
    what: str,
    against: str,
    ours: Callable[[], object],
    other: Callable[[], object],
    *,
    amount: float = 0.0,
    unit: str = "s",
    repeats: int = 5,
    share: float = 1.0,
    aim: str = "",
) -> Row:
    """Time `ours` and `other` in turn, after one run of each that is not counted.

    Where `amount` is given, for example a number of tokens, the figures are `amount` a
    second in `unit`; else they are seconds. `other`, where it is slow, may do a `share` of
    the work.
    """
    ours()
    other()
    pairs = [(seconds(ours), seconds(other) / share) for _ in range(repeats)]
    ratios = [theirs / mine for mine, theirs in pairs]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Row(
        what=what,
        against=against,
        ours=amount / mine if amount else mine,
        other=amount / theirs if amount else theirs,
        unit=unit,
        ratio=statistics.median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        aim=aim,
    )


def figure(
    what: str, against: str, ours: float, other: float, unit: str, aim: str = ""
) -> Row:
    """A row of figures that are counted, not timed, such as bytes; less is better."""
    ratio = other / ours if ours else float("inf")
    return Row(what, against, ours, other, unit, ratio, ratio, ratio, aim)
