"""One and two ranks (gloo) compute the same, and one carries on what the other began.

Everything is done by the commands themselves, on two ranks under torchrun.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_runs import HALF, RUNS, STEPS, lines, torchrun
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save
from transformers import AutoModelForCausalLM, Wav2Vec2BertForCTC

from s2st_interleave.__main__ import main
from s2st_interleave.files import read_json
from s2st_interleave.llm import model as llm
from s2st_interleave.llm.options import TRAINED_FILE, VOCABULARY_FILE
from s2st_interleave.train import checkpoint
from s2st_interleave.vocoder import backends, base
from s2st_interleave.vocoder.hifigan import HifiganSizes
from s2st_interleave.vocoder.hifigan_net import Gan

PARALLEL = [(name, mode) for name in RUNS for mode in ("ddp", "fsdp")]


@pytest.fixture(scope="module")
def runs(corpus: Path, command: Callable[..., list[str]]) -> Path:
    """All runs: whole on one rank and on two, and begun on one and ended on the other."""
    todo = []
    for name in RUNS:
        assert main(command(name, f"{name} 1")) == 0
        assert main(command(name, f"{name} 1 begun", max_steps=HALF)) == 0
    for name, mode in PARALLEL:
        shutil.copytree(corpus / f"{name} 1 begun", corpus / f"{name} 1 to {mode}")
        second = {"parallel": mode}
        todo.append(command(name, f"{name} {mode}", **second))
        todo.append(command(name, f"{name} {mode} to 1", **second, max_steps=HALF))
        todo.append(command(name, f"{name} 1 to {mode}", **second))
    torchrun(corpus, todo)
    for name, mode in PARALLEL:
        assert main(command(name, f"{name} {mode} to 1")) == 0
    return corpus


def assert_same_metrics(first: Path, second: Path) -> None:
    assert len(lines(first)) == STEPS
    for a, b in zip(lines(first), lines(second), strict=True):
        assert b == pytest.approx(a, rel=1e-5)


@pytest.mark.parametrize(("name", "mode"), PARALLEL)
def test_losses_and_norms_are_those_of_one_rank(runs, name, mode):
    assert_same_metrics(runs / f"{name} 1", runs / f"{name} {mode}")


@pytest.mark.parametrize(("name", "mode"), PARALLEL)
def test_weights_are_those_of_one_rank(runs, name, mode):
    first, second = (
        load_file(checkpoint.path(runs / f"{name} {end}", STEPS) / "model.safetensors")
        for end in ("1", mode)
    )
    assert first.keys() == second.keys()
    for key in first:
        torch.testing.assert_close(second[key], first[key], rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("mode", ["ddp", "fsdp"])
def test_what_trains_is_what_is_kept_for_a_resumed_run(runs, mode):
    """Sharded weights were all kept, as if they trained."""
    first, second = (
        load_file(checkpoint.path(runs / f"lora {end}", STEPS) / TRAINED_FILE)
        for end in ("1", mode)
    )
    assert first.keys() == second.keys() and all(
        "lora_" in k or "tokens" in k for k in first
    )


@pytest.mark.parametrize(("name", "mode"), PARALLEL)
def test_gradients_are_those_of_one_rank(runs, name, mode):
    """Adam's first moment after the first step is a tenth of the clipped gradient."""
    first, second = (first_moments(runs / f"{name} {end}", name) for end in ("1", mode))
    assert first.keys() == second.keys() and first
    largest = {key: gradient.abs().max().item() for key, gradient in first.items()}
    for key, gradient in first.items():
        # A bias of attention keys has no gradient but what rounding leaves.
        scale = max(largest[key], 1e-4 * max(largest.values()))
        torch.testing.assert_close(second[key], gradient, rtol=1e-5, atol=1e-5 * scale)


def first_moments(run: Path, name: str) -> dict[str, torch.Tensor]:
    folder = checkpoint.path(run, 1)
    if (folder / checkpoint.SHARDS).is_dir():
        dcp_to_torch_save(folder / checkpoint.SHARDS, run / "whole.pt")
        whole = torch.load(run / "whole.pt", weights_only=True)
        return {
            k.rpartition("/")[0]: v for k, v in whole.items() if k.endswith("/exp_avg")
        }
    state = torch.load(folder / checkpoint.OPTIMIZER, weights_only=True)
    names = [key for key, _ in trained_model(run, folder, name).named_parameters()]
    return {names[k]: v["exp_avg"] for k, v in state["state"].items()}


def trained_model(run: Path, folder: Path, name: str) -> torch.nn.Module:
    """With the parameters that the optimizer has: a checkpoint may have others."""
    if name == "lora":
        num_units = read_json(folder / VOCABULARY_FILE)["num_units"]
        return llm.extend(run.parent / "llm", num_units, lora_rank=4).model
    if name == "hifigan":
        description = read_json(folder / base.VOCODER_FILE)
        return Gan(base.read_timing(description), HifiganSizes.of(description))
    return read_back(folder, name)


def read_back(folder: Path, name: str) -> torch.nn.Module:
    """A checkpoint as whoever knows nothing of ranks reads it."""
    if name in ("llm", "lora"):
        return AutoModelForCausalLM.from_pretrained(folder)
    if name == "encoder":
        return Wav2Vec2BertForCTC.from_pretrained(folder)
    return backends.load(folder).model


@pytest.mark.parametrize(("name", "mode"), PARALLEL)
def test_a_checkpoint_of_two_ranks_is_an_ordinary_model(runs, name, mode):
    model = read_back(checkpoint.path(runs / f"{name} {mode}", STEPS), name)
    whole = read_back(checkpoint.path(runs / f"{name} 1", STEPS), name)
    shapes = {key: p.shape for key, p in whole.named_parameters()}
    assert {key: p.shape for key, p in model.named_parameters()} == shapes
    assert all(p.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize(("name", "mode"), PARALLEL)
def test_one_rank_carries_on_what_two_began_and_two_what_one(runs, name, mode):
    for run in (f"{name} {mode} to 1", f"{name} 1 to {mode}"):
        assert_same_metrics(runs / f"{name} 1", runs / run)
        assert (runs / run / "stage.json").is_file()
