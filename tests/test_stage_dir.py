"""A directory is complete only with its stage.json; nothing is skipped on existence."""

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from s2st_interleave import begun, files, stage_dir
from s2st_interleave.config import option
from s2st_interleave.stage_dir import Input, open_stage


@dataclass(frozen=True, kw_only=True)
class Options:
    size: int = option(1, "matters")
    steps: int = option(10, "may grow")
    nj: int = option(1, "does not matter", runtime=True)
    place: Path = option(Path("here"), "a path: its content matters, not its name")

    def extendable(self) -> set[str]:
        return {"steps"}


def run(folder: Path, options: Options, source: Path | None = None, **more) -> bool:
    """Run a stage; whether there was something to do."""
    inputs = {"source": Input(source)} if source else {}
    stage = open_stage(folder, stage="units", options=options, inputs=inputs, **more)
    if stage is None:
        return False
    (folder / "work").write_text(str(options.size))
    stage.finish(num_in=3, num_out=2, dropped={"u1": "too short: 0.1 s"})
    return True


def test_a_finished_stage_is_skipped_aloud(tmp_path, capsys):
    assert run(tmp_path / "a b", Options())
    assert not run(tmp_path / "a b", Options(nj=4, place=Path("elsewhere")))
    assert "up to date, skipped" in capsys.readouterr().out
    done = files.read_json(tmp_path / "a b" / "stage.json")
    assert done["counts"] == {"in": 3, "out": 2, "dropped": {"too short": 1}}
    assert (tmp_path / "a b" / "dropped.tsv").read_text() == "u1\ttoo short: 0.1 s\n"


def test_a_directory_that_exists_is_not_taken_for_a_finished_one(tmp_path):
    folder = tmp_path / "stage"
    assert open_stage(folder, stage="units", options=Options(), inputs={})
    (folder / "work").write_text("half")
    assert run(folder, Options())  # the same options carry on
    with pytest.raises(
        FileNotFoundError, match=r"is made by stage 3 \(align\).*--stage 3"
    ):
        Input(tmp_path, "align").fingerprint()


def test_what_was_made_otherwise_names_options_that_there_are(tmp_path):
    """A second task was told to "choose another tag", which is no option of run.sh."""
    run(tmp_path / "stage", Options())
    with pytest.raises(
        ValueError, match=r"or name another folder: --out_dir.*--expdir"
    ):
        run(tmp_path / "stage", Options(size=2))


@pytest.mark.parametrize("finished", [True, False])
def test_other_options_stop_and_show_the_difference(tmp_path, finished):
    folder = tmp_path / "stage"
    stage = open_stage(folder, stage="units", options=Options(), inputs={})
    (folder / "part1").touch()
    if finished:
        stage.finish(num_in=1, num_out=1)
    with pytest.raises(
        ValueError, match=r"option size: was 1, is 2\n.*--overwrite true"
    ):
        run(folder, Options(size=2))
    assert run(folder, Options(size=2), overwrite=True)
    assert not run(folder, Options(size=2))


def test_a_changed_input_is_noticed(tmp_path):
    source = tmp_path / "text"
    source.write_text("one")
    assert run(tmp_path / "out", Options(), source)
    assert not run(tmp_path / "out", Options(), source)
    source.write_text("two")
    os.utime(source, (time.time() + 5,) * 2)
    with pytest.raises(ValueError, match=r"input source: \S*text has changed") as error:
        run(tmp_path / "out", Options(), source)
    assert f"{source} changed on 2" in str(error.value)
    assert not re.search(r"[0-9a-f]{64}", str(error.value))


