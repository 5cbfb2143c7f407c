"""A stage is complete only while what it promised is there."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from s2st_interleave.config import option
from s2st_interleave.files import read_json, write_json
from s2st_interleave.stage_dir import Input, open_stage
from s2st_interleave.train import checkpoint


@dataclass(frozen=True, kw_only=True)
class Options:
    size: int = option(1, "matters")
    steps: int = option(10, "may grow")

    def extendable(self) -> set[str]:
        return {"steps"}


@dataclass(frozen=True, kw_only=True)
class Later(Options):
    """The same command later: `size` has turned out to change nothing."""

    size: int = option(1, "matters no longer", runtime=True)


def run(folder: Path, options: Options = Options(), *, also=(), **more) -> bool:
    """A stage with a table, a model, a checkpoint and shards; whether it had to work."""
    stage = open_stage(folder, stage="encoder", options=options, inputs={}, **more)
    if stage is None:
        return False
    for name in ("model", "tables/a", "checkpoint-4/model", "shards/1of1"):
        (folder / name).parent.mkdir(exist_ok=True)
        if not (folder / name).is_file():
            (folder / name).write_text(f"{name} of {options.steps}")
    for path in also:
        path.write_text("beside")
    stage.finish(num_in=1, num_out=1, also=also)
    return True


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["model", "tables/a", "tables"])
def test_what_is_gone_is_said_and_made_again(tmp_path, capsys, name, overwrite):
    folder = tmp_path / "made"
    run(folder)
    downstream = Input(folder, "encoder").fingerprint()
    shutil.rmtree(folder / name, ignore_errors=True)
    (folder / name).unlink(missing_ok=True)
    with pytest.raises(
        FileNotFoundError,
        match=rf"made is no longer whole: .*{name}.* is gone; .*--stage 2 --stop_stage 2$",
    ):
        Input(folder, "encoder").fingerprint()
    assert run(folder, overwrite=overwrite)
    printed = capsys.readouterr().out
    assert "is gone; made again" in printed and "up to date" not in printed
    assert Input(folder, "encoder").fingerprint() == downstream
    assert not run(folder)


def test_a_file_of_another_size_is_not_taken_nor_overwritten_in_silence(tmp_path):
    run(tmp_path)
    downstream = Input(tmp_path, "encoder").fingerprint()
    (tmp_path / "model").write_text("hal")
    with pytest.raises(
        ValueError, match=r"model is not what was written .*\n.*--overwr"
    ):
        run(tmp_path)
    with pytest.raises(FileNotFoundError, match="--stop_stage 2 --overwrite true"):
        Input(tmp_path, "encoder").fingerprint()
    assert run(tmp_path, overwrite=True)
    assert (tmp_path / "model").read_text() == "model of 10"
    assert Input(tmp_path, "encoder").fingerprint() == downstream


def test_checkpoints_and_shards_may_go(tmp_path):
    run(tmp_path)
    downstream = Input(tmp_path, "encoder").fingerprint()
    shutil.rmtree(tmp_path / "checkpoint-4")
    shutil.rmtree(tmp_path / "shards")
    assert not run(tmp_path)
    assert Input(tmp_path, "encoder").fingerprint() == downstream


def test_who_reads_a_checkpoint_that_went_says_so(tmp_path):
    (tmp_path / "checkpoint-4").mkdir()
    assert checkpoint.of(tmp_path, "checkpoint-4") == tmp_path / "checkpoint-4"
    with pytest.raises(FileNotFoundError, match=r"checkpoint-8 is gone.*--checkpoint"):
        checkpoint.of(tmp_path, "checkpoint-8")


def test_a_file_that_was_written_beside_the_directory_is_promised_as_well(tmp_path):
    """score.json lies with the decodes, and is no output of theirs."""
    decodes, score = tmp_path / "decodes", tmp_path / "decodes" / "score"
    run(decodes)
    downstream = Input(decodes, "encoder").fingerprint()
    run(score, also=[decodes / "score.json"])
    (decodes / "score.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"decodes/score\.json is gone"):
        Input(score, "encoder").fingerprint()
    assert run(score, also=[decodes / "score.json"])
    (decodes / "model").unlink()
    assert run(decodes)
    assert Input(decodes, "encoder").fingerprint() == downstream


def test_a_moved_directory_keeps_its_promises(tmp_path):
    run(tmp_path / "a" / "made")
    (tmp_path / "a").rename(tmp_path / "b")
    assert not run(tmp_path / "b" / "made")


def test_a_directory_of_an_earlier_version_promised_nothing(tmp_path):
    run(tmp_path)
    done = read_json(tmp_path / "stage.json")
    del done["files"], done["audio_bytes"]
    write_json(tmp_path / "stage.json", done)
    (tmp_path / "tables" / "a").unlink()
    assert not run(tmp_path)


def test_an_option_that_has_left_the_fingerprint_makes_nothing_invalid(tmp_path):
    run(tmp_path, Options(size=1))
    downstream = Input(tmp_path, "encoder").fingerprint()
    assert not run(tmp_path, Later(size=2))
    (tmp_path / "model").unlink()
    assert run(tmp_path, Later(size=3))
    assert Input(tmp_path, "encoder").fingerprint() == downstream
    assert run(tmp_path, Later(steps=20))  # what still counts still does
    with pytest.raises(ValueError, match="option steps: was 20, is 10"):
        run(tmp_path, Later(steps=10))


def test_the_shell_asks_whether_a_shared_part_is_whole(tmp_path):
    def status(folder: Path) -> int:
        words = [sys.executable, "-m", "s2st_interleave.promises", str(folder)]
        return subprocess.run(words, check=False).returncode

    run(tmp_path)
    assert status(tmp_path) == 0
    (tmp_path / "model").unlink()
    assert status(tmp_path) == 1
    assert status(tmp_path / "nowhere") == 1
