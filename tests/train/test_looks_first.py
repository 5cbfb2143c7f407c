"""Ranks are started only where there is something to do: torchrun takes seconds."""

import sys

import pytest

from s2st_interleave.stage_dir import DONE, EXIT_UNFINISHED
from s2st_interleave.train import torchrun

STAGE = """
import sys
from dataclasses import dataclass
from pathlib import Path
from s2st_interleave import config
from s2st_interleave.config import REQUIRED, RunOptions, option
from s2st_interleave.errors import script
from s2st_interleave.stage_dir import open_stage

@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    out_dir: Path = option(REQUIRED, "")
    lr: float = option(0.1, "")

def main():
    options = config.parse(Options, sys.argv[1:], prog="train")
    stage = open_stage(options.out_dir, stage="train", options=options, inputs={},
                       overwrite=options.overwrite)
    if stage:
        (options.out_dir / "weights").write_text("1")
        stage.finish(num_in=1, num_out=1)

sys.exit(script("train", main))
"""


@pytest.fixture
def stage(tmp_path):
    """The words of a training without ranks, and the folder that it fills."""
    program, out = tmp_path / "train.py", tmp_path / "exp"
    program.write_text(STAGE)
    return [str(program), "--out_dir", str(out)], out


def files(folder):
    return {p.name: p.stat().st_mtime_ns for p in folder.rglob("*")}


def test_a_look_tells_whether_there_is_something_to_do_and_does_nothing(stage, capfd):
    words, out = stage
    command = [sys.executable, *words]
    assert torchrun.look(command) == EXIT_UNFINISHED and not out.exists()
    torchrun.subprocess.run(command, check=True)
    before = files(out)
    assert torchrun.look(command) == 0
    assert torchrun.look([*command, "--lr", "0.2"]) == 1
    assert (
        torchrun.look([*command, "--lr", "0.2", "--overwrite", "true"])
        == EXIT_UNFINISHED
    )
    assert files(out) == before
    assert "is up to date" in capfd.readouterr().out
    (out / "weights").unlink()
    assert torchrun.look(command) == EXIT_UNFINISHED and (out / DONE).is_file()


def test_a_finished_training_starts_no_ranks(stage, monkeypatch, capfd):
    words, _ = stage
    torchrun.subprocess.run([sys.executable, *words], check=True)
    monkeypatch.setitem(
        sys.modules, "torch.distributed.run", None
    )  # not to be imported
    options = ["--if_unfinished", "--standalone", "--nproc_per_node", "2"]
    assert torchrun.main([*options, *words]) == 0
    assert "is up to date, skipped" in capfd.readouterr().out
    assert (
        torchrun.main([*options, *words, "--lr", "x"]) == 2
    )  # said once, not by each rank
