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
    speaks, and for one of `side_every` that is not interleaved or is named twice.
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
        spoken = self.spoken
        if self.sides not in ("both", "none", *spoken):
            raise UserError(
                f"sides is '{self.sides}', wants both, none or one that is spoken: "
                f"{' '.join(spoken)}"
            )
        named: set[str] = set()
        for side, _ in self.side_every:
            if side not in spoken:
                raise UserError(
                    f"side_every: no side '{side}' is spoken, only {' '.join(spoken)}"
                )
            if self.sides not in ("both", "none", side):
                raise UserError(
                    f"side_every: '{side}' is not interleaved, sides is '{self.sides}'"
                )
            if side in named:
                raise UserError(f"side_every names '{side}' twice")
            named.add(side)

    @property
    def spoken(self) -> list[str]:
        """The sides that some task has as speech, which can be interleaved, in order."""
        blocks = [block for task in self.tasks for block in task.layout.blocks]
        return list(dict.fromkeys(b.side for b in blocks if b.kind == "speech"))

    @property
    def interleaved(self) -> list[str]:
        """The spoken sides that show text, in order; none where no utterance does."""
        sides = "none" if self.speech_only == 1 else self.sides
        return [side for side in self.spoken if sides in ("both", side)]

    def schedule_of(self, side: str) -> Schedule:
        every = dict(self.side_every).get(side, self.schedule.every)
        return replace(self.schedule, every=every)

    def ratio(self, step: int) -> float:
        """The text ratio at 0-based optimizer step `step`, of the side with most text."""
        return max(self.ratios(step).values(), default=0.0)

    def ratios(self, step: int) -> Mapping[str, float]:
        """The text ratio of each spoken side at 0-based optimizer step `step`."""
        return {
            side: text_ratio(self.schedule_of(side), step, self.falls)
            if side in self.interleaved
            else 0.0
            for side in self.spoken
        }
