"""A gate lets the text ratio fall when its texts are learned, and not by the clock alone.

An extension: what counts is the share of the transcript's tokens that the LLM mistakes at
the present text ratio, of some dev utterances. What a gate has decided stands in the lines
of metrics.jsonl, so that a resumed training goes on with the same ratio.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ERROR = "gate_error"  # of a line of metrics.jsonl: what the gate saw after the step


@dataclass(frozen=True)
class Gate:
    """The ratio falls after a look that finds a share of mistakes of `most_errors` or less.

    Looks are `every` steps apart, as long as the ratio is above 0.
    """

    most_errors: float
    every: int

    def looks(self, step: int, ratio: float) -> bool:
        """Whether there is a look after 0-based `step`, which has this ratio."""
        return ratio > 0 and (step + 1) % self.every == 0

    def fall(self, line: Mapping[str, float]) -> tuple[int, ...]:
        """The step from which on the ratio is lower by a line of metrics.jsonl, or none."""
        is_open = line.get(ERROR, float("inf")) <= self.most_errors
        return (int(line["step"]) + 1,) if is_open else ()
