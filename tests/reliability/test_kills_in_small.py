"""What holds a kill and a power cut at bay, each part of it alone; see test_kills.py."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import faults
import pytest
from same_tree import different, tree

from s2st_interleave import files, shards
from s2st_interleave.config import option
from s2st_interleave.files import atomic_write
from s2st_interleave.stage_dir import open_stage

IDS = ["a", "b", "c"]


@dataclass(frozen=True, kw_only=True)
class Options:
    size: int = option(1, "matters")


def stage(folder: Path) -> None:
    """A stage with a part, a table and an audio folder beside it."""
    opened = open_stage(folder / "out", stage="units", options=Options(), inputs={})
    if opened is None:
        return

    def process(ids, path) -> None:
        with atomic_write(path) as stream:
            stream.write(" ".join(ids))

    done = shards.run_shards(IDS, folder / "out/shards", "", process, smallest=2)
    assert done
    lines = []
    for name in IDS:
        with atomic_write(folder / "audio" / f"{name}.flac") as stream:
            stream.write(name)
        lines.append(f"{name} {folder}/audio/{name}.flac\n")
    with atomic_write(folder / "out" / "wav.scp") as stream:
        stream.writelines(lines)
    opened.finish(num_in=3, num_out=3)


def in_fork(work, folder: Path, kind: str = "", at: int = 0) -> tuple[int, int]:
    """Run `work(folder)` in a process with a fault; its exit code and its events."""
    grave = folder.with_name(f"{folder.name}.grave")
    grave.mkdir(exist_ok=True)
    for path in grave.iterdir():
        path.unlink()
    watch = faults.Watch(folder, kind, at, grave)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setpgid(0, 0)
            files._swept.clear()  # as in a new process
            faults.install(watch)
            work(folder)
            status = 0
        finally:
            os._exit(status)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code, int.from_bytes(watch.count[:8], "little")


@pytest.mark.parametrize("kind", ["kill", "half", "content", "power"])
def test_a_stage_that_is_killed_at_any_write_ends_in_the_same_bytes(tmp_path, kind):
    place = tmp_path / "place"
    place.mkdir()
    code, total = in_fork(stage, place)
    assert code == 0 and total > 40
    wanted = tree(place)
    step = 1 if kind in faults.CUTS else 3
    for at in range(total, 0, -step):
        for path in sorted(place.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        code, _ = in_fork(stage, place, kind, at)
        assert code == -signal.SIGKILL
        code, _ = in_fork(stage, place)
        # What a power cut takes of a finished stage is seen by the next look at it.
        assert code == 0
        assert different(wanted, tree(place)) == [], at


def test_a_file_that_another_process_writes_is_not_taken_for_a_left_one(tmp_path):
    def other(folder: Path) -> None:
        with atomic_write(folder / "b") as stream:
            stream.write("b")

    with atomic_write(tmp_path / "a") as stream:
        stream.write("a")
        assert in_fork(other, tmp_path)[0] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_directory_that_was_being_discarded_goes_with_the_next_run(tmp_path):
    def discard(folder: Path) -> None:
        options = Options(size=2)
        open_stage(
            folder / "out", stage="units", options=options, inputs={}, overwrite=True
        )

    stage(tmp_path)
    _, total = in_fork(discard, tmp_path, "kill", 3)
    assert total == 3 and list(tmp_path.glob(".out.*.old"))
    assert in_fork(discard, tmp_path)[0] == 0
    assert not list(tmp_path.glob(".out.*.old"))


def test_a_part_with_a_flipped_bit_is_told_of_and_made_again(tmp_path, capsys):
    def process(ids, path) -> None:
        with atomic_write(path) as stream:
            stream.write(" ".join(ids))

    shards.run_shards(IDS, tmp_path, "1/1", process)
    whole = (tmp_path / "part1").read_bytes()
    for broken in (whole.replace(b"a", b"e"), whole[:-1]):
        (tmp_path / "part1").write_bytes(broken)
        shards.run_shards(IDS, tmp_path, "1/1", process)
        assert (tmp_path / "part1").read_bytes() == whole
        assert "part1 is not what its proof says: computed" in capsys.readouterr().out
