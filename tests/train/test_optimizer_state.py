"""An optimizer's state is read without a copy in memory, and kept where it is needed."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_loop import Pair

from s2st_interleave.errors import UserError
from s2st_interleave.train import checkpoint
from s2st_interleave.train.loop import fit
from s2st_interleave.train.options import LoopOptions

OPTIONS = LoopOptions(max_steps=6, save_every=2, eval_every=6, keep_last=3)


def states(directory: Path) -> list[int]:
    kept = checkpoint.by_step(directory).items()
    return [step for step, folder in sorted(kept) if (folder / "optimizer.pt").exists()]


def test_a_finished_training_keeps_the_state_that_goes_on(tmp_path):
    fit(Pair(), OPTIONS, tmp_path / "last")
    assert states(tmp_path / "last") == [6]
    fit(Pair(), replace(OPTIONS, keep_optimizer="all"), tmp_path / "all")
    assert states(tmp_path / "all") == [2, 4, 6]
    longer = fit(Pair(), replace(OPTIONS, max_steps=8), tmp_path / "last")
    whole = fit(Pair(), replace(OPTIONS, max_steps=8), tmp_path / "whole")
    name = "model.safetensors"
    assert (longer.last / name).read_bytes() == (whole.last / name).read_bytes()
    assert states(tmp_path / "last") == [8]


def test_a_copy_beside_the_checkpoints_is_none_of_them(tmp_path):
    """`checkpoint-4-mine` was removed as checkpoint 4, and `checkpoint-4.bak` an error."""
    fit(Pair(), OPTIONS, tmp_path)
    for name in ("checkpoint-4-mine", "checkpoint-4.bak", "checkpoint-good"):
        shutil.copytree(checkpoint.path(tmp_path, 4), tmp_path / name)
    fit(Pair(), replace(OPTIONS, max_steps=8, keep_last=1), tmp_path)
    assert sorted(checkpoint.by_step(tmp_path)) == [8]
    assert (tmp_path / "checkpoint-4-mine" / checkpoint.META).is_file()


def test_a_checkpoint_without_its_state_says_why(tmp_path):
    fit(Pair(), OPTIONS, tmp_path)
    (checkpoint.path(tmp_path, 6) / checkpoint.META).unlink()
    with pytest.raises(
        UserError, match="checkpoint-4: no optimizer state, which a fin"
    ):
        fit(Pair(), replace(OPTIONS, max_steps=8), tmp_path)


def test_reading_a_state_takes_no_memory_of_its_size(tmp_path):
    """Each of eight ranks read 7 GB or more, and the machine killed them."""
    parameter = torch.nn.Parameter(torch.zeros(8_000_000))
    optimizer = torch.optim.AdamW([parameter], foreach=False)
    parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    file = tmp_path / "optimizer.pt"
    torch.save(optimizer.state_dict(), file)
    before = anonymous_bytes()
    state = checkpoint._mapped(file)
    moment = state["state"][0]["exp_avg"]
    assert moment[-1].item() == pytest.approx(0.1)
    assert anonymous_bytes() - before < file.stat().st_size / 10


def anonymous_bytes() -> int:
    """Memory of this process that no file backs."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024


def test_on_a_gpu_the_numbers_of_steps_let_the_file_go():
    """They stayed views of it, and a file system of a network could not remove it."""
    state = {"state": {0: {"step": torch.tensor(4.0), "exp_avg": torch.ones(3)}}}
    copied = checkpoint._copied(state, only_steps=True)["state"][0]
    assert copied["step"] == 4 and copied["exp_avg"] is state["state"][0]["exp_avg"]
    assert copied["step"].data_ptr() != state["state"][0]["step"].data_ptr()
