"""Whether stage 11 takes a system, by the task that it answers.

    python -m s2st_interleave.pack.packable exp/scheduled exp/scheduled/greedy_last/test

s2st.sh asks this before it names stage 11 as a next step: the exit status is 0 if so.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.task import Task
from s2st_interleave.stage_dir import read_done
from s2st_interleave.stages.train import trained_task


def task_of(train_dir: Path, decode_dir: Path) -> Task:
    """The task that a decode answers; UserError where it does not answer one recording."""
    decoded = read_done(decode_dir, "decode")
    task = trained_task(train_dir, decoded["options"].get("task", ""))
    silent = [block.name for block in task.layout.given if block.kind == "text"]
    if silent:
        raise UserError(
            f"task '{task.layout}' is given {silent[0]}: a packed model answers recordings"
        )
    if len(task.layout.given) != 1:
        raise UserError(
            f"task '{task.layout}' is given {len(task.layout.given)} recordings: a packed "
            "model answers one"
        )
    return task


def main(words: Sequence[str]) -> int:
    train_dir, decode_dir = map(Path, words)
    try:
        task_of(train_dir, decode_dir)
    except (UserError, FileNotFoundError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
