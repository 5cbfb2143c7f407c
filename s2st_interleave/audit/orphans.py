"""Files that no record mentions: leftovers of writes, recordings, results without a record."""

import os
from collections.abc import Iterator, Set
from fnmatch import fnmatch
from pathlib import Path

from s2st_interleave.audit.finding import Finding
from s2st_interleave.audit.outputs import STRAY, is_leftover
from s2st_interleave.promises import DONE, OPEN
from s2st_interleave.status.folders import PARTS, SKIPPED

# Files by which one knows the results of a stage.
RESULTS = (
    "wav.scp*",
    "units.*.scp",
    "words.*.jsonl",
    "*.units.npy",
    "vocab.json",
    "metrics.jsonl",
    "centroids.safetensors",
    "utterances.tsv",
    "meta.json",
)
PASSED = {"log", "asr_cache", "pack", "recordings", "corpus"}  # of no stage's record


def check(recipe: Path, recorded: Set[Path]) -> Iterator[Finding]:
    """Leftovers in a recipe, and folders with results that no stage has signed.

    `recorded` are the folders that have a record.
    """
    for part in PARTS[:3]:
        for folder, names, files in os.walk(recipe / part):
            here = Path(folder)
            for name in [*names, *files]:
                if finding := _leftover(here / name):
                    yield finding
            names[:] = [
                n for n in names if n not in SKIPPED and not is_leftover(Path(n))
            ]
            if not recorded & {here, *here.parents} and here.name not in PASSED:
                found = next((f for f in files if _is_result(f)), None)
                if found and not {DONE, OPEN} & set(files):
                    wrong = f"it holds {found}, and no {DONE}"
                    yield Finding(os.path.relpath(here), wrong, STRAY)


def _is_result(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in RESULTS)


def _leftover(path: Path) -> Finding | None:
    """A temporary file or folder whose process is no more."""
    if not is_leftover(Path(path.name)):
        return None
    pid = path.name.split(".")[-2]
    if pid.isdigit() and Path("/proc", pid).exists():
        return None
    wrong = "it is left over from a write that did not end"
    return Finding(
        os.path.relpath(path), wrong, "remove it, unless another machine runs"
    )
