"""What a machine does to a stage: full disks, limits, clocks, locks, flipped bits.

Each fault ends in one line that says what to do, with a status that tells the truth; when
it is gone, the same commands end in the same bytes.
"""

import errno
import importlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator

import disks
import pytest
import replay
import tiny_run
from fork_server import End, Fault
from replay import Replay

pytestmark = pytest.mark.nightly

STAGES = range(10, 0, -1)  # the last first, see replay.py


@pytest.fixture(scope="module")
def tally(count: Callable[..., None]) -> Iterator[Counter]:
    """Counts of all tests of this file, kept at its end."""
    counts: Counter = Counter()
    yield counts
    count("machine", **counts)


@pytest.fixture(scope="module")
def disk(tmp_path_factory) -> Iterator[disks.Disk]:
    with disks.disk(tmp_path_factory.mktemp("machine") / "disk", "600m") as disk:
        yield disk


@pytest.fixture(scope="module")
def tiny(disk, tmp_path_factory) -> Iterator[Replay]:
    """The recipe on a disk of its own, where nobody else writes."""
    with replay.recorded(tmp_path_factory.mktemp("harness"), disk.place) as tiny:
        yield tiny


def errors_in(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("error: ")]


def told_in_one_line(end: End) -> str:
    """The error that a command has ended with, if it has; no traceback is shown."""
    assert not end.signal and end.left == 0, end.output
    assert "Traceback" not in end.output, end.output
    if not end.status:
        return ""
    (line,) = errors_in(end.output)
    return line


LIMITS = [
    ("few files", Fault(limits={"RLIMIT_NOFILE": 24}), "ulimit -n"),
    ("short files", Fault(limits={"RLIMIT_FSIZE": 3000}), "ulimit -f"),
    ("no locks", Fault(lock_error=errno.ENOLCK), ""),
    ("unknown locks", Fault(lock_error=errno.EOPNOTSUPP), ""),
    ("a clock that jumps back", Fault(clock_sec=-1e7), ""),
    ("a clock that jumps on", Fault(clock_sec=1e7), ""),
]


def mended(tiny: Replay, tally: Counter, number: int, name: str) -> None:
    """The same commands end in the same bytes, now that the fault is gone."""
    tiny.finish(number)
    different = tiny.difference(number)
    tally.update({name: 1, "runs": 1, "different": bool(different)})
    assert different == [], name


@pytest.mark.parametrize("number", [6, 5, 3])
def test_two_runs_of_a_stage_started_together_do_no_harm(tiny, tally, number, tmp_path):
    """One of them does the work; the other says who works there, or finds it done."""
    tiny = tiny.copied(tmp_path)
    for _ in range(3):
        tiny.undo(number)
        command = tiny.stages[number].commands[0]
        fault = Fault(root=str(tiny.recipe))
        tiny.server.start(command, fault)
        tiny.server.start(command, fault)
        ends = [tiny.server.wait(), tiny.server.wait()]
        lines = [told_in_one_line(end) for end in ends]
        assert min(end.status for end in ends) == 0, lines
        for line in filter(None, lines):
            assert "another process works there (process " in line, line
            tally["second_runs_that_left"] += 1
        mended(tiny, tally, number, "two_runs")


@pytest.mark.parametrize("name", ["units.tgt.ark", "units.src.scp"])
def test_an_array_with_a_flipped_bit_is_refused_by_who_reads_it(
    tiny, tally, name, tmp_path
):
    """It says which stage makes it anew, and the same bytes come of that."""
    tiny = tiny.copied(tmp_path)
    tiny.undo(5)
    path = tiny.recipe / "dump/units/train" / name
    content = path.read_bytes()
    for broken in (content[:-1] + bytes([content[-1] ^ 1]), content[:-1]):
        path.write_bytes(broken)
        line = told_in_one_line(tiny.run(5)[-1])
        assert f"{name} is not what was written" in line and "--stage 4" in line
        path.write_bytes(content)
        mended(tiny, tally, 5, "broken_arrays")


@pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")
def test_speech_is_not_cut_where_the_temporary_folder_is_full(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tiny_run.ROOT / "egs/mini_cvss/local"))
    voice = importlib.import_module("synthesise").FliteVoice()
    words = "i will read the new report in the garden".split()
    with disks.disk(tmp_path / "small", "64k") as small:
        monkeypatch.setattr(tempfile, "tempdir", str(small.place))
        with pytest.raises(OSError, match="No space left on device"):
            voice.speak(" ".join(words), words)


@pytest.mark.parametrize("number", STAGES)
def test_a_fault_of_the_machine_is_told_in_one_line_and_mended_by_a_rerun(
    tiny, disk, tally, number
):
    tiny.undo(number)
    before = disk.used
    tiny.finish(number)
    assert tiny.difference(number) == []
    need = disk.used - before

    for share in (0.1, 0.6):
        tiny.undo(number)
        with disk.full_but_for(max(4096, int(share * need))):
            ends = tiny.run(number)
        line = told_in_one_line(ends[-1])
        assert "No space left on device" in line and "make room" in line, line
        mended(tiny, tally, number, "full_disk")

    tiny.undo(number)
    with disk.read_only():
        ends = tiny.run(number)
    line = told_in_one_line(ends[-1])
    assert "Read-only file system" in line and "choose another folder" in line, line
    mended(tiny, tally, number, "read_only")

    for name, fault, remedy in LIMITS:
        tiny.undo(number)
        line = told_in_one_line(tiny.run(number, fault)[-1])
        assert not line or (remedy and remedy in line), f"{name}: {line}"
        mended(tiny, tally, number, name.replace(" ", "_"))
