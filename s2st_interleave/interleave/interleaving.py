"""The options of scheduled interleaving, one argument each (paper Sec. 3.2, Table 3)."""

from dataclasses import dataclass
from typing import Literal

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.interleave.spans import SpanRule
from s2st_interleave.interleave.task import SPEECH_TO_SPEECH, Task


@dataclass(frozen=True)
class Interleaving:
    """How the examples of a training are interleaved.

    `sides` is "both", "none", or the role of the only side that is interleaved;
    `span_lambda` is the Poisson mean of a span's length in words. Raises UserError for a
    side that no task has.
    """

    schedule: Schedule
    span_lambda: float = 1.0
    span_rule: SpanRule = "literal"
    sides: str = "both"
    fill: Literal["text", "mask"] = "text"
    alignment: Literal["words", "uniform"] = "words"
    tasks: tuple[Task, ...] = (SPEECH_TO_SPEECH,)
    seed: int = 1

    def __post_init__(self) -> None:
        roles = dict.fromkeys(s for task in self.tasks for s in task.layout.sides)
        if self.sides not in ("both", "none", *roles):
            raise UserError(
                f"sides is '{self.sides}', wants both, none or one of {' '.join(roles)}"
            )