def test_an_input_that_lies_elsewhere_now_is_named_by_both_paths(tmp_path):
    for name in ("here", "there"):
        run(tmp_path / name, Options(size=1 + (name == "there")))
    where = {name: Options(place=tmp_path / name) for name in ("here", "there")}
    directory = tmp_path / "out"
    for name, options in where.items():
        inputs = {"place": Input(tmp_path / name, "units")}
        if name == "there":
            with pytest.raises(ValueError, match=r"place: was \S*/here, is \S*/there"):
                open_stage(directory, stage="dump", options=options, inputs=inputs)
        else:
            stage = open_stage(directory, stage="dump", options=options, inputs=inputs)
            stage.finish(num_in=1, num_out=1)


def test_an_option_that_extends_the_run_reopens_it_and_one_that_shrinks_it_does_not(
    tmp_path,
):
    """An override must not silently start a new experiment from step 0."""
    assert run(tmp_path, Options(steps=10))
    (tmp_path / "kept").write_text("checkpoint")
    assert run(tmp_path, Options(steps=20))
    assert (tmp_path / "kept").is_file()
    with pytest.raises(ValueError, match="option steps: was 20, is 10"):
        run(tmp_path, Options(steps=10))


def test_files_appear_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file"
    with pytest.raises(RuntimeError), files.atomic_write(path) as stream:
        stream.write("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_overwrite_makes_anew_only_what_differs(tmp_path):
    """Typing an interrupted --overwrite true again must not start from nothing again."""
    assert run(tmp_path / "out", Options(size=1))
    assert run(tmp_path / "out", Options(size=2), overwrite=True)
    assert not run(tmp_path / "out", Options(size=2), overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_remade_input_is_noticed_even_with_the_same_options(tmp_path):
    """Fingerprints of options alone took the vocoder of yesterday's code for today's."""
    first, second = tmp_path / "first", tmp_path / "second"
    run(first, Options())
    stage = open_stage(
        second, stage="dump", options=Options(), inputs={"first": Input(first, "units")}
    )
    stage.finish(num_in=1, num_out=1)
    before = Input(first, "units").fingerprint()
    shutil.rmtree(first)
    run(first, Options())
    assert Input(first, "units").fingerprint() == before  # bit-identical: still valid
    shutil.rmtree(first)
    stage = open_stage(first, stage="units", options=Options(), inputs={})
    (first / "work").write_text("other code wrote this")
    stage.finish(num_in=3, num_out=2)
    with pytest.raises(ValueError, match=r"input first: \S*first has changed"):
        open_stage(
            second,
            stage="dump",
            options=Options(),
            inputs={"first": Input(first, "units")},
        )


def test_files_that_no_stage_signed_for_are_not_taken_up(tmp_path):
    """A deletion that was interrupted leaves shards and checkpoints of other options."""
    (tmp_path / "checkpoint-4").mkdir()
    with pytest.raises(ValueError, match="holds checkpoint-4 but neither"):
        run(tmp_path, Options())


def test_a_begun_directory_is_no_input(tmp_path):
    open_stage(tmp_path / "llm", stage="text_llm", options=Options(), inputs={})
    with pytest.raises(FileNotFoundError, match="is not finished"):
        Input(tmp_path / "llm").fingerprint()


def test_what_was_begun_goes_on_with_other_options_only_where_its_files_prove_themselves(
    tmp_path,
):
    folder = tmp_path / "stage"
    open_stage(folder, stage="units", options=Options(), inputs={})
    other = {"stage": "units", "options": Options(size=2), "inputs": {}}
    (folder / "part1").touch()
    with pytest.raises(ValueError, match="option size: was 1, is 2"):
        open_stage(folder, **other)
    assert open_stage(folder, **other, proven=True)


def test_what_was_begun_without_any_work_takes_other_options(tmp_path, capsys):
    """The first command was wrong, and has failed at once."""
    folder = tmp_path / "stage"
    open_stage(folder, stage="units", options=Options(), inputs={})
    (folder / "metrics.jsonl").write_text("{}\n")
    (folder / ".part1.7.tmp").touch()
    assert open_stage(folder, stage="units", options=Options(size=2), inputs={})
    assert "was begun otherwise" in capsys.readouterr().out
    assert [path.name for path in folder.iterdir()] == ["stage.open.json"]


@dataclass(frozen=True)
class TrainingOptions(Options):
    save_every: int = 10


def test_the_work_of_a_training_is_its_checkpoints(tmp_path):
    open_stage(tmp_path / "t", stage="train", options=TrainingOptions(), inputs={})
    (tmp_path / "t/bpe.model").touch()
    other = {"stage": "train", "options": TrainingOptions(size=2), "inputs": {}}
    assert open_stage(tmp_path / "t", **other)
    (tmp_path / "t/checkpoint-3").mkdir()
    other["options"] = TrainingOptions(size=3)
    with pytest.raises(ValueError, match="option size: was 2, is 3"):
        open_stage(tmp_path / "t", **other)


def test_what_another_process_works_on_is_left_to_it(tmp_path):
    """Though it has not made anything yet, and even where it may be overwritten."""
    folder = tmp_path / "stage"
    open_stage(folder, stage="units", options=Options(), inputs={})
    begun.leave(folder)
    code = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], 0), fcntl.LOCK_SH)"
    words = [sys.executable, "-c", f"{code}; print(flush=True); input()", str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe) as other:
        other.stdout.readline()
        for overwrite in (False, True):
            with pytest.raises(ValueError, match="another process works there"):
                open_stage(
                    folder,
                    stage="units",
                    options=Options(size=2),
                    inputs={},
                    overwrite=overwrite,
                )
        other.communicate(b"\n")


