"""The mini recipe's first look, all stages, on the card and on the CPU, with their scores.

Both run at the same time, each in its own copy of egs. Corpus, audio, text LLM and
recogniser are those of egs/mini_cvss/es_en/quick where that folder has them, else made.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gpu.record import Figure
from benchmarks.gpu.shapes import Shape
from s2st_interleave.files import read_json

ROOT = Path(__file__).parents[2]
RECIPE = "egs/mini_cvss/es_en"
# What stage 1 has made, below the recipe: no synthesiser is needed where it is there.
STAGE_1 = ("downloads", "quick/downloads", "quick/data", "quick/dump/audio")
SYSTEMS = ("baseline", "scheduled")
SCORES = {
    "chrF": "chrf",
    "transcript WER": "src_wer",
    "translation BLEU": "text_bleu",
}
# With less than the little of a first look, which learns nothing: a rehearsal, and a test.
TINY_MADE = {
    "MINI_CORPUS": "--num_train 40 --num_dev 6 --num_test 8 --num_text 300",
    "MINI_LLM": "--max_steps 10 --eval_every 10",
}
QUICK = "--config ../conf/quick"
TINY = {
    "encoder_args": f"{QUICK}/encoder.yaml --max_steps 20 --eval_every 20",
    "align_args": "--min_median_score none --min_score none",  # it hears nothing
    "kmeans_args": f"{QUICK}/kmeans.yaml --num_units 30",
    "train_args": f"{QUICK}/train.yaml --max_steps 12 --text_ratio_every 1 --eval_every 12",
    "vocode_args": "--nj 1",  # each process of a pool would load torch
    "decode_args": "--max_unit_ratio 1.2 --max_text_tokens 12",
    "vocoder_args": f"{QUICK}/vocoder.yaml --max_steps 10 --eval_every 10",
}


@dataclass(frozen=True)
class Run:
    """The score.json of each system, and the seconds that all stages took."""

    scores: dict[str, dict[str, Any]]
    seconds: float


def figures(shape: Shape) -> Iterator[tuple[str, Figure]]:
    devices = [shape.device.type, "cpu"]
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as both:
        places = [Path(name, f"{turn} {device}") for turn, device in enumerate(devices)]
        card, cpu = both.map(_run, places, devices, [shape] * 2)
    for system in SYSTEMS:
        yield f"quick recipe, {system}", _scores(card, cpu, system)
    rates = [3600 / run.seconds for run in (card, cpu)]
    yield (
        "quick recipe, all stages",
        Figure("runs an hour", *rates, "the same on the CPU, at the same time"),
    )


def _scores(card: Run, cpu: Run, system: str) -> Figure:
    ours, other = card.scores[system], cpu.scores[system]
    low, high = other["ci95"]
    pairs = [f"{name} {ours[k]:.1f} and {other[k]:.1f}" for name, k in SCORES.items()]
    return Figure(
        unit="ASR-BLEU",
        ours=ours["asr_bleu"],
        other=other["asr_bleu"],
        against=f"the same on the CPU, whose interval is {low:.1f} to {high:.1f}",
        note=f"{', '.join(pairs)}; by {ours['asr']['backend']} and {other['asr']['backend']}",
    )


def _run(place: Path, device: str, shape: Shape) -> Run:
    """All stages on a device, in a copy of egs at `place`.

    Raises RuntimeError with the recipe's last line where a stage fails.
    """
    recipe = _copied(place, with_stage_1=shape.name == "full")
    started = time.monotonic()
    done = subprocess.run(
        [
            recipe / "run.sh",
            "--quick",
            "true",
            "--device",
            device,
            *_options(device, shape),
        ],
        env=_environment(device, shape),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        print(done.stdout, flush=True)
        lines = done.stdout.strip().splitlines() or [""]
        raise RuntimeError(f"{device}: exit status {done.returncode}: {lines[-1]}")
    seconds = time.monotonic() - started
    answers = recipe / "quick" / "exp"
    scores = {s: _score(answers / s / "greedy_last" / "test") for s in SYSTEMS}
    return Run(scores, seconds)


def _score(folder: Path) -> dict[str, Any]:
    score = read_json(folder / "score.json")
    assert isinstance(score, dict), folder
    return score


def _options(device: str, shape: Shape) -> Sequence[str]:
    options = TINY if shape.name == "tiny" else {}
    if device != "cpu":  # the recipe's two processes a training are for cores
        one = {"num_gpus": "1", "vocoder_gpus": "1", "parallel_systems": "1"}
        options = options | one
    return [word for name, words in options.items() for word in (f"--{name}", words)]


def _environment(device: str, shape: Shape) -> dict[str, str]:
    """That of this process, whose package the stages take; no card for a run on the CPU."""
    more = {"PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    if device == "cpu":
        more["CUDA_VISIBLE_DEVICES"] = ""
    if shape.name == "tiny":
        more |= TINY_MADE
    return os.environ | more


def _copied(place: Path, *, with_stage_1: bool) -> Path:
    """The recipe in a copy of egs without what runs have made, but for stage 1."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "egs", "tools"],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():  # else it is deleted, and not yet committed
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    # The Python that measures is taken as it is, without a look at what is installed.
    python = shlex.quote(str(Path(sys.executable).parent))
    (place / RECIPE / "path.sh").write_text(
        f'export PATH={python}:"$PATH" S2ST_ROOT={shlex.quote(str(place))}\n'
        "export OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1\n"
        "export PYTHONHASHSEED=0 LC_ALL=C.UTF-8\n"
    )
    for name in STAGE_1 if with_stage_1 else ():
        if (ROOT / RECIPE / name).is_dir():
            shutil.copytree(ROOT / RECIPE / name, place / RECIPE / name)
    return place / RECIPE
