"""The steps at which a page's slider stops, and the curve of the text ratio."""

from collections.abc import Sequence
from itertools import pairwise

from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.schedule import Schedule

MOST_STOPS, NUM_POINTS = 20, 200


def end_of(interleaving: Interleaving, num_steps: int) -> int:
    """The step after the last one that is drawn: the training's or the schedules' end."""
    if interleaving.schedule.shape == "constant":
        return max(1, num_steps)
    return max(1, num_steps, _ramp(interleaving) + 1)


def points(interleaving: Interleaving, num_steps: int) -> tuple[tuple[int, float], ...]:
    """(step, text ratio of the side with most), both ends of each stair of `step`."""
    end = end_of(interleaving, num_steps)
    steps = {round(k * (end - 1) / NUM_POINTS) for k in range(NUM_POINTS + 1)}
    if interleaving.schedule.shape == "step":
        edges = _clock(interleaving)
        steps = {0, end - 1, *edges, *(step - 1 for step in edges)}
    return tuple((step, interleaving.ratio(step)) for step in sorted(steps))


def stops(
    interleaving: Interleaving, num_steps: int, read_at: Sequence[int], asked: int
) -> list[int]:
    """A step for each text ratio, in order; of a smooth schedule, for nine of them and 0.

    Where the training reads the utterance at that ratio, it is the first such step, else
    the first step of that ratio. `asked` takes the place of the one of its ratio. Where
    sides have ramps of their own, each fall of one of them is another stop.
    """
    edges = _edges(interleaving, num_steps)
    end = max(end_of(interleaving, num_steps), asked + 1)
    edges += [end] if end > edges[-1] else []
    chosen = []
    for first, last in pairwise(edges):
        read = [step for step in read_at if first <= step < last]
        step = asked if first <= asked < last else min(read, default=first)
        chosen.append(step)
    return chosen


def _edges(interleaving: Interleaving, num_steps: int) -> list[int]:
    """The steps from which on another stop stands for the text ratio."""
    if interleaving.schedule.shape == "step":
        ratios = {
            step: interleaving.ratios(step) for step in (0, *_clock(interleaving))
        }
        lower = [b for a, b in pairwise(sorted(ratios)) if ratios[b] != ratios[a]]
        edges = [0, *lower]
        count = min(len(lower), MOST_STOPS)
        return [edges[round(k * len(lower) / max(1, count))] for k in range(count + 1)]
    if interleaving.schedule.shape == "constant":
        falling, count = end_of(interleaving, num_steps), 10
    else:
        falling, count = _ramp(interleaving), 9
    count = max(1, min(count, falling))
    return [round(k * falling / count) for k in range(count + 1)]


def _schedules(interleaving: Interleaving) -> list[Schedule]:
    """The schedule of each side that shows text; the common one where none does."""
    own = [interleaving.schedule_of(side) for side in interleaving.interleaved]
    return own or [interleaving.schedule]


def _clock(interleaving: Interleaving) -> list[int]:
    """The steps at which a ratio may fall: by a side's schedule, or by a gate."""
    clock = {
        k * schedule.every
        for schedule in _schedules(interleaving)
        for k in range(1, schedule.num_drops + 1)
    }
    return sorted(clock | set(interleaving.falls))


def _ramp(interleaving: Interleaving) -> int:
    """The steps after which every side is at 0."""
    return max(s.num_drops * s.every for s in _schedules(interleaving))
