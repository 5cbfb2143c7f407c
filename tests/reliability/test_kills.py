"""Every stage of the tiny recipe, killed at many moments and run again.

A kill comes at the N-th thing that a stage does to a file, or has just written half of
(faults.py), so that every point of writing is met; the rest of the harness is replay.py.
All of it is for the night but what needs no recipe.
"""

import contextlib
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import replay
import tiny_run
from fork_server import Fault
from replay import Replay

pytestmark = pytest.mark.nightly

STAGES = range(10, 0, -1)  # the last first, see replay.py
# What one does not want to make again: parts, clips, checkpoints.
COSTLY = ("part*", "*.flac", "*.mp3", "*.mp3.wav", "checkpoint-*/model.safetensors")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Iterator[Replay]:
    with replay.recorded(tmp_path_factory.mktemp("kills")) as tiny:
        yield tiny


@pytest.fixture(scope="module")
def tally(count: Callable[..., None]) -> Iterator[Counter]:
    """Counts of all tests of this file, kept at its end."""
    counts: Counter = Counter()
    yield counts
    count("kills", **counts)


def costly(tiny: Replay) -> dict[Path, int]:
    """The inodes of what is whole and costly to make, by path."""
    return {
        path: path.stat().st_ino
        for pattern in COSTLY
        for path in tiny.recipe.rglob(pattern)
        if path.is_file() and not any(part[0] == "." for part in path.parts)
    }


def unit(path: Path) -> str:
    """What a file is made with: the two clips of a sentence are made together."""
    name = path.parent.name if path.name == "model.safetensors" else path.name
    return name.partition(".")[0]


def spread(total: int, number: int) -> list[int]:
    """`number` events of `total`, evenly spread, the first and the last among them."""
    return sorted({1 + round(k * (total - 1) / (number - 1)) for k in range(number)})


def faults_of(stage: int, total: int, sec: float) -> list[Fault]:
    """What one stage goes through; its undisturbed run has `total` events in `sec`."""
    kills = [
        Fault(kind=("kill", "half")[index % 2], at=at)
        for index, at in enumerate(spread(total, 11))
    ]
    draw = random.Random(stage)
    kills += [
        Fault(signal=signal.SIGKILL, after_sec=draw.uniform(0, sec)) for _ in range(1)
    ]
    inner = spread(total, 6)[1:-1]
    cuts = [
        Fault(kind=("content", "power")[k % 2], at=at) for k, at in enumerate(inner)
    ]
    asked = [
        Fault(kind=("term", "int")[k % 2], at=at) for k, at in enumerate(inner[1:3])
    ]
    return kills + cuts + asked


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_of_a_recipe_outlives_its_kill(tiny, tmp_path, number):
    """run.sh, launcher and job have sessions of their own; all of them end."""
    tiny = tiny.copied(tmp_path)
    name = "exp/baseline/checkpoint-2/meta.json"
    tiny.undo(6)
    plain(tiny.recipe)
    process = tiny_run.start(tiny.recipe, "--stage", "6", "--stop_stage", "6")
    deadline = time.monotonic() + 600
    while not (tiny.recipe / name).is_file():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, number)
    process.communicate(timeout=120)
    deadline = time.monotonic() + 60
    while working(tiny.recipe) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert working(tiny.recipe) == []
    tiny_run.run(tiny.recipe, "--stage", "6", "--stop_stage", "6")
    shutil.rmtree(tiny.recipe / "exp" / "log")
    assert tiny.difference(6) == []


def working(folder: Path) -> list[int]:
    """Processes whose folder this is."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(place / "cwd") == str(folder):
                found.append(int(place.name))
    return found


def plain(recipe: Path) -> None:
    """Let the recipe take the plain interpreter from now on."""
    shutil.copy(tiny_run.ROOT / "egs" / "path.sh", recipe.parents[1])


@pytest.mark.parametrize("number", STAGES)
def test_a_stage_that_is_killed_and_run_again_ends_in_the_same_bytes(
    tiny, tally, number
):
    """By SIGKILL, SIGTERM, SIGINT or a power cut; nothing is left over or made twice."""
    tiny.undo(number)
    plain = tiny.finish(number)
    assert tiny.difference(number) == []
    total, sec = sum(end.events for end in plain), sum(end.sec for end in plain)
    for fault in faults_of(number, total, sec):
        tiny.undo(number)
        ends = tiny.run(number, fault)
        assert ends[-1].left == 0, "a process of the group lives on"
        before = costly(tiny)
        again = tiny.finish(number)
        after = costly(tiny)
        twice = {unit(p) for p in before if after.get(p, before[p]) != before[p]}
        different = tiny.difference(number)
        tally[f"stage_{number}"] += 1
        tally[fault.kind or "at_random"] += 1
        tally.update(runs=1, different=bool(different))
        assert different == [], (fault, [end.output for end in again])
        if fault.kind in ("content", "power"):
            continue
        # What was whole, and killed before the proof of it, is made again.
        tally["made_twice"] += max(0, len(twice) - 1)
        assert len(twice) <= 1, (fault, twice)
