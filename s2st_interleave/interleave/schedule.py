"""The text ratio p of a training step (paper Sec. 3.2): 0.9, falling by 0.1 to 0."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from s2st_interleave.errors import UserError

Shape = Literal["step", "constant", "linear", "cosine", "inverse_sigmoid"]


@dataclass(frozen=True)
class Schedule:
    """The course of the text ratio over optimizer steps.

    The paper's shape, `step`, falls from `start` by `drop` every `every` steps.
    `constant` stays at `start`. `linear`, `cosine` and `inverse_sigmoid` are extensions:
    they fall from `start` to 0 over as many steps as `step` does, and stay there. Raises
    UserError for numbers that make no such course.
    """

    shape: Shape
    start: float
    drop: float = 0.1
    every: int = 300

    def __post_init__(self) -> None:
        if not 0 <= self.start <= 1:
            raise UserError(
                f"text_ratio is {self.start}, wants a share of words, 0 to 1"
            )
        if self.shape != "constant":
            if self.every < 1 or not 0 < self.drop <= 1:
                raise UserError(
                    "text_ratio_every wants 1 or more, text_ratio_drop (0, 1]"
                )
            if abs(self.num_drops * self.drop - self.start) > 1e-6:
                less = int(self.start / self.drop) * self.drop
                more = less + self.drop
                near = f"{less:g} or {more:g}" if more <= 1 + 1e-6 else f"{less:g}"
                raise UserError(
                    f"text_ratio {self.start} is no multiple of its drop {self.drop}: "
                    f"take {near}, or another text_ratio_drop"
                )

    @property
    def num_drops(self) -> int:
        return round(self.start / self.drop)


def text_ratio(schedule: Schedule, step: int, falls: Sequence[int] = ()) -> float:
    """Share of words, 0 to 1, that 0-based optimizer step `step` shows as text.

    It counts whole drops, since 0.9 - 9 * 0.1 is not 0 in floating point, and only
    exactly 0 turns interleaving off. `falls` are steps from which on the ratio of a `step`
    schedule is one drop lower than it was in the step before, however early that is; the
    schedule says how low it is at the latest.

    >>> [text_ratio(Schedule("step", 0.9), step) for step in (0, 299, 300, 2699, 2700)]
    [0.9, 0.9, 0.8, 0.1, 0.0]
    >>> [text_ratio(Schedule("step", 0.9), step, [50]) for step in (49, 50, 300, 600)]
    [0.9, 0.8, 0.8, 0.7]
    """
    if schedule.shape == "constant":
        return schedule.start
    drops = 0
    for fall in falls:
        if fall <= step:
            drops = max(drops, (fall - 1) // schedule.every) + 1
    left = schedule.num_drops - max(drops, step // schedule.every)
    if left <= 0:
        return 0.0
    if schedule.shape == "step":
        return round(schedule.start * left / schedule.num_drops, 9)
    done = step / (schedule.num_drops * schedule.every)  # 0 to 1
    share = {
        "linear": 1 - done,
        "cosine": (1 + math.cos(math.pi * done)) / 2,
        # 0.998 at the start, 0.002 before it is cut off at the end.
        "inverse_sigmoid": 1 / (1 + math.exp(12 * (done - 0.5))),
    }[schedule.shape]
    return schedule.start * share
