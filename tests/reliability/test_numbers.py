"""Losses that are not finite, and trainings that learn nothing: told, kept, left out."""

import json
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pytest
import small_runs
import spoiled
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from spoiled import BAD, spoil

from s2st_interleave.__main__ import main
from s2st_interleave.train import bad_steps, checkpoint

STEPS = 6
LONG = {"max_steps": STEPS, "save_every": 2, "eval_every": 3, "keep_last": STEPS}
pytestmark = pytest.mark.slow
# In a step of 4 of 10 utterances the bad one is not always there.
SOME = LONG | {"batch_size": 4, "accum_grad": 2}
VOICE = LONG | {"batch_size": 4}
KINDS = {"encoder": SOME, "world": VOICE | {"world.accum_grad": 2}, "hifigan": VOICE}
night = [
    pytest.param(name, marks=() if name == "encoder" else pytest.mark.nightly)
    for name in KINDS
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, text_llm, small_dump) -> Iterator[Path]:
    """The small corpus, of which one utterance of train is bad."""
    with pytest.MonkeyPatch.context() as patch:
        spoil(patch.setattr)
        root = tmp_path_factory.mktemp("bad")
        yield small_runs.make_corpus(root, text_llm, small_dump)


@pytest.fixture(scope="module")
def command(corpus) -> Callable[..., list[str]]:
    return partial(small_runs.command, corpus)


def bad_of(run: Path) -> list[int]:
    lines = small_runs.lines(run)
    return [int(line["step"]) for line in lines if bad_steps.KEY in line]


def kept(run: Path) -> list[int]:
    return sorted(int(p.name.split("-")[1]) for p in (run / "bad_steps").iterdir())


def weights(run: Path, step: int = STEPS) -> dict[str, torch.Tensor]:
    return load_file(checkpoint.path(run, step) / "model.safetensors")


@pytest.fixture(scope="module")
def whole(corpus, command) -> Callable[[str], Path]:
    """A run in one go that leaves bad steps out, of a kind of training, made once."""

    @cache
    def make(name: str) -> Path:
        words = command(name, f"{name} whole", **KINDS[name], max_bad_steps=STEPS)
        assert main(words) == 0
        return corpus / f"{name} whole"

    return make


@pytest.mark.parametrize("name", night)
def test_a_step_that_is_not_finite_stops_and_is_kept(
    corpus, command, whole, capsys, name
):
    first = kept(whole(name))[0]
    capsys.readouterr()
    run = corpus / f"{name} stopped"
    assert main(command(name, run.name, **KINDS[name])) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    (step,) = kept(run)
    assert step == first
    assert (
        f"step {step}: loss nan" in line
        and str(run / "bad_steps" / f"step-{step}") in line
    )
    assert BAD in line and "--max_bad_steps 10" in line
    told = json.loads((run / "bad_steps" / f"step-{step}" / "step.json").read_text())
    bad = [part for part in told["micro_batches"] if isinstance(part["loss"], str)]
    assert told["step"] == step and bad
    assert all(any(BAD in name for name in part["ids"]) for part in bad)
    place = run / "bad_steps" / f"step-{step}" / "rank0.safetensors"
    with safe_open(place, "pt") as tensors:
        names = set(tensors.keys())
    assert {key.split(".")[0] for key in names} >= {str(part["number"]) for part in bad}


@pytest.mark.parametrize("name", night)
def test_a_stopped_training_goes_on_without_bad_steps_to_the_bits_of_one_in_one_go(
    corpus, command, whole, name
):
    one, again = whole(name), corpus / f"{name} again"
    options = KINDS[name] | {"max_bad_steps": STEPS}
    assert main(command(name, again.name, **KINDS[name])) == 1
    assert main(command(name, again.name, **options)) == 0
    assert bad_of(one) == bad_of(again) == kept(one)
    assert 0 < len(kept(one)) < STEPS
    assert small_runs.lines(one) == small_runs.lines(again)
    ours, theirs = weights(one), weights(again)
    assert all(torch.equal(ours[key], theirs[key]) for key in ours | theirs)
    assert all(tensor.isfinite().all() for tensor in ours.values())


def test_the_limit_holds_over_restarts(corpus, command, whole, capsys):
    run = corpus / "limit"
    first, second, *_ = kept(whole("encoder"))
    for _ in range(2):
        options = SOME | {"max_bad_steps": 1, "save_every": 1}
        assert main(command("encoder", run.name, **options)) == 1
        assert f"step {second}: " in capsys.readouterr().err
        assert max(checkpoint.by_step(run)) == second
    assert kept(run) == [first, second]


@pytest.mark.nightly
@pytest.mark.parametrize("how", ["ddp", "fsdp"])
def test_two_ranks_leave_out_the_same_steps_as_one(corpus, command, whole, python, how):
    options = SOME | {"max_bad_steps": STEPS}
    one, two = whole("encoder"), corpus / f"two {how}"
    words = command("encoder", two.name, **options, parallel=how)
    script = Path(spoiled.__file__)
    copy = script.read_text()
    done = small_runs.two_ranks(
        corpus / "spoiled_ranks.py", copy, *words, python=python
    )
    assert done.returncode == 0, done.stdout
    assert bad_of(two) == bad_of(one) != []
    first = min(kept(two))
    files = sorted(p.name for p in (two / "bad_steps" / f"step-{first}").iterdir())
    assert files == ["rank0.safetensors", "rank1.safetensors", "step.json"]
    for key, tensor in weights(one).items():
        torch.testing.assert_close(weights(two)[key], tensor, rtol=1e-5, atol=2e-6)


def test_a_learning_rate_that_is_huge_ends_with_good_checkpoints_alone(
    corpus, command, capsys
):
    """Weights overflow, and the next loss is nan: nothing of that is saved."""
    run = corpus / "huge"
    assert main(command("llm", run.name, **LONG | {"lr": 1e30, "save_every": 1})) == 1
    told = capsys.readouterr().err
    assert "not finite" in told and "lower --lr" in told
    for step in checkpoint.by_step(run):
        assert all(tensor.isfinite().all() for tensor in weights(run, step).values())


@pytest.mark.nightly
def test_counts_of_numbers_are_kept(corpus, count):
    """It comes last: runs with bad steps, and steps kept of them."""
    runs = [path.parent for path in corpus.glob("*/bad_steps")]
    left_out = [bad_of(run) for run in runs if (run / "stage.json").is_file()]
    count(
        "numbers",
        runs_with_bad_steps=len(runs),
        steps_kept=sum(len(kept(run)) for run in runs),
        steps_left_out=sum(map(len, left_out)),
        bad_checkpoints=0,
    )
    assert runs
