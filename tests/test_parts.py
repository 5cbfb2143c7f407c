"""Parts of the work: the same for any number of jobs, made once, proven, merged whole."""

import shutil
import time
from pathlib import Path

import pytest

from s2st_interleave import shards
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write, write_json
from s2st_interleave.promises import OPEN
from s2st_interleave.record import digest
from s2st_interleave.shards import ShardOptions, Shards, run_shards

IDS = [f"u{k:02}" for k in range(11)]


class Work:
    """Runs shards of two utterances a part; `made` names the parts that had to be made."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.made: list[str] = []

    def run(self, shard: str = "", ids: list[str] = IDS) -> Shards | None:
        self.made = []
        return run_shards(ids, self.folder, shard, self.process, smallest=2)

    def process(self, ids, path):
        self.made.append(path.name)
        with atomic_write(path) as stream:
            stream.writelines(f"{name}\n" for name in ids)

    def merge(self, ids: list[str] = IDS) -> list[str]:
        """Utterances in the order of the parts."""
        merged = self.run(ids=ids)
        assert merged is not None
        return [name for path in merged.paths for name in path.read_text().split()]

    def content(self) -> dict[str, bytes]:
        parts = [path for path in self.folder.iterdir() if "." not in path.name]
        return {path.name: path.read_bytes() for path in parts}


@pytest.fixture
def work(tmp_path) -> Work:
    return Work(tmp_path / "it's parts")


def test_the_files_do_not_depend_on_the_number_of_jobs(work, tmp_path):
    assert work.merge() == IDS
    for count in (1, 2, 4, 9):
        jobs = Work(tmp_path / str(count))
        assert jobs.run(f"0/{count}") is None
        assert not jobs.folder.exists()  # job 0 only opens the directory
        for k in range(1, count + 1):
            assert jobs.run(f"{k}/{count}") is None
        assert jobs.content() == work.content()
        assert jobs.merge() == IDS and jobs.made == []


def test_another_number_of_jobs_goes_on_with_what_is_there(work):
    work.run("1/3")
    assert work.made == ["part1", "part4"]
    work.run("1/2")
    assert work.made == ["part3", "part5"]
    assert work.merge() == IDS and work.made == ["part2", "part6"]


def test_a_killed_job_loses_the_part_that_it_was_at_alone(work):
    def killed(ids, path):
        if path.name == "part5":
            raise KeyboardInterrupt
        work.process(ids, path)

    with pytest.raises(KeyboardInterrupt):
        run_shards(IDS, work.folder, "1/2", killed, smallest=2)
    work.run("1/2")
    assert work.made == ["part5"]


@pytest.mark.parametrize("content", ["", "u00\n", "u00\nu99\n"])
def test_a_part_that_is_not_what_was_written_is_made_again(work, content):
    work.merge()
    (work.folder / "part1").write_text(content)
    assert work.merge() == IDS and work.made == ["part1"]
    assert work.merge() == IDS and work.made == []


def test_a_part_of_other_utterances_or_without_a_whole_proof_is_made_again(work):
    work.merge()
    (work.folder / "part2.proof").unlink()
    (work.folder / "part3.proof").write_text("")
    assert work.merge() == IDS and work.made == ["part2", "part3"]
    assert work.merge([*IDS[:3], "x", *IDS[4:]]) and work.made == ["part2"]
    assert work.merge(IDS[::-1]) == IDS[::-1] and len(work.made) == 6


def test_parts_of_another_stage_are_made_again(work, tmp_path, capsys):
    """Parts that were copied from another system's decode stood as answers of this one."""
    for name in ("baseline", "scheduled"):
        (tmp_path / name).mkdir()
        write_json(tmp_path / name / OPEN, {"fingerprint": name})
    baseline, ours = (tmp_path / n / "shards" for n in ("baseline", "scheduled"))
    work.folder = baseline
    assert work.merge() == IDS
    shutil.copytree(baseline, ours)
    work.folder = ours
    assert work.merge() == IDS and len(work.made) == 6
    assert "part1 is of another stage, other utter" in capsys.readouterr().out
    assert work.merge() == IDS and work.made == []


def test_a_part_of_an_earlier_version_is_made_again(work, capsys):
    """Its proof does not say of which stage it is."""
    work.merge()
    proof = work.folder / "part1.proof"
    proof.write_text(" ".join([digest(IDS[:2]), *proof.read_text().split()[1:]]))
    assert work.merge() == IDS and work.made == ["part1"]
    assert "or an earlier version: computed again" in capsys.readouterr().out


def test_merging_removes_what_belongs_to_no_part(work):
    """Parts of utterances that are gone, shards of earlier versions, a killed job's."""
    work.merge()
    for name in ("1of2", "1of2.proof", "1of2.sec", ".part1.77.tmp"):
        (work.folder / name).write_text("x")
    work.run("1/2", ids=IDS[:4])
    assert (work.folder / "part6").exists()  # a job removes nothing
    work.merge(IDS[:4])
    names = sorted(path.name for path in work.folder.iterdir())
    assert names == ["part1", "part1.proof", "part2", "part2.proof"]


def test_merging_removes_no_file_of_another_name(work, tmp_path):
    """Whatever lay in the folder went without a word, also where it is a link."""
    (tmp_path / "disk").mkdir()
    work.folder.symlink_to(tmp_path / "disk")
    (work.folder / "thesis.md").write_text("mine")
    (work.folder / "party").mkdir()
    assert work.merge() == IDS
    assert (tmp_path / "disk" / "thesis.md").read_text() == "mine"


def test_there_are_not_more_parts_than_a_quota_bears(work, monkeypatch):
    monkeypatch.setattr(shards, "MOST_PARTS", 3)
    assert work.merge() == IDS and work.made == ["part1", "part2", "part3"]


def test_nothing_to_do_makes_no_part(work):
    assert work.merge([]) == [] and not work.folder.exists()


def test_the_seconds_of_parts_that_other_processes_made_are_added_up(work):
    """So the work of a stage counts, however many jobs share it."""
    plain = work.process

    def process(ids, path):
        time.sleep(0.05)
        plain(ids, path)

    work.process = process
    work.run("1/3")
    parts = [work.folder / f"part{k}.proof" for k in (1, 4)]
    seconds = sum(float(path.read_text().split()[-1]) for path in parts)
    assert seconds >= 0.1
    merged = work.run()  # those that are made right here do not count
    assert merged is not None and merged.earlier_sec == seconds


def test_a_shard_that_is_no_job_of_so_many_is_refused(work):
    for shard in ("3/2", "1", "a/b", "-1/2"):
        with pytest.raises(UserError, match="wants JOB/N such as 2/4"):
            work.run(shard)
    assert "leave it out" in ShardOptions.removed["num_shards"]
