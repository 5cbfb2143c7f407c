"""The same seed computes the same for any workers, ranks, shards and restarts: one matrix.

A row is a stage, a column an axis; a cell says "same bits", a measured largest difference,
or "-" where the stage has no such axis. More of it: tests/train/test_parallel.py (gradients,
sharded weights, six kinds of training) and tests/test_identity.py (what was recorded).
"""

from functools import partial
from pathlib import Path

import pytest
import small_runs
import tiny_recipe
import torch
from safetensors.torch import load_file

from s2st_interleave.__main__ import main
from s2st_interleave.interleave import dump
from s2st_interleave.shards import run_shards
from s2st_interleave.stages import align, units
from s2st_interleave.train.checkpoint import path as checkpoint_of

HEAD = ["stage", "8 workers", "1 worker", "2 ranks", "3 shards", "7 shards", "resumed"]
TOLERANCE = 1e-5  # of losses over ranks, whose sums are rounded otherwise
ROWS: dict[str, dict[str, str]] = {}
pytestmark = pytest.mark.slow


def note(stage: str, axis: str, value: str) -> None:
    ROWS.setdefault(stage, {})[axis] = value


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, text_llm, small_dump: dump.Dump) -> Path:
    root = tmp_path_factory.mktemp("matrix")
    return small_runs.make_corpus(root, text_llm, small_dump)


@pytest.fixture(scope="module")
def command(corpus):
    return partial(small_runs.command, corpus)


@pytest.fixture(scope="module")
def plain(corpus, command):
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            assert main(command(name, f"{name} plain")) == 0
            made[name] = corpus / f"{name} plain"
        return made[name]

    return make


def weights(run: Path) -> dict[str, torch.Tensor]:
    (file,) = checkpoint_of(run, small_runs.STEPS).glob("*.safetensors")
    return load_file(file)


def same_bits(one: Path, two: Path) -> bool:
    ours, theirs = weights(one), weights(two)
    return small_runs.lines(one) == small_runs.lines(two) and all(
        torch.equal(ours[key], theirs[key]) for key in ours | theirs
    )


WORKERS = [(name, number) for name in ("llm", "encoder") for number in (1, 8)]
NIGHT = pytest.mark.nightly


@pytest.mark.parametrize(
    ("name", "number"),
    [pytest.param(*w, marks=() if w == ("llm", 1) else NIGHT) for w in WORKERS],
)
def test_any_number_of_workers_gives_the_same_bits(
    corpus, command, plain, name, number
):
    run = f"{name} {number} workers"
    assert main(command(name, run, num_workers=number)) == 0
    assert same_bits(plain(name), corpus / run)
    axis = "8 workers" if number == 8 else "1 worker"
    note(f"train {name}", axis, "same bits")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=() if n == "llm" else NIGHT)
        for n in ("llm", "lora", "encoder", "world", "hifigan")
    ],
)
def test_a_resumed_training_gives_the_same_bits(corpus, command, plain, name):
    run = f"{name} resumed"
    if name == "lora":
        pytest.importorskip("peft")
    for last in (small_runs.HALF, small_runs.STEPS):
        assert main(command(name, run, max_steps=last)) == 0
    files = [
        checkpoint_of(each, small_runs.STEPS) for each in (plain(name), corpus / run)
    ]
    for path in files[0].glob("*.safetensors"):
        assert path.read_bytes() == (files[1] / path.name).read_bytes()
    assert small_runs.lines(plain(name)) == small_runs.lines(corpus / run)
    note(f"train {name}", "resumed", "same bits")


@NIGHT
def test_two_ranks_differ_by_no_more_than_rounding(corpus, command, plain, python):
    names = ("llm", "lora", "encoder", "world", "hifigan")
    todo = [command(name, f"{name} 2 ranks") for name in names]
    small_runs.torchrun(corpus, todo, python)
    for name in names:
        far = largest(plain(name), corpus / f"{name} 2 ranks")
        assert far < TOLERANCE
        note(
            f"train {name}",
            "2 ranks",
            f"losses within {far:.0e}" if far else "same bits",
        )


def largest(one: Path, two: Path) -> float:
    """The largest difference between values of two metrics.jsonl, to their size."""
    pairs = zip(small_runs.lines(one), small_runs.lines(two), strict=True)
    return max(
        abs(a[key] - b[key]) / max(1e-8, abs(a[key])) for a, b in pairs for key in a
    )


def test_any_number_of_shards_gives_the_same_files(tmp_path):
    """Parts do not depend on jobs; here 1, 3 and 7 of them, one of which was killed."""
    names = [f"u{number:02}" for number in range(45)]

    def write(ids, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(" ".join(ids))

    made = []
    for jobs in (1, 3, 7):
        folder = tmp_path / str(jobs)
        for job in range(1, jobs):  # the last job never ran: the merge does its parts
            run_shards(names, folder, f"{job}/{jobs}", write, smallest=5)
        done = run_shards(names, folder, "", write, smallest=5)
        assert done is not None
        made.append([path.read_bytes() for path in done.paths])
    assert made[0] == made[1] == made[2]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, text_llm) -> Path:
    root = tmp_path_factory.mktemp("recipe")
    tiny_recipe.make(root, text_llm)
    return root


@NIGHT
@pytest.mark.parametrize("jobs", [3, 7])
def test_any_number_of_shards_gives_the_same_words_and_units(recipe, monkeypatch, jobs):
    for module in (align, units):
        monkeypatch.setattr(module, "SMALLEST_PART", 1)
    shared = {
        "data_dir": recipe / "data",
        "encoder": recipe / "exp/encoder",
        **tiny_recipe.CPU,
    }
    words = {"drop": False, "min_median_score": None}
    kinds = (
        (align, align.Options, words, "words.*.jsonl"),
        (units, units.Options, {"kmeans": recipe / "exp/kmeans"}, "units.*.ark"),
    )
    for module, options, more, pattern in kinds:
        name = module.__name__.rpartition(".")[2]
        out = recipe / "sharded" / str(jobs) / name
        for shard in (*(f"{job}/{jobs}" for job in range(jobs + 1)), ""):
            module.run(options(**shared, **more, out_dir=out, shard=shard))
        for path in out.glob(pattern):
            assert (
                path.read_bytes() == (recipe / "dump" / name / path.name).read_bytes()
            )
        note(name, f"{jobs} shards", "same bits")


@NIGHT
def test_the_matrix_is_kept(count):
    """It comes last. One processor is at hand: two of different kinds were not compared."""
    table = [HEAD]
    for stage, cells in sorted(ROWS.items()):
        table.append([stage, *(cells.get(axis, "-") for axis in HEAD[1:])])
    cells = [cell for row in table[1:] for cell in row[1:] if cell != "-"]
    bits = sum(cell == "same bits" for cell in cells)
    about = {"cells": len(cells), "same_bits": bits, "two_processors": "not compared"}
    count("determinism", **about, table=table)
    assert cells
