"""The tasks of one training: each has a layout, and several are mixed by weight."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import S2ST, Layout


@dataclass(frozen=True)
class Task:
    """A layout, and its name in the prompt of a model that serves several, else empty."""

    layout: Layout
    name: str = ""
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise UserError(
                f"task {self.name}: weight {self.weight}, wants more than 0"
            )


SPEECH_TO_SPEECH = Task(Layout.parse(S2ST))


def prompt(task: Task, pair: str) -> str:
    """The text before the first block: the task's name, the language pair, or nothing.

    >>> prompt(Task(Layout.parse(S2ST), "s2st"), "pt-en:"), prompt(SPEECH_TO_SPEECH, "")
    ('s2st pt-en:', '')
    """
    words = [word for word in (task.name, pair.removesuffix(":")) if word]
    return " ".join(words) + ":" if words else ""


def draw_task(tasks: Sequence[Task], seed: int, step: int, utterance: str) -> Task:
    """Draw one of the tasks by weight; it depends on (seed, step, utterance id) alone."""
    if len(tasks) == 1:
        return tasks[0]
    total = sum(task.weight for task in tasks)
    ends = np.cumsum([task.weight / total for task in tasks])
    ends /= ends[-1]  # as Generator.choice does it
    drawn = keyed.Stream(seed, step, utterance, "task").random()
    return tasks[int(ends.searchsorted(drawn, side="right"))]
