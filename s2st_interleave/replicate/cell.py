"""Run one cell through its pair's recipe, and keep what it gave as text."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from s2st_interleave.data import kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json, write_json
from s2st_interleave.provenance import git_state
from s2st_interleave.record import digest
from s2st_interleave.replicate.grid import Cell, Grid
from s2st_interleave.replicate.statistics import significant
from s2st_interleave.stage_dir import read_done

CHECKPOINTS = ("last", "best")
CURVE = ("step", "loss", "dev_loss", "dev_accuracy", "tokens_seen", "sec", "text_ratio")
PROBES = ("probe_length_ratio_src", "probe_length_ratio_tgt")
PROBES += ("similarity_src", "similarity_text", "similarity_tgt")
SHARED = ("exp/encoder", "exp/kmeans", "exp/vocoder", "downloads/llm")  # of x_en
NUM_DIGITS = 5


def command(grid: Grid, cell: Cell, exp: Path) -> list[str]:
    """run.sh of the pair with all that is the cell's own; relative to its folder."""
    shared = grid.shared
    num_train = cell.num_train or grid.sizes[cell.pair.partition("_")[0]]
    options = {
        "stage": "6",
        "stop_stage": "9",
        "systems": cell.system,
        "baseline": cell.system,  # the page compares, over seeds
        "expdir": str(exp),
        "toplines": "false",
        "parallel_systems": "1",
        "nj": "1",
        "train_args": f"--num_utterances {num_train} --seed {cell.seed} "
        "--probe_every 20 --log_every 100",
    }
    if cell.llm:
        options["llm"] = f"../x_en/{shared}/downloads/llm_{cell.llm}"
    if cell.units:
        options["dumpdir"] = f"../{cell.pair}/{shared}/dump_{cell.units}"
        options["vocoder_dir"] = f"../x_en/{shared}/exp/{cell.units}/vocoder"
    return ["./run.sh", *(word for k, v in options.items() for word in (f"--{k}", v))]


def run(grid: Grid, cell: Cell) -> None:
    """Train and score a cell where it is pending; a run that was stopped goes on.

    Raises UserError when its recipe fails, or when what it follows from was changed
    meanwhile.
    """
    if grid.result(cell) is None:
        folder = grid.recipe / cell.pair
        identity, git = grid.identity(cell), git_state()
        # By identity: what was begun with other options is not gone on with.
        exp = grid.shared / "exp/cells" / f"{cell.name}-{identity[:8]}"
        started = time.time()
        # A cell may be a job of a cluster: its stages are not jobs once more.
        environment = os.environ | {"S2ST_BACKEND": "local"}
        environment["MINI_SHARED"] = str(grid.shared)
        done = subprocess.run(command(grid, cell, exp), cwd=folder, env=environment)
        if done.returncode:
            raise UserError(f"{cell.name}: its recipe ended with {done.returncode}")
        if grid.identity(cell) != identity:
            raise UserError(f"{cell.name}: conf was changed while it ran; run it again")
        result = collect(folder, exp, cell) | {
            "identity": identity,
            "git": git,
            "build": build(grid.recipe / "x_en" / grid.shared),
            "wall_sec": round(time.time() - started, 1),
        }
        write_json(grid.place(cell), result)
    # Checkpoints and audio; the scores are kept.
    for left in (grid.recipe / cell.pair).glob(
        f"{grid.shared}/exp/cells/{cell.name}-*"
    ):
        shutil.rmtree(left)
    print(progress_line(grid, cell), flush=True)


def build(shared: Path) -> str:
    """Which training of the shared models: another machine's differ in the last bits."""
    return digest(
        [read_json(shared / part / "stage.json")["outputs"] for part in SHARED]
    )


def collect(folder: Path, exp: Path, cell: Cell) -> dict[str, Any]:
    """Everything of a finished cell that the page, its figures and its tests need."""
    trained = folder / exp / cell.system
    done = read_done(trained, "train")
    metrics = _lines(trained / "metrics.jsonl")
    return {
        "inputs": done["inputs"],
        "num_train": done["counts"]["in"],
        "train": done["facts"],
        "seconds_per_system": done["wall_sec"],
        "scores": {name: _scores(trained, name) for name in CHECKPOINTS},
        "curve": _columns([m for m in metrics if "dev_loss" in m], CURVE),
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


def _scores(trained: Path, checkpoint: str) -> dict[str, Any]:
    """score.json, and what was heard and how it sounded, by utterance id."""
    decode = trained / f"greedy_{checkpoint}" / "test"
    table = (decode / "score" / "utterances.tsv").read_text("utf-8").splitlines()
    names, *rows = (line.split("\t") for line in table)
    ratings = {row[0]: row[names.index("mos")] for row in rows if "mos" in names}
    return read_json(decode / "score.json") | {
        "hyp": kaldi.read_table(decode / "score" / "hyp"),
        "utterance_mos": {u: float(r) for u, r in sorted(ratings.items()) if r},
    }


def progress_line(grid: Grid, cell: Cell) -> str:
    """What a cell gave, how many are done, and how long the others will take."""
    results = {c.name: grid.result(c) for c in grid.cells}
    done = [result for result in results.values() if result]
    result = results[cell.name]
    assert result is not None
    gave = f"ASR-BLEU {result['scores']['last']['asr_bleu']:.1f}"
    left = len(results) - len(done)
    hours = left * sum(one["wall_sec"] for one in done) / len(done) / 3600
    return (
        f"== {cell.name}: {gave}; {len(done)} of {len(results)} cells done, "
        f"{hours:.1f} hours left for one at a time"
    )
