"""The loop trains whatever brings its own step: here two networks that take turns."""

import json
import os
import shutil
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_model
from torch import nn

from s2st_interleave.errors import UserError
from s2st_interleave.files import file_digest, write_json
from s2st_interleave.train import checkpoint, checksums
from s2st_interleave.train.loop import StepResult, fit
from s2st_interleave.train.options import LoopOptions

OPTIONS = LoopOptions(max_steps=7, lr=0.1, save_every=2, eval_every=5, log_every=100)


@dataclass
class Pair:
    """Each network follows the other; dropout is that of the step."""

    shown = ("first", "second")

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])

    def start(self, mode: str) -> None:
        self.optimizer = torch.optim.Adam(self.model.parameters())

    def step(self, step: int, lr: float) -> StepResult:
        inputs = nn.functional.dropout(torch.ones(2, 4))
        metrics = {}
        for name, mine, other in (("first", 0, 1), ("second", 1, 0)):
            self.optimizer.zero_grad()
            target = self.model[other](inputs).detach()
            loss = (self.model[mine](inputs) - target).square().sum()
            loss.backward()
            self.optimizer.step()
            metrics[name] = loss.item()
        return StepResult(2, metrics)

    def evaluate(self) -> dict[str, float]:
        return {"loss": self.model[0].weight.square().sum().item()}

    def save(self, directory: Path) -> None:
        save_model(self.model, directory / "model.safetensors")

    def checker(self):
        return lambda directory: None


def metrics(directory: Path) -> list[dict]:
    texts = (directory / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(t).items() if k != "sec"} for t in texts]


def test_it_is_resumed_to_the_same_bits(tmp_path):
    whole = fit(Pair(), OPTIONS, tmp_path / "whole")
    fit(Pair(), replace(OPTIONS, max_steps=4), tmp_path / "stopped")
    resumed = fit(Pair(), OPTIONS, tmp_path / "stopped")
    name = "model.safetensors"
    assert (whole.last / name).read_bytes() == (resumed.last / name).read_bytes()
    lines = metrics(tmp_path / "whole")
    losses = [(x["first"], x["second"], x["tokens_seen"]) for x in lines]
    again = metrics(tmp_path / "stopped")
    assert losses == [(x["first"], x["second"], x["tokens_seen"]) for x in again]


@dataclass
class Stopped(Pair):
    """Asks itself to stop in the midst of a step."""

    last: int = 0

    def step(self, step: int, lr: float) -> StepResult:
        if step + 1 == self.last:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().step(step, lr)


def test_a_training_that_signals_stopped_keeps_the_same_checkpoints(tmp_path):
    options = replace(OPTIONS, keep_last=2)
    fit(Pair(), options, tmp_path / "whole")
    before = signal.getsignal(signal.SIGTERM)
    for stop in (1, 3, 4, 5):
        with pytest.raises(SystemExit):
            fit(Stopped(stop), options, tmp_path / "stopped")
        signal.signal(signal.SIGTERM, before)
        assert max(checkpoint.by_step(tmp_path / "stopped")) == stop
    fit(Pair(), options, tmp_path / "stopped")
    kept = [checkpoint.by_step(tmp_path / name).keys() for name in ("whole", "stopped")]
    assert kept[0] == kept[1]


def test_metrics_are_written_as_often_as_asked_and_where_dev_is_scored(
    tmp_path, capsys
):
    fit(Pair(), OPTIONS, tmp_path, metrics_every=3)
    lines = metrics(tmp_path)
    assert [line["step"] + 1 for line in lines] == [3, 5, 6, 7]
    assert [line["step"] + 1 for line in lines if "dev_loss" in line] == [5, 7]
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in printed] == ["5/7", "7/7"]
    assert all(" steps/s" in line for line in printed)
    assert all("first " in line and "dev_loss " in line for line in printed)


@pytest.mark.parametrize("name", ["checkpoint-5", "checkpoint-260"])
def test_a_checkpoint_of_another_training_is_not_gone_on_from(tmp_path, name):
    """checkpoint-5 of a meta.json that said step 260 "finished" a training of 8 steps."""
    fit(Pair(), replace(OPTIONS, max_steps=4), tmp_path)
    folder = tmp_path / name
    shutil.copytree(checkpoint.path(tmp_path, 4), folder)
    (folder / "sha256.json").unlink()
    meta = json.loads((folder / "meta.json").read_text())
    write_json(folder / "meta.json", meta | {"step": 260})
    with pytest.raises(UserError, match=rf"{name} is of step 260 by its meta\.json"):
        fit(Pair(), replace(OPTIONS, max_steps=8), tmp_path)


def test_a_checkpoint_of_another_finished_training_is_not_read(tmp_path):
    """Checkpoints of two trainings that were swapped proved themselves."""
    last = [fit(Pair(), OPTIONS, tmp_path / name).last for name in ("a", "b")]
    for path in last:
        digests = {f"{path.name}/{p.name}": file_digest(p) for p in path.glob("model*")}
        write_json(path.parent / "stage.json", {"digests": digests})
        assert checkpoint.of(path.parent, path.name) == path
    weights = last[0] / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    checksums.write(last[0])
    with pytest.raises(UserError, match="or of another training: copy it again"):
        checkpoint.of(last[0].parent, last[0].name)
