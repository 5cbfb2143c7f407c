"""Changes of an experiment that a user may make, and that are no fault."""

import os
import shutil
from pathlib import Path

from audit_faults import UNITS, edit


def old_checkpoints_are_removed() -> None:
    shutil.rmtree("exp/scheduled/checkpoint-3")


def a_file_is_touched() -> None:
    for path in Path("dump").rglob("*.npy"):
        os.utime(path)


def shards_are_removed() -> None:
    shutil.rmtree(UNITS / "shards")


def a_page_and_logs_are_there() -> None:
    Path("exp/log").mkdir(exist_ok=True)
    Path("exp/log/train.1.log").write_text("x\n")
    Path("exp/RESULTS.md").write_text("# x\n")


def a_later_version_made_some_of_it() -> None:
    edit(Path("exp/vocoder/stage.json"), "facts", "new", value=1)


CLEAN = (
    old_checkpoints_are_removed,
    a_file_is_touched,
    shards_are_removed,
    a_page_and_logs_are_there,
    a_later_version_made_some_of_it,
)
