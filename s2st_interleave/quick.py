"""Finds what `run.sh --quick true` has made, which lies below quick/ of a recipe."""

import sys
from pathlib import Path

QUICK = Path("quick")


def here_or_quick(path: Path) -> Path:
    """A recipe's folder by its default path, or the one below quick/ in its stead.

    The latter is taken, and said on stderr, where the first part of `path` (exp) is missing
    and only a quick run has made the folder.
    """
    there = QUICK / path
    if Path(path.parts[0]).exists() or not there.exists():
        return path
    print(f"no {path.parts[0]} here: taking {there}, of a quick run", file=sys.stderr)
    return there
