"""Which directories processes work on: of this machine, or of jobs that Slurm knows."""

import os
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.launch import states
from s2st_interleave.status.attempts import PACKAGE, Attempt, value_of

MAKERS = ("data", "own", "import_data")  # commands that write their --data_dir


def output_of(words: tuple[str, ...]) -> str | None:
    """What a command writes, as its line names it; None where it names nothing."""
    out = value_of(words, "out_dir")
    if out is None and not set(MAKERS).isdisjoint(words):
        out = value_of(words, "data_dir")
    return out


def working() -> dict[Path, int]:
    """Process ids of this machine's jobs, by the directory that they write.

    Only processes that this user may look into are seen.
    """
    found: dict[Path, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "cmdline").read_bytes().decode("utf-8", "replace")
            words = tuple(text.split("\0")[:-1])
            out = output_of(words)
            if out is None or "python" not in words[0]:
                continue
            if PACKAGE not in words and not any(w.endswith(".py") for w in words):
                continue
            if "launch" in words[:5] or f"{PACKAGE}.launch" in " ".join(words[:5]):
                continue  # it waits for the job, whose line it has on its own
            place = Path(os.path.normpath(Path(os.readlink(folder / "cwd")) / out))
        except (OSError, IndexError):  # it has ended, or belongs to somebody else
            continue
        pid = int(folder.name)
        found[place] = min(found.get(place, pid), pid)
    return found


@dataclass(frozen=True)
class Job:
    """What Slurm says of a job: its number and state; "" where it is not known there."""

    number: str
    state: str


def slurm_job(attempt: Attempt) -> Job | None:
    """The Slurm job that a log's launcher still watches, or that the log names."""
    record = attempt.log.parent / "slurm" / f"{attempt.log.name}.job"
    number = attempt.number
    if record.is_file():
        number = record.read_text("utf-8").strip()
    if not number:
        return None
    state = states.of_job(number)
    return Job(number, state.name if state else "")
