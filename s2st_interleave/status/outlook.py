"""What a run of the driver is about to do: a line a stage, before the first one starts.

    python -m s2st_interleave.status.outlook --first 1 --last 10 --splits "train dev test" ...

A stage is up to date where all its directories are (look.py); stage 1, which would read
tables and look at every recording for that, is said to be made. The time is what its
directories took the last time, here or in another recipe beside this one: jobs of one stage
count as many at once as the driver starts. Where nothing is known, no time is said.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from s2st_interleave import record_file
from s2st_interleave.errors import UserError, script
from s2st_interleave.progress import duration
from s2st_interleave.promises import DONE, OPEN
from s2st_interleave.stage_list import STAGES
from s2st_interleave.status.folders import Found, Record, read_record
from s2st_interleave.status.look import hashes_kept
from s2st_interleave.status.places import Place, places

NAMES = ("splits", "test_sets", "systems", "checkpoints")
FOLDERS = ("datadir", "dumpdir", "expdir", "trained")
SHARED = ("encoder_dir", "kmeans_dir", "vocoder_dir")
CACHE = "status.digests"


def directories(chosen: argparse.Namespace) -> dict[int, list[Path]]:
    """What stages 1 to 9 write, by their number."""
    data, dump = chosen.datadir, chosen.dumpdir
    decodes = [
        Path(system, f"greedy_{checkpoint}", split)
        for split in chosen.test_sets
        for checkpoint in chosen.checkpoints
        for system in chosen.systems
    ]
    answers = [chosen.expdir / decode for decode in decodes]
    tops = chosen.test_sets if chosen.toplines == "true" else []
    return {
        1: [data / split for split in chosen.splits],
        2: [chosen.encoder_dir],
        3: [dump / "align" / split for split in chosen.splits],
        4: [chosen.kmeans_dir, *(dump / "units" / split for split in chosen.splits)],
        5: [dump / "interleave" / split for split in chosen.splits],
        6: [chosen.trained / system for system in chosen.systems],
        7: answers,
        8: [
            chosen.vocoder_dir,
            *(chosen.expdir / "resynthesis" / split for split in tops),
            *(answer / "vocode" for answer in answers),
        ],
        9: [
            *(chosen.expdir / "topline" / split for split in tops),
            *(answer / "score" for answer in answers),
        ],
    }


def states(by_stage: Mapping[int, Sequence[Path]], expdir: Path) -> dict[Path, Place]:
    """The state of each directory that is there, or begun."""
    here = Path.cwd()
    folders = [
        whole(f) for number, some in by_stage.items() if number > 1 for f in some
    ]
    records: list[Record] = []
    for folder in folders:
        names = [name for name in (DONE, OPEN) if (folder / name).is_file()]
        if names:
            records.append(read_record(folder, names[0]))
    found = Found({here: records}, {here: [whole(expdir / "log")]}, {})
    with hashes_kept(expdir / "log" / CACHE):
        return {Path(place.directory): place for place in places(here, found)}


def whole(path: Path) -> Path:
    """An absolute path without `..`."""
    return Path(os.path.normpath(Path.cwd() / path))


def line(
    number: int,
    folders: Sequence[Path],
    known: Mapping[Path, Place],
    at_once: Mapping[int, int],
) -> str:
    """What is to be done of a stage, and how long it may take; "" where it is not known."""
    done = [f for f in folders if (f / DONE).is_file()]
    if number == 1:
        left = [f for f in folders if f not in done]
    else:
        up_to_date = {path for path, place in known.items() if place.state == "done"}
        left = [f for f in folders if whole(f) not in up_to_date]
    if not left:
        return "made" if number == 1 else "up to date"
    seconds = [_seconds(folder) for folder in left]
    told = "to make" if not done else f"to make: {len(left)} of {len(folders)}"
    if number > 1 and all(folder in done for folder in left):
        told = f"stale: {len(left)} of {len(folders)}, see `status`"
    if None in seconds:
        return told
    total = sum(s for s in seconds if s is not None)
    return f"{told}, ~{duration(total / max(1, at_once.get(number, 1)))}"


def _seconds(folder: Path) -> float | None:
    """What a directory took, or the one of that name in a recipe beside this one."""
    recipes = sorted(Path.cwd().parent.iterdir())
    beside = [] if folder.is_absolute() or ".." in folder.parts else recipes
    for path in (folder / DONE, *(recipe / folder / DONE for recipe in beside)):
        if path.is_file():
            return float(record_file.read(path).get("wall_sec", 0.0))
    return None


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("first", "last", "nj", "parallel_systems"):
        parser.add_argument(f"--{name}", type=int, default=1)
    for name in NAMES:
        parser.add_argument(f"--{name}", type=str.split, default=[])
    for name in (*FOLDERS, *SHARED):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--toplines", default="true")
    parser.add_argument("--local_data", default="")  # a script of the recipe's stage 1
    chosen = parser.parse_args(words)
    asked = range(chosen.first, chosen.last + 1)
    by_stage = {k: v for k, v in directories(chosen).items() if k in asked}
    try:
        known = states(by_stage, chosen.expdir)
    except (UserError, OSError) as error:  # the stage itself will say so, at its turn
        print(f"plan: not known: {error}")
        return 0
    at_once = {3: chosen.nj, 4: chosen.nj}
    at_once |= dict.fromkeys((6, 7), chosen.parallel_systems)
    print(f"plan: stages {chosen.first} to {chosen.last}")
    for stage in STAGES:
        if stage.number in asked:
            folders = by_stage.get(stage.number, [])
            told = line(stage.number, folders, known, at_once) if folders else ""
            if stage.number == 1 and "~" in told and chosen.local_data:
                told += f", and what {chosen.local_data} makes before"
            print(f"  {stage.number:>2} {stage.name:<8} {told}".rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(script("plan", partial(main, sys.argv[1:])))
