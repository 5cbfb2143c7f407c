"""Whether a corpus has the sides of a task: s2st.sh asks this before its first stage.

    python -m s2st_interleave.stages.task_sides conf/tasks/dialogue.yaml user agent

Stage 5 would say it too, but only once an encoder has been trained for hours.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from s2st_interleave.config import load_yaml
from s2st_interleave.errors import UserError, script
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.stages.train_options import TaskOptions


def check(task: Path, roles: Sequence[str]) -> None:
    """Raise UserError where a task has a side that is none of a corpus's `roles`.

    Also where it answers in speech of several sides, which later stages cannot score.
    """
    layout = Layout.parse(load_yaml(task, TaskOptions)["layout"])
    layout.check_one_speaks()
    wanted = layout.sides
    if not set(wanted) <= set(roles):
        raise UserError(
            f"--task {task.stem} ({task}) has the sides {' '.join(wanted)}, the corpus has "
            f"{' '.join(roles)}: name a task of these (a file in tasks of --conf), or --sides"
        )


def main(words: Sequence[str]) -> int:
    task, *roles = words
    return script("task", lambda: check(Path(task), roles))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
