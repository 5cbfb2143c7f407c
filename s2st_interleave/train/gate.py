"""A gate lets the text ratio fall when its texts are learned, and not by the clock alone.

An extension: what counts is the share of the transcript's tokens that the LLM mistakes at
the present text ratio, of some dev utterances. What a gate has decided stands in the lines
of metrics.jsonl, so that a resumed training goes on with the same ratio.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from s2st_interleave.errors import UserError

ERROR = "gate_error"  # of a line of metrics.jsonl: what the gate saw after the step


@dataclass(frozen=True)
class Gate:
    """The ratio falls after a look that finds an error rate of `max_error_rate` or less.

    Looks are `every` steps apart, as long as the ratio is above 0.
    """

    max_error_rate: float
    every: int

    def looks(self, step: int, ratio: float) -> bool:
        """Whether there is a look after 0-based `step`, which has this ratio."""
        return ratio > 0 and (step + 1) % self.every == 0

    def fall(self, line: Mapping[str, float]) -> tuple[int, ...]:
        """The step from which on the ratio is lower by a line of metrics.jsonl, or none.

        Raises UserError where the line does not say what the gate saw as a number.
        """
        seen = line.get(ERROR, float("inf"))
        if type(seen) not in (int, float):
            raise UserError(
                f"metrics.jsonl: step {line['step']}: '{ERROR}' is {seen!r}, wants a number; "
                "was it edited?"
            )
        is_open = seen <= self.max_error_rate
        return (int(line["step"]) + 1,) if is_open else ()
