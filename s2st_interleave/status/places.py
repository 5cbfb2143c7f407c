"""The state of each stage's directory in a recipe."""

import contextlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from s2st_interleave import promises
from s2st_interleave.newer import date, paths_of
from s2st_interleave.preemption import EXIT_REQUEUE
from s2st_interleave.progress import duration
from s2st_interleave.promises import DONE, OPEN
from s2st_interleave.stage_list import MODULES, stage_number
from s2st_interleave.status import attempts, processes
from s2st_interleave.status.attempts import Attempt
from s2st_interleave.status.folders import Found, Record
from s2st_interleave.status.look import look

State = Literal["done", "stale", "running", "queued", "stopped", "failed", "missing"]
LOCAL = {"text_llm": 1, "conversation": 1}  # what recipes make before stage 1 reads it


@dataclass(frozen=True)
class Place:
    """A directory of a stage, its state, and lines that say why it is in it.

    `seconds` are those that it took; `progress` is (done, total, what is left) of one that
    runs or has stopped; `number` that of the stage, None for what belongs to none.
    """

    stage: str
    number: int | None
    name: str
    state: State
    when: str = ""
    seconds: float | None = None
    why: tuple[str, ...] = ()
    log: str = ""
    progress: tuple[int, int, str] | None = None
    directory: str = ""  # absolute


def places(recipe: Path, found: Found) -> list[Place]:
    """The directories of a recipe, in the order of the stages."""
    tried = _tried(recipe, found.logs.get(recipe, ()))
    working = processes.working()
    records = found.records.get(recipe, [])
    made = [_place(record, tried, working) for record in records]
    made += [_damaged(path, recipe, why) for path, why in found.damaged.get(recipe, ())]
    there = {record.directory for record in records}
    for out, some in tried.items():
        if out not in there and (place := _before_record(recipe, out, some, working)):
            made.append(place)
    return sorted(_doubted(made, records), key=_order)


def _order(place: Place) -> tuple[int, str, str]:
    return (place.number or 99, place.stage, place.name)


def number_of(stage: str) -> int | None:
    return stage_number(stage) or LOCAL.get(stage)


def _tried(recipe: Path, logs: Iterable[Path]) -> dict[Path, list[Attempt]]:
    """The attempts of the logs, by the directory that they write."""
    by_out: dict[Path, list[Attempt]] = defaultdict(list)
    for folder in logs:
        for attempt in attempts.read(folder):
            out = processes.output_of(attempt.words)
            if out is not None and attempt.command in MODULES:
                by_out[Path(os.path.normpath(recipe / out))].append(attempt)
    return by_out


def _place(
    record: Record,
    tried: Mapping[Path, Sequence[Attempt]],
    working: Mapping[Path, int],
) -> Place:
    number = number_of(record.stage)
    place = Place(
        record.stage, number, record.name, "done", directory=str(record.directory)
    )
    some = tried.get(record.directory, ())
    if not record.done:
        return _begun(place, record.directory, some, working)
    place = replace(
        place,
        when=date(record.directory / DONE),
        seconds=record.content.get("wall_sec"),
    )
    with contextlib.chdir(record.home):  # its tables name audio from there
        lost = promises.broken(record.directory, dict(record.content))
    if lost:
        return replace(place, state="stale", why=(f"no longer whole: {lost}",))
    command = _command(record, some)
    if not command:
        return place
    latest = max(some, key=lambda each: each.began) if some else None
    words = latest.options if latest and latest.command == command else ()
    verdict = look(command, words, record.content, record.home)
    if verdict.differs:
        return replace(place, state="stale", why=verdict.differs)
    if verdict.unsure:
        return replace(place, why=(f"not checked: {verdict.unsure}",))
    return place


def _damaged(path: Path, recipe: Path, why: str) -> Place:
    """A directory whose record cannot be read, so that nobody knows what it is."""
    name = os.path.relpath(path.parent, recipe)
    remedy = f"remove {os.path.relpath(path)}, and run its stage again"
    return Place("unknown", None, name, "failed", why=(f"{why}: {remedy}",))


# Options that tell the command of a directory whose stage has several.
MADE_BY = {
    "data": {
        "tsv": "own",
        "common_voice": "data",
        "num_utterances": "subset",
        "src_dir": "import_data",
    },
    "align": {"src_alignments": "import_alignments"},
    "units": {"src_units": "import_units"},
}


def _command(record: Record, some: Sequence[Attempt]) -> str:
    """The command that made a directory; "" where nobody can tell."""
    commands = [each.command for each in some]
    if commands:
        return commands[0]
    names = {*record.content.get("options", {}), *record.content.get("paths", {})}
    told = MADE_BY.get(record.stage, {})
    if command := next((v for k, v in told.items() if k in names), ""):
        return command
    if record.stage == "data":
        return ""
    return record.stage if record.stage in MODULES else ""


