"""What a recipe has not made yet, by what it has made for other splits and systems."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from s2st_interleave.newer import date
from s2st_interleave.promises import DONE, and_more
from s2st_interleave.stage_list import STAGES
from s2st_interleave.status.folders import Record
from s2st_interleave.status.places import Place, number_of

LAST = 10  # stages after it are run only when asked for
PAGE = "RESULTS.md"  # of stage 10, which keeps no record


def results(recipe: Path, records: Sequence[Record]) -> list[Place]:
    """The page of stage 10 of each exp: stale where a score is newer; none without scores.

    Where exp lies in the recipe's own folder, that of the recipe (`--results RESULTS.md`)
    may be its page, but not one that is older than all scores: that came with the
    repository. A quick run's exp lies in another folder.
    """
    by_exp: dict[Path, list[Path]] = defaultdict(list)
    for record in records:
        done = record.directory / DONE
        # exp/<system>/<decode>/<split>/score, once it is finished
        if record.stage == "score" and done.is_file():
            by_exp[record.directory.parents[3]].append(done)
    places = [_page(recipe, exp, scores) for exp, scores in by_exp.items()]
    return [place for place in places if place]


def _page(recipe: Path, exp: Path, scores: Sequence[Path]) -> Place | None:
    times = [path.stat().st_mtime for path in scores]
    pages = [exp / PAGE] if (exp / PAGE).is_file() else []
    asked = recipe / PAGE
    if exp.parent == recipe and asked.is_file() and asked.stat().st_mtime >= min(times):
        pages.append(asked)
    if not pages:
        return None
    page = max(pages, key=lambda path: path.stat().st_mtime)
    newer = [p for p in scores if p.stat().st_mtime > page.stat().st_mtime]
    name = os.path.relpath(page, recipe)
    if newer:
        first = os.path.relpath(newer[0].parent, recipe)
        why = (f"{first} is newer{and_more(len(newer) - 1)}",)
        return Place("results", 10, name, "stale", date(page), why=why)
    return Place("results", 10, name, "done", date(page))


def missing(made: Sequence[Place], records: Sequence[Record]) -> list[Place]:
    """A place for each stage that nothing is there of, and for each gap within a stage."""
    numbers = {place.number for place in made}
    if _is_silent(records):
        numbers.add(number_of("vocode"))
    gaps = [
        Place(stage.name, stage.number, "", "missing", why=("not run yet",))
        for stage in STAGES
        if stage.number not in numbers and stage.number <= LAST
    ]
    there = {place.name for place in made}
    for stage, name in dict.fromkeys((*_splits(records), *_decodes(records))):
        if name not in there:
            gaps.append(Place(stage, number_of(stage), name, "missing"))
    return gaps


def _is_silent(records: Sequence[Record]) -> bool:
    """Whether all systems have answered in text alone, which leaves stage 8 nothing to do."""
    decodes = [record for record in records if record.stage == "decode"]
    return bool(decodes) and all(
        record.done and not any(record.directory.glob("units*.scp"))
        for record in decodes
    )


def _splits(records: Sequence[Record]) -> Iterator[tuple[str, str]]:
    """Stages 3 to 5 make a directory a split, beside those they have made."""
    splits = [Path(record.name).name for record in records if record.stage == "data"]
    for stage in ("align", "units", "dump"):
        beside = {Path(r.name).parent for r in records if r.stage == stage}
        yield from (
            (stage, str(folder / split)) for folder in beside for split in splits
        )


def _decodes(records: Sequence[Record]) -> Iterator[tuple[str, str]]:
    """Stages 7 to 9 do the same for all systems, checkpoints and test sets."""
    systems = {Path(record.name) for record in records if record.stage == "train"}
    for stage in ("decode", "vocode", "score"):
        tails = {
            Path(record.name).relative_to(system)
            for record in records
            for system in systems
            if record.stage == stage and Path(record.name).is_relative_to(system)
        }
        yield from ((stage, str(s / tail)) for s in systems for tail in tails)
