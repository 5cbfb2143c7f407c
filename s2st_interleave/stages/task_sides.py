"""Whether a corpus has the sides of a task, and who speaks: s2st.sh asks it first of all.

    python -m s2st_interleave.stages.task_sides conf/tasks/dialogue.yaml user=en agent=en

prints the side that answers in speech, the one that it answers, and all languages, the
speaker's last: `agent user en en`. Stage 5 would find a side missing too, but only once an
encoder has been trained for hours.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from s2st_interleave.config import load_yaml
from s2st_interleave.data.sides import Side, by_role
from s2st_interleave.errors import UserError, script
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.stages.train_options import TaskOptions


def speaker(task: Path, roles: Sequence[str]) -> str:
    """The side of a corpus's `roles` whose speech a task learns; the last for one of text.

    Raises UserError where a side of the task is none of them, and where it answers in
    speech of several sides, which later stages cannot score.
    """
    layout = Layout.parse(load_yaml(task, TaskOptions)["layout"])
    layout.check_one_speaks()
    wanted = layout.sides
    if not set(wanted) <= set(roles):
        raise UserError(
            f"--task {task.stem} ({task}) has the sides {' '.join(wanted)}, the corpus has "
            f"{' '.join(roles)}: name a task of these (a file in tasks of --conf), or --sides"
        )
    return layout.speaker or roles[-1]


def _tell(task: Path, named: Sequence[str]) -> None:
    languages = by_role(map(Side, named))
    speaks = speaker(task, list(languages))
    others = [role for role in languages if role != speaks]
    print(speaks, others[0], *(languages[role] for role in (*others, speaks)))


def main(words: Sequence[str]) -> int:
    task, *named = words
    return script("task", lambda: _tell(Path(task), named))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
