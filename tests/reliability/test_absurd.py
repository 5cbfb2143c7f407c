"""Numbers that are finite and absurd end in a line, or do no harm (numbers)."""

from functools import partial

import pytest
import small_runs
from safetensors.torch import load_file

from s2st_interleave.__main__ import main
from s2st_interleave.errors import explained
from s2st_interleave.train import checkpoint

ABSURD = [
    (
        "llm",
        {"lr": 1e38},
        "learning rate 1e+38 the optimizer's step is beyond all floats",
    ),
    ("llm", {"lr": 1e308}, "weights are not finite"),
    ("llm", {"weight_decay": 1e308}, "lower --lr or weight decay"),
    ("lora", {"lora_alpha": 1e38}, "set --lora_rank 0"),
    ("lora", {"weight_decay": 1e38}, "lower --lr or weight decay"),
    ("encoder", {"lr": 1e38}, "lower --lr, with another tag"),
    ("world", {"lr": 1e38}, "lower --lr, with another tag"),
    ("world", {"world.weight_decay": 1e38}, "not finite"),
    ("hifigan", {"lr": 1e38}, "not finite"),
]
HARMLESS = [
    {"max_grad_norm": 1e308},
    {"warmup_steps": 10**17},
    {"max_grad_norm": 1e-300},
]


def of_night(cases: list) -> list:
    """The cases, of which the first alone is none for the night."""
    return [cases[0], *(pytest.param(*c, marks=pytest.mark.nightly) for c in cases[1:])]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, text_llm, small_dump):
    root = tmp_path_factory.mktemp("absurd")
    return small_runs.make_corpus(root, text_llm, small_dump)


@pytest.fixture(scope="module")
def command(corpus):
    return partial(small_runs.command, corpus)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options", "message"), of_night(ABSURD))
def test_numbers_that_are_absurd_end_in_a_line(
    corpus, command, capsys, name, options, message
):
    """`--lr 1e38` ended in a traceback: AdamW's step was no float."""
    run = f"{name} {options}"
    assert main(command(name, run, **options)) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("error: ") and message in line
    assert not (corpus / run / "stage.json").exists()


@pytest.mark.nightly
@pytest.mark.parametrize("options", HARMLESS)
def test_a_clip_or_a_warm_up_that_is_absurd_harms_no_weight(corpus, command, options):
    run = corpus / f"{options}"
    assert main(command("llm", run.name, **options)) == 0
    (file,) = checkpoint.path(run, small_runs.STEPS).glob("*.safetensors")
    assert all(tensor.isfinite().all() for tensor in load_file(file).values())


def test_a_width_beyond_all_memory_is_told_as_such():
    """`--hifigan.channels` of 18 digits ended in a traceback."""
    error = RuntimeError("Storage size calculation overflowed with sizes=[10, 8, 7]")
    assert "no memory left" in explained(error)
