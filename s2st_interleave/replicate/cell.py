"""Runs one cell through its pair's recipe, and stores its scores as text."""

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from s2st_interleave import record_file
from s2st_interleave.data import kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json, remove_tree, write_json
from s2st_interleave.provenance import git_state
from s2st_interleave.record import digest
from s2st_interleave.replicate.grid import Cell, Grid
from s2st_interleave.replicate.statistics import significant
from s2st_interleave.stage_dir import read_done

CHECKPOINTS = ("last", "best")
CURVE = ("step", "loss", "dev_loss", "dev_accuracy", "tokens_seen", "sec", "text_ratio")
LOSSES = ("dev_loss_text", "dev_loss_units")  # of tasks that have both
PROBES = ("probe_length_ratio_src", "probe_length_ratio_tgt")
PROBES += ("similarity_src", "similarity_text", "similarity_tgt")
NUM_DIGITS = 5


def command(grid: Grid, cell: Cell, exp: Path, more: Sequence[str] = ()) -> list[str]:
    """The words that start the recipe with a cell's options, in its pair's folder.

    `exp` is the cell's experiment folder, `more` are further options.
    """
    recipe = grid.recipe
    options = recipe.options
    if cell.llm:
        options = {**options, **recipe.llm_options}
    if cell.units:
        options = {**options, **recipe.units_options}
    places = {
        "grid": grid.folder.name,
        "shared": str(grid.shared(cell.pair)),
        "src": recipe.source(cell.pair),
        "expdir": str(exp),
    } | asdict(cell)
    places["num_train"] = cell.num_train or grid.sizes.get(cell.pair, 0)
    words = (
        word
        for name, text in options.items()
        for word in (f"--{name}", text.format(**places))
    )
    return [recipe.script, *words, *more]


def run(grid: Grid, cell: Cell, more: Sequence[str] = ()) -> None:
    """Train and score a cell unless its result is stored; a run that was stopped goes on.

    `more` are options of the recipe that change no score, such as the device. Raises
    UserError when the recipe fails, or when its configuration was changed meanwhile.
    """
    folder = grid.recipe.folder / cell.pair
    shared = grid.shared(cell.pair)
    cells = shared / "exp/cells"
    if grid.result(cell) is None:
        identity, git = grid.identity(cell), git_state()
        before = _known_build(grid, cell.pair)
        # The identity in the name keeps runs with other options from going on.
        exp = cells / f"{cell.name}-{identity[:8]}"
        started = time.time()
        settings = {
            name: text.format(grid=grid.folder.name, shared=shared)
            for name, text in grid.recipe.environment.items()
        }
        done = subprocess.run(
            command(grid, cell, exp, more), cwd=folder, env=os.environ | settings
        )
        if done.returncode:
            raise UserError(f"{cell.name}: its recipe ended with {done.returncode}")
        if grid.identity(cell) != identity:
            raise UserError(f"{cell.name}: conf was changed while it ran; run it again")
        models = build(grid, cell.pair)
        if before not in ("", models):
            raise UserError(
                f"{cell.name}: the shared models were made anew while it ran; run it again"
            )
        result = collect(folder / exp, grid.recipe.test, cell) | {
            "identity": identity,
            "recipe": grid.recipe_identity,
            "git": git,
            "build": models,
            "wall_sec": round(time.time() - started, 1),
        }
        write_json(grid.place(cell), result)
    if not grid.recipe.keep:  # the scores are stored: remove checkpoints and audio
        for experiment in (folder / cells).glob(f"{cell.name}-*"):
            remove_tree(experiment)
    print(progress_line(grid, cell), flush=True)


def build(grid: Grid, pair: str) -> str:
    """Hash of the shared models' outputs: those of another machine differ in the last bits."""
    places = [grid.models(pair) / part / "stage.json" for part in grid.recipe.parts]
    return digest([record_file.read(place)["outputs"] for place in places])


def _known_build(grid: Grid, pair: str) -> str:
    """The same; "" where the shared models are not made yet."""
    try:
        return build(grid, pair)
    except FileNotFoundError:
        return ""


