"""The steps at which a page's slider stops, and the curve of the text ratio."""

from collections.abc import Sequence
from itertools import pairwise

from s2st_interleave.interleave.schedule import Schedule, text_ratio

MOST_STOPS, NUM_POINTS = 20, 200


def end_of(schedule: Schedule, num_steps: int) -> int:
    """The step after the last one that is drawn: the training's or the schedule's end."""
    if schedule.shape == "constant":
        return max(1, num_steps)
    return max(1, num_steps, schedule.num_drops * schedule.every + 1)


def points(
    schedule: Schedule, num_steps: int, falls: Sequence[int] = ()
) -> tuple[tuple[int, float], ...]:
    """(step, text ratio), both ends of each stair of a `step` schedule.

    `falls` are those of `text_ratio`.
    """
    end = end_of(schedule, num_steps)
    steps = {round(k * (end - 1) / NUM_POINTS) for k in range(NUM_POINTS + 1)}
    if schedule.shape == "step":
        edges = [k * schedule.every for k in range(1, schedule.num_drops + 1)]
        edges += falls
        steps = {0, end - 1, *edges, *(step - 1 for step in edges)}
    return tuple((step, text_ratio(schedule, step, falls)) for step in sorted(steps))


def stops(
    schedule: Schedule,
    num_steps: int,
    read_at: Sequence[int],
    asked: int,
    falls: Sequence[int] = (),
) -> list[int]:
    """A step for each text ratio, in order; of a smooth schedule, for nine of them and 0.

    Where the training reads the utterance at that ratio, it is the first such step, else
    the first step of that ratio. `asked` takes the place of the one of its ratio. `falls`
    are those of `text_ratio`.
    """
    edges = _edges(schedule, num_steps, falls)
    end = max(end_of(schedule, num_steps), asked + 1)
    edges += [end] if end > edges[-1] else []
    chosen = []
    for first, last in pairwise(edges):
        read = [step for step in read_at if first <= step < last]
        step = asked if first <= asked < last else min(read, default=first)
        chosen.append(step)
    return chosen


def _edges(schedule: Schedule, num_steps: int, falls: Sequence[int]) -> list[int]:
    """The steps from which on another stop stands for the text ratio."""
    if schedule.shape == "step":
        clock = (k * schedule.every for k in range(1, schedule.num_drops + 1))
        ratios = {
            step: text_ratio(schedule, step, falls) for step in (0, *clock, *falls)
        }
        lower = [b for a, b in pairwise(sorted(ratios)) if ratios[b] < ratios[a]]
        edges = [0, *lower]
        count = min(len(lower), MOST_STOPS)
        return [edges[round(k * len(lower) / max(1, count))] for k in range(count + 1)]
    if schedule.shape == "constant":
        falling, count = end_of(schedule, num_steps), 10
    else:
        falling, count = schedule.num_drops * schedule.every, 9
    count = max(1, min(count, falling))
    return [round(k * falling / count) for k in range(count + 1)]