def _begun(
    place: Place,
    directory: Path,
    some: Sequence[Attempt],
    working: Mapping[Path, int],
) -> Place:
    """The state of a directory that is not finished, by its jobs' logs and processes."""
    place = replace(place, when=date(directory / OPEN))
    latest = _latest(some)
    if latest:
        logged = replace(place, log=str(latest[-1].log), when=latest[-1].began)
        place = replace(logged, progress=_progress(directory, latest))
    pid = working.get(directory)
    if pid is not None:
        return replace(place, state="running", why=(f"process {pid} of this machine",))
    for attempt in latest:
        job = processes.slurm_job(attempt) if attempt.status is None else None
        if job and job.state in ("RUNNING", "COMPLETING"):
            why = (f"Slurm job {job.number} runs",)
            return replace(place, state="running", why=why)
        if job and job.state:
            ended = f"Slurm job {job.number} is {job.state}"
            state: State = "queued" if job.state == "PENDING" else "stopped"
            return replace(place, state=state, why=(ended,))
    failed = [a for a in latest if a.status not in (None, 0)]
    return replace(place, **_ended(failed, latest))


def _ended(failed: Sequence[Attempt], latest: Sequence[Attempt]) -> dict[str, Any]:
    if failed and failed[0].status == EXIT_REQUEUE:
        why = "it saved a checkpoint and ended; the same command goes on"
        return {"state": "stopped", "why": (why,)}
    if failed:
        why = (f"exit status {failed[0].status}", failed[0].last_line.strip())
        return {"state": "failed", "why": why, "log": str(failed[0].log)}
    why = "it was begun, and no process of this machine works on it"
    if latest and latest[-1].status is None:
        age = time.time() - latest[-1].log.stat().st_mtime
        why += f"; the last line of its log is {duration(age)} old"
    return {"state": "stopped", "why": (why,)}


def _latest(some: Sequence[Attempt]) -> list[Attempt]:
    """The attempts that tell the state of a directory: those without an end, or failed.

    Each is the last one of its log; where all have ended well it is the last of all.
    """
    ordered = sorted(some, key=lambda each: each.began)
    unfinished = [each for each in ordered if each.status is None]
    failed = [each for each in ordered if each.status]
    return unfinished or failed or ordered[-1:]


def _progress(
    directory: Path, latest: Sequence[Attempt]
) -> tuple[int, int, str] | None:
    """How far it is: the sum over its jobs; of a training also by metrics.jsonl."""
    counts = [each.progress for each in latest if each.progress]
    step = _last_step(directory / "metrics.jsonl")
    if not counts:
        return (step, 0, "") if step else None
    left = max(counts, key=lambda c: c[1] - c[0])[2]
    done, total = sum(c[0] for c in counts), sum(c[1] for c in counts)
    return max(done, step), total, left


TAIL = 1 << 16  # bytes that hold the last line of metrics.jsonl


def _last_step(path: Path) -> int:
    """Steps of a training by the last line of its metrics.jsonl; 0 without one."""
    if not path.is_file():
        return 0
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - TAIL))
        lines = stream.read().splitlines()
    for line in reversed(lines):  # the last may be cut off, as on a full disk
        with contextlib.suppress(ValueError, KeyError, TypeError):
            return int(json.loads(line)["step"]) + 1
    return 0


def _before_record(
    recipe: Path, out: Path, some: Sequence[Attempt], working: Mapping[Path, int]
) -> Place | None:
    """The state of a command that has failed, or runs, before it opened its directory."""
    latest = _latest(some)[-1]
    command = latest.command
    name = os.path.relpath(out, recipe)
    place = Place(command, number_of(command), name, "failed", latest.began)
    place = replace(place, log=str(latest.log), directory=str(out))
    if out in working:
        return replace(place, state="running", why=(f"process {working[out]}",))
    if latest.status in (None, 0):  # it has ended well: somebody has removed it since
        return None
    why = (f"exit status {latest.status}", latest.last_line.strip())
    return replace(place, why=why)


def _doubted(made: Sequence[Place], records: Sequence[Record]) -> list[Place]:
    """The places; what was made from something stale is stale too, and says from what."""
    by_directory = {str(record.directory): record for record in records}
    stale = {place.directory for place in made if place.state == "stale"}
    result = []
    for place in sorted(made, key=_order):
        record = by_directory.get(place.directory)
        if place.state == "done" and record is not None:
            read = [record.home / path for path in paths_of(record.content)]
            from_stale = sorted(
                ({*map(os.path.normpath, read)} & stale) - {place.directory}
            )
            if from_stale:
                names = [os.path.relpath(path, record.recipe) for path in from_stale]
                why = f"made from what is stale: {', '.join(names)}"
                place = replace(place, state="stale", why=(why,))
                stale.add(place.directory)
        result.append(place)
    return result
