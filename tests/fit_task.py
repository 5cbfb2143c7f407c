"""The training of a task as the stages do it, for tests that have no stage around it."""

from pathlib import Path

from s2st_interleave.train.adamw import AdamWLearner, Task
from s2st_interleave.train.loop import Outcome, fit
from s2st_interleave.train.options import TrainOptions


def fit_task(task: Task, options: TrainOptions, directory: Path) -> Outcome:
    return fit(AdamWLearner(task, options), options, directory)
