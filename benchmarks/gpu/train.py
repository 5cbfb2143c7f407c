"""Stage 6 on one card: Llama-3.2-1B by AdamW, beside Hugging Face's Trainer.

Both train on the same sequences, in bf16 autocast over fp32 weights. The Trainer is given
its sequences drawn, sorted and cut; ours draws them, and that is in its time.
"""

import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu import made
from benchmarks.gpu.meter import Memory, Rates, in_turn, share_of_peak, timed
from benchmarks.gpu.record import Figure
from benchmarks.gpu.shapes import Shape
from benchmarks.gpu.trainer import HfTrainer
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.llm.model import SpeechLlm
from s2st_interleave.plan import compute, counts, memory, sizes
from s2st_interleave.train.adamw import AdamWLearner
from s2st_interleave.train.batches import batch_at
from s2st_interleave.train.examples import draw_examples
from s2st_interleave.train.interleaved import InterleavedTask
from s2st_interleave.train.options import TrainOptions

LR = 5e-5
RATIOS = (0.0, 0.9, 0.5)
COMPILED = "compiled"
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "16 micro-batches by count": {"batch_tokens": 0, "accum_grad": 16},
    "all logits at once": {"logits_at_once": 0},
    COMPILED: {},  # last: it stays so
}


def figures(shape: Shape) -> Iterator[tuple[str, Figure]]:
    """Each ratio beside the Trainer; then the options that are off, each at p = 0."""
    with tempfile.TemporaryDirectory() as name:
        yield from _figures(shape, Path(name))


def _figures(shape: Shape, folder: Path) -> Iterator[tuple[str, Figure]]:
    data = made.open_dump(folder / "dump", shape, shape.num_utterances)
    file = made.llm_file(folder, shape)
    ours = Ours(shape, file, data)
    peaks = {}
    for ratio in RATIOS:
        ours.take(ratio)
        peaks[ratio] = ours.warm_up()
    theirs = HfTrainer(shape, file)
    for ratio in RATIOS:
        ours.take(ratio)
        theirs.choose_rows(ours.sequences(0), LR)
        rates = in_turn(ours.timed, partial(theirs.timed, ours), shape.turns)
        note = f"Trainer's best of {shape.trainer_rows} rows: {theirs.rows}"
        figure = ours.figure(rates, peaks[ratio], theirs.peak_gb, note)
        yield f"stage 6, 1B, p = {ratio:g}", figure
    theirs.close()
    failures = []
    for name, options in VARIANTS.items():
        try:
            if name == COMPILED:
                ours.compile()
            figure = ours.variant(options)
        except Exception as error:  # this torch, or this machine, lacks something
            failures.append(f"{name}: {type(error).__name__}: {error}".splitlines()[0])
        else:
            yield f"stage 6, 1B, p = 0, {name}", figure
    if failures:
        raise RuntimeError("; ".join(failures))


class Ours:
    """This project's training at a text ratio that does not change."""

    def __init__(self, shape: Shape, file: Path, data: Dump):
        self.shape, self.data = shape, data
        self.memory = Memory(shape.device)
        self.llm: SpeechLlm = made.llm(
            file, shape, shape.device, torch.float32, bf16=shape.bf16
        )
        self.sizes = sizes.measure(file, self.llm.vocabulary.size)
        self.take(0.0)
        self.learner = AdamWLearner(self.task, TrainOptions(lr=LR), uses_all=True)
        self.learner.start("ddp")

    def take(self, ratio: float, **options: Any) -> None:
        """Train at this ratio from now on, with other options of batches."""
        if hasattr(self, "task"):
            self.task.close()
        self.ratio = ratio
        self.interleaving = Interleaving(Schedule("constant", ratio))
        self.task = InterleavedTask(
            llm=self.llm,
            train=self.data,
            dev=self.data,
            interleaving=self.interleaving,
            device=self.shape.device,
            **self.shape.train | options,
        )
        if hasattr(self, "learner"):
            self.learner.task = self.task

    def work(self, turn: int) -> float:
        """The steps of a turn; returns their tokens without padding."""
        self.llm.model.train()
        return sum(self.learner.step(step, LR).tokens for step in self.steps(turn))

    def timed(self, turn: int) -> tuple[float, float]:
        return timed(self.work, turn, self.shape.device)

    def steps(self, turn: int) -> range:
        first = turn * self.shape.num_steps
        return range(first, first + self.shape.num_steps)

    def sequences(self, turn: int) -> list[list[Any]]:
        """The examples of each step of a turn, sorted by length."""
        size, seed = self.task.batch_size, self.interleaving.seed
        drawn = []
        for step in self.steps(turn):
            indices = batch_at(range(len(self.data)), step, size, seed)
            utterances = [self.data[index] for index in indices]
            examples = draw_examples(
                utterances, self.ratio, step, self.interleaving, self.llm
            )
            drawn.append(
                sorted((each.example for each in examples), key=lambda e: len(e.ids))
            )
        return drawn

    def warm_up(self) -> float | None:
        """Turn 0; returns its peak in GB, weights and moments included."""
        self.memory.reset()
        self.work(0)
        return self.memory.peak_gb()

    def variant(self, options: Mapping[str, Any]) -> Figure:
        """Other options at p = 0, to be held against those of conf/train.yaml."""
        self.take(0.0, **options)
        peak = self.warm_up()
        return self.figure(in_turn(self.timed, None, self.shape.turns), peak, None, "")

    def compile(self) -> None:
        """Compile the backbone, in place; its names of weights stay."""
        self.llm.backbone.compile(dynamic=True, backend=self.shape.compile)

    def figure(
        self, rates: Rates, peak: float | None, other_peak: float | None, note: str
    ) -> Figure:
        """Rates with the operations that the sequences need, padding left out."""
        rows = [e for step in self.sequences(1) for e in step]
        needed = compute.flops(
            self.sizes,
            (
                counts.MicroBatch(1, len(e.ids), int((e.labels >= 0).sum()))
                for e in rows
            ),
        )
        each = needed / sum(len(e.ids) for e in rows)
        share = partial(share_of_peak, each, self.shape.device, bf16=self.shape.bf16)
        return Figure(
            unit="tokens/s",
            ours=rates.ours,
            other=rates.other,
            against="Hugging Face Trainer" if rates.other else "",
            ratio=rates.ratio,
            lowest=rates.lowest,
            highest=rates.highest,
            mfu=share(rates.ours),
            other_mfu=share(rates.other),
            work="plan/compute.py on each sequence without padding",
            peak_gb=peak,
            other_peak_gb=other_peak,
            planned_gb=self.planned_gb(),
            note=note,
        )

    def planned_gb(self) -> float:
        """The highest of plan's peaks over the micro-batches of a turn."""
        setup = memory.Setup(
            precision="bf16" if self.shape.bf16 else "fp32",
            accumulates=True,
            logits_at_once=self.task.logits_at_once,
        )
        shapes = [
            micro
            for step in counts.draw_steps(self.task, self.shape.num_steps)
            for micro in step.micro
        ]
        return memory.peak(self.sizes, shapes, setup).total / 1e9