def test_the_seconds_of_a_stage_are_those_of_all_its_processes(tmp_path):
    stage = open_stage(tmp_path / "out", stage="align", options=Options(), inputs={})
    assert stage is not None
    stage.finish(num_in=1, num_out=1, earlier_sec=600.0)  # as its shards say
    assert 600 <= files.read_json(tmp_path / "out" / "stage.json")["wall_sec"] < 660


def test_the_longest_name_of_a_file_left_no_room_for_its_temporary_one(tmp_path):
    path = tmp_path / f"{'é' * 125}.wav"
    assert len(path.name.encode()) == 254
    with files.atomic_write(path) as stream:
        stream.write("x")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_finished_directory_that_is_opened_again_never_lacks_a_record(
    tmp_path, monkeypatch
):
    """stage.json went before stage.open.json was there: the directory was lost for ever."""
    assert run(tmp_path, Options(steps=10))
    (tmp_path / "checkpoint-2").mkdir()

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(stage_dir, "write_json", fail)
        with pytest.raises(OSError, match="the disk is full"):
            run(tmp_path, Options(steps=20))
    assert not run(tmp_path, Options(steps=10))
    assert run(tmp_path, Options(steps=20)) and not run(tmp_path, Options(steps=20))


def test_a_killed_start_goes_on_with_both_records(tmp_path):
    """So it is between the two steps of opening a finished directory again."""
    assert run(tmp_path, Options(steps=10))
    done = (tmp_path / "stage.json").read_bytes()
    assert open_stage(tmp_path, stage="units", options=Options(steps=20), inputs={})
    (tmp_path / "stage.json").write_bytes(done)
    assert run(tmp_path, Options(steps=20)) and not run(tmp_path, Options(steps=20))


def test_a_linked_directory_is_made_anew_and_its_link_alone_goes(tmp_path):
    """rmtree refuses a link, whose name was already another: all later runs failed."""
    disk, folder = tmp_path / "disk", tmp_path / "data" / "train"
    disk.mkdir()
    folder.parent.mkdir()
    folder.symlink_to(disk)
    assert run(folder, Options())
    left = folder.with_name(".train.7.old")  # of a version that failed so
    left.symlink_to(disk)
    assert run(folder, Options(size=2), overwrite=True)
    assert (disk / "work").read_text() == "1"
    assert (folder / "work").read_text() == "2" and not folder.is_symlink()
    assert list(folder.parent.iterdir()) == [folder]
    assert not run(disk, Options())  # no mark of this process is left on it