def build_warning(grid: Grid, pair: str) -> str:
    """What to know before cells of `pair` are run beside stored ones of other builds.

    "" where no stored cell of the pair had other shared models than those made here, or
    where those are not made yet. Scores of two builds differ by their encoders as well:
    once by 12 ASR-BLEU, by the same settings and seeds on two machines.
    """
    here = _known_build(grid, pair)
    if not here:
        return ""
    results = (grid.result(cell) for cell in grid.cells if cell.pair == pair)
    others = Counter(result["build"] for result in results if result)
    others.pop(here, None)
    if not others:
        return ""
    stored = ", ".join(f"{count} of {digest[:8]}" for digest, count in others.items())
    return (
        f"warning: {pair}: the shared models made here are build {here[:8]}, its stored cells "
        f"are {stored}. Scores of two builds differ by their encoders too; the page shows "
        "such comparisons as 'differs'. To compare cells fairly, take the models of the stored "
        f"ones, or give yours a grid of their own, from a copy of {grid.folder.name}/grid.yaml"
    )


def keep_topline(grid: Grid, pair: str) -> None:
    """Store a pair's toplines and references as text."""
    recipe = grid.recipe
    shared = recipe.folder / pair / grid.shared(pair)
    score = read_json(shared / "exp" / "topline" / recipe.test / "score.json")
    spoken = read_json(shared / recipe.cascade)["asr_bleu"] if recipe.cascade else None
    texts = kaldi.DataDir(shared / "data" / recipe.test).texts(recipe.tgt_lang)
    kept = {"score": score, "cascade_asr_bleu": spoken, "references": texts}
    identity = {
        "identity": grid.topline_identity(pair),
        "recipe": grid.recipe_identity,
    }
    write_json(grid.topline_place(pair), kept | identity)


def collect(exp: Path, test: str, cell: Cell) -> dict[str, Any]:
    """The parts of a finished cell that the page, its figures and its tests need."""
    trained = exp / cell.system
    done = read_done(trained, "train")
    metrics = _lines(trained / "metrics.jsonl")
    looks = [line for line in metrics if "dev_loss" in line]
    losses = [name for name in LOSSES if all(name in line for line in looks)]
    return {
        "inputs": done["inputs"],
        "num_train": done["counts"]["in"],
        "train": done["facts"],
        "seconds_per_system": done["wall_sec"],
        "scores": {
            name: _scores(trained / f"greedy_{name}" / test) for name in CHECKPOINTS
        },
        "curve": _columns(looks, (*CURVE, *losses)),
        "probes": _columns(
            [m for m in metrics if "similarity_src" in m],
            ("step", "text_ratio", *PROBES),
        ),
    }


def _lines(path: Path) -> list[dict[str, float]]:
    return [json.loads(text) for text in path.read_text("utf-8").splitlines()]


def _columns(
    rows: Iterable[Mapping[str, float]], names: Iterable[str]
) -> dict[str, list[float]]:
    rows = list(rows)
    return {n: [significant(r[n], NUM_DIGITS) for r in rows] for n in names}


def _scores(decode: Path) -> dict[str, Any]:
    """score.json, with transcripts of the answers and their MOS by utterance id."""
    table = (decode / "score" / "utterances.tsv").read_text("utf-8").splitlines()
    names, *rows = (line.split("\t") for line in table)
    ratings = {row[0]: row[names.index("mos")] for row in rows if "mos" in names}
    return read_json(decode / "score.json") | {
        "hyp": kaldi.read_table(decode / "score" / "hyp"),
        "utterance_mos": {u: float(r) for u, r in sorted(ratings.items()) if r},
    }


def progress_line(grid: Grid, cell: Cell) -> str:
    """A line with a cell's score, the number of finished cells, and the hours left."""
    results = {c.name: grid.result(c) for c in grid.cells}
    done = [result for result in results.values() if result]
    result = results[cell.name]
    assert result is not None
    bleu = result["scores"]["last"]["asr_bleu"]
    num_left = len(results) - len(done)
    hours = num_left * sum(stored["wall_sec"] for stored in done) / len(done) / 3600
    return (
        f"== {cell.name}: ASR-BLEU {bleu:.1f}; {len(done)} of {len(results)} cells done, "
        f"{hours:.1f} hours left for one at a time"
    )
