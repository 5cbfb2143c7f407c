"""One and two ranks (gloo) compute the same, and one carries on what the other began.

Everything is done by the commands themselves, on two ranks under torchrun.
"""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_runs import HALF, HEADS, RUNS, STEPS, lines, torchrun
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save
from transformers import AutoModelForCausalLM, Wav2Vec2BertForCTC

from s2st_interleave.__main__ import main
from s2st_interleave.files import read_json
from s2st_interleave.llm import model as llm
from s2st_interleave.llm import unit_heads
from s2st_interleave.llm.options import TRAINED_FILE, VOCABULARY_FILE
from s2st_interleave.train import checkpoint
from s2st_interleave.vocoder import backends, base
from s2st_interleave.vocoder.hifigan import HifiganSizes
from s2st_interleave.vocoder.hifigan_net import Gan

WAYS = ("ddp", "fsdp")
pytestmark = pytest.mark.slow  # all together: as long as half of the quick suite
PARALLEL = [
    pytest.param(
        name, how, marks=() if name in ("llm", "encoder") else pytest.mark.nightly
    )
    for name in RUNS
    for how in WAYS
]


@pytest.fixture(scope="module")
def runs(
    corpus: Path, command: Callable[..., list[str]], python: Path
) -> Callable[[str], Path]:
    """Makes the runs of one name, once: whole on one rank and on two, and begun on one
    and ended on the other. They lie in the folder that it returns.
    """

    @cache
    def make(name: str) -> Path:
        assert main(command(name, f"{name} 1")) == 0
        assert main(command(name, f"{name} 1 begun", max_steps=HALF)) == 0
        todo = []
        for how in WAYS:
            shutil.copytree(corpus / f"{name} 1 begun", corpus / f"{name} 1 to {how}")
            todo += [
                command(name, f"{name} {how}", parallel=how),
                command(name, f"{name} {how} to 1", parallel=how, max_steps=HALF),
                command(name, f"{name} 1 to {how}", parallel=how),
            ]
        torchrun(corpus, todo, python)
        for how in WAYS:
            assert main(command(name, f"{name} {how} to 1")) == 0
        return corpus

    return make


def assert_same_metrics(one: Path, two: Path) -> None:
    assert len(lines(one)) == STEPS
    for a, b in zip(lines(one), lines(two), strict=True):
        assert b == pytest.approx(a, rel=1e-5)


@pytest.mark.parametrize(("name", "how"), PARALLEL)
def test_losses_and_norms_are_those_of_one_rank(runs, name, how):
    folder = runs(name)
    assert_same_metrics(folder / f"{name} 1", folder / f"{name} {how}")


@pytest.mark.parametrize(("name", "how"), PARALLEL)
def test_weights_are_those_of_one_rank(runs, name, how):
    folder = runs(name)
    one, two = (
        load_file(
            checkpoint.path(folder / f"{name} {end}", STEPS) / "model.safetensors"
        )
        for end in ("1", how)
    )
    assert one.keys() == two.keys()
    for key in one:
        torch.testing.assert_close(two[key], one[key], rtol=1e-5, atol=2e-6)


@pytest.mark.nightly
@pytest.mark.parametrize("how", WAYS)
def test_what_trains_is_what_is_kept_for_a_resumed_run(runs, how):
    """Sharded weights were all kept, as if they trained."""
    folder = runs("lora")
    one, two = (
        load_file(checkpoint.path(folder / f"lora {end}", STEPS) / TRAINED_FILE)
        for end in ("1", how)
    )
    assert one.keys() == two.keys() and all("lora_" in k or "tokens" in k for k in one)


@pytest.mark.parametrize(("name", "how"), PARALLEL)
def test_gradients_are_those_of_one_rank(runs, name, how):
    """Adam's first moment after the first step is a tenth of the clipped gradient."""
    folder = runs(name)
    one, two = (first_moments(folder / f"{name} {end}", name) for end in ("1", how))
    assert one.keys() == two.keys() and one
    largest = {key: gradient.abs().max().item() for key, gradient in one.items()}
    for key, gradient in one.items():
        # A bias of attention keys has no gradient but what rounding leaves.
        scale = max(largest[key], 1e-4 * max(largest.values()))
        torch.testing.assert_close(two[key], gradient, rtol=1e-5, atol=1e-5 * scale)


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
    if name in ("lora", "budget"):
        num_units = read_json(folder / VOCABULARY_FILE)["num_units"]
        rank = 4 if name == "lora" else 0
        made = llm.extend(run.parent / "llm", num_units, lora_rank=rank)
        unit_heads.add(made.model, made.vocabulary, HEADS)
        return made.model
    if name == "hifigan":
        description = read_json(folder / base.VOCODER_FILE)
        return Gan(base.read_timing(description), HifiganSizes.of(description))
    return read_back(folder, name)


def read_back(folder: Path, name: str) -> torch.nn.Module:
    """A checkpoint as whoever knows nothing of ranks reads it."""
    if name in ("llm", "budget", "lora"):
        return AutoModelForCausalLM.from_pretrained(folder)
    if name == "encoder":
        return Wav2Vec2BertForCTC.from_pretrained(folder)
    return backends.load(folder).model


@pytest.mark.parametrize(("name", "how"), PARALLEL)
def test_a_checkpoint_of_two_ranks_is_an_ordinary_model(runs, name, how):
    folder = runs(name)
    model = read_back(checkpoint.path(folder / f"{name} {how}", STEPS), name)
    whole = read_back(checkpoint.path(folder / f"{name} 1", STEPS), name)
    shapes = {key: p.shape for key, p in whole.named_parameters()}
    assert {key: p.shape for key, p in model.named_parameters()} == shapes
    assert all(p.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize(("name", "how"), PARALLEL)
def test_one_rank_carries_on_what_two_began_and_two_what_one(runs, name, how):
    folder = runs(name)
    for run in (f"{name} {how} to 1", f"{name} 1 to {how}"):
        assert_same_metrics(folder / f"{name} 1", folder / run)
        assert (folder / run / "stage.json").is_file()
