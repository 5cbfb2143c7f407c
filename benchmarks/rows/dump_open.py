"""A dump of a million utterances: how long it takes to open, and the memory of a process."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.made_speech import utterances
from benchmarks.measure import Row, figure, seconds
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.utterance import Utterance

MANY, FEW = 1_000_000, 100_000
NUM_UNITS = 30  # a side; opening does not read them
OPEN = """
import os, sys, time
from pathlib import Path
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.files import read_json_lines
path = Path(sys.argv[1])
def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
before, start = resident(), time.perf_counter()
opened = read_json_lines(path) if path.suffix else Dump(path)
opened[len(opened) // 2]
print(time.perf_counter() - start, resident() - before)
"""


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder, index = Path(name, "dump"), Path(name, "utterances.jsonl")
        folder.mkdir()
        vocabulary = dump.UnitVocabulary(2000, 0.04)
        made = seconds(lambda: dump.write(folder, _many(MANY), vocabulary))
        _write_v1(index, _many(FEW))
        opened, before = _open(folder), _open(index)
    share = FEW / MANY
    what, against = "dump of a million utterances", "version 1, ten times 100,000"
    yield figure(f"{what}: open", against, opened[0], before[0] / share, "s", "0.1 s")
    yield figure(
        f"{what}: resident", against, opened[1], before[1] / share, "MB", "10 MB"
    )
    yield figure(f"{what}: write", "", made, made, "s")


def _many(count: int) -> Iterator[Utterance]:
    """A thousand utterances under ever new ids, since to make them takes longest."""
    some = list(utterances(1000, NUM_UNITS))
    for number in range(count):
        yield Utterance(f"common_voice_fr_{number:08}", some[number % 1000].sides)


def _write_v1(path: Path, many: Iterator[Utterance]) -> None:
    """The index of a dump of version 1, which was read whole; its places are made up."""
    with path.open("w", encoding="utf-8") as stream:
        for number, utterance in enumerate(many):
            line: dict[str, object] = {"id": utterance.id}
            for role, side in utterance.sides.items():
                place = [NUM_UNITS * number, NUM_UNITS * (number + 1)]
                words = {"first_word": 10 * number, "words": side.words}
                line[role] = {"units": place} | words
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def _open(path: Path) -> tuple[float, float]:
    """Median seconds, and MB of memory, of three processes that open it."""
    command = [sys.executable, "-c", OPEN, str(path)]
    outputs = [
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for _ in range(3)
    ]
    columns = zip(*(map(float, text.split()) for text in outputs), strict=True)
    taken, grown = (statistics.median(column) for column in columns)
    return taken, grown
