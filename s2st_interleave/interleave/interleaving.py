"""The options of scheduled interleaving, one argument each (paper Sec. 3.2, Table 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.schedule import Schedule, text_ratio
from s2st_interleave.interleave.spans import SpanRule
from s2st_interleave.interleave.task import SPEECH_TO_SPEECH, Task


@dataclass(frozen=True)
class Interleaving:
    """How the examples of a training are interleaved.

    `sides` is "both", "none", or the role of the only side that is interleaved;
    `span_lambda` is the Poisson mean of a span's length in words. Two extensions:
    `side_every` has the sides whose ratio falls every so many steps, and not as the
    schedule says, and `speech_only` is the share of a step's utterances that show no text,
    whatever the schedule says. `falls` are the steps at which a gate has let the ratio
    fall, sooner than the schedule (train/gate.py). Raises UserError for a side that no task
    has.
    """

    schedule: Schedule
    span_lambda: float = 1.0
    span_rule: SpanRule = "literal"
    sides: str = "both"
    fill: Literal["text", "mask"] = "text"
    alignment: Literal["words", "uniform"] = "words"
    tasks: tuple[Task, ...] = (SPEECH_TO_SPEECH,)
    seed: int = 1
    side_every: tuple[tuple[str, int], ...] = ()
    speech_only: float = 0.0
    falls: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        roles = self.roles
        if self.sides not in ("both", "none", *roles):
            raise UserError(
                f"sides is '{self.sides}', wants both, none or one of {' '.join(roles)}"
            )
        for side, _ in self.side_every:
            if side not in roles:
                raise UserError(
                    f"side_every: there is no side '{side}', only {' '.join(roles)}"
                )

    @property
    def roles(self) -> list[str]:
        """The sides of all tasks, in their order."""
        return list(dict.fromkeys(s for t in self.tasks for s in t.layout.sides))

    def schedule_of(self, side: str) -> Schedule:
        every = dict(self.side_every).get(side, self.schedule.every)
        return replace(self.schedule, every=every)

    def ratio(self, step: int) -> float:
        """The text ratio at 0-based optimizer step `step`, of sides without their own."""
        return text_ratio(self.schedule, step, self.falls)

    def ratios(self, step: int) -> Mapping[str, float]:
        """The text ratio of each side at 0-based optimizer step `step`."""
        return {
            side: text_ratio(self.schedule_of(side), step, self.falls)
            if self.sides in ("both", side)
            else 0.0
            for side in self.roles
        }
