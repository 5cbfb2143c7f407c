"""A recipe's run.sh as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def start(
    recipe: Path, options: Sequence[str], environment: Mapping[str, str], **more
) -> subprocess.Popen:
    """Start a recipe by this Python; its process leads a group of its own.

    `more` are arguments of Popen; stdout has what is printed, errors included.
    """
    bin_dir = str(Path(sys.executable).parent)
    path = {"PATH": f"{bin_dir}:{os.environ['PATH']}"}
    return subprocess.Popen(
        [recipe / "run.sh", *options],
        env=os.environ | environment | path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **more,
    )


def ended(process: subprocess.Popen, status: int = 0) -> str:
    """What a recipe has printed, at its end with that exit status."""
    output, _ = process.communicate(timeout=1800)
    assert process.returncode == status, output[-8000:]
    return output
