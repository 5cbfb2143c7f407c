"""The state of the code and the versions of the packages that made a file."""

import contextlib
import platform
import subprocess
from pathlib import Path
from typing import Any

PACKAGES = ("s2st-interleave", "numpy", "torch", "transformers")


def git_state() -> dict[str, Any]:
    """Commit of the running code and whether it was edited; None outside a checkout."""
    here = Path(__file__).parent

    def ask(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(here), *words], capture_output=True, text=True
            )
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    status = ask("status", "--porcelain", "--untracked-files=no")
    return {"hash": ask("rev-parse", "HEAD"), "dirty": bool(status)}


def versions() -> dict[str, str]:
    """Versions of Python and of the installed ones of PACKAGES, by name."""
    from importlib import metadata

    numbers = {"python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            numbers[name] = metadata.version(name)
    return numbers
