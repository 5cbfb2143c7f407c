"""Keeps the counts of a run for the page on reliability, where S2ST_COUNTS names a folder."""

import json
import os
from pathlib import Path


def write(name: str, **counts: int | float | str) -> None:
    """Write `<name>.json` into the folder $S2ST_COUNTS; nothing without it."""
    folder = os.environ.get("S2ST_COUNTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.json").write_text(json.dumps(counts, indent=1) + "\n")
