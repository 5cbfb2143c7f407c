"""A small training and its answers on the GPU, beside the same on the CPU.

Twenty steps from the same weights over the same batches, then dev loss at text ratio 0 and
greedy answers. The losses of a step and the answers are compared one by one.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu import made, shapes
from benchmarks.gpu.record import Figure
from benchmarks.gpu.shapes import Shape
from s2st_interleave.decode.generate import Limits, answer_all
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.layout import S2ST, Layout
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.train.adamw import AdamWLearner
from s2st_interleave.train.interleaved import InterleavedTask
from s2st_interleave.train.options import TrainOptions

NUM_STEPS, LR = 20, 1e-3
LIMITS = Limits(max_text_tokens=12, max_unit_ratio=1.0, min_max_units=1)
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Outcome:
    """Losses by step, scores on dev, and the units of each answer."""

    losses: Sequence[float]
    dev: Mapping[str, float]
    answers: Mapping[str, Sequence[int]]


def figures(shape: Shape) -> Iterator[tuple[str, Figure]]:
    tiny = shapes.of("tiny")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = made.open_dump(folder / "dump", tiny, 32)
        file = made.llm_file(folder, tiny)
        expected = _outcome(file, data, tiny, CPU, bf16=False)
        for row, bf16 in (
            ("20 steps on the GPU and on the CPU, fp32", False),
            ("20 steps on the GPU, bf16, and on the CPU, fp32", shape.bf16),
        ):
            yield row, _figure(_outcome(file, data, tiny, shape.device, bf16), expected)


def _outcome(
    file: Path, data: Dump, shape: Shape, device: torch.device, bf16: bool
) -> Outcome:
    # Weights are drawn on the CPU for both.
    llm = made.llm(file, shape, CPU, torch.float32, bf16=bf16)
    llm = replace(llm, model=llm.model.to(device))
    llm.model.config.attention_dropout = 0.0  # each device draws its own
    for module in llm.model.modules():
        if hasattr(module, "attention_dropout"):
            module.attention_dropout = 0.0
    task = InterleavedTask(
        llm=llm,
        train=data,
        dev=data,
        interleaving=Interleaving(Schedule("step", 0.9, every=2)),
        device=device,
        **shape.train,
    )
    learner: Any = AdamWLearner(task, TrainOptions(lr=LR), uses_all=True)
    learner.start("ddp")
    losses = []
    for step in range(NUM_STEPS):
        llm.model.train()
        losses.append(learner.step(step, LR).metrics["loss"])
    llm.model.eval()
    dev = learner.evaluate()
    given = {
        u.id: {"src_speech": u.sides["src"].units}
        for u in map(data.__getitem__, range(len(data)))
    }
    answers = answer_all(
        given, llm, Layout.parse(S2ST), limits=LIMITS, batch_size=shape.decode_batch
    )
    units = {k: answer.units["tgt_speech"].tolist() for k, answer in answers.items()}
    return Outcome(losses, dev, units)


def _figure(found: Outcome, expected: Outcome) -> Figure:
    far = np.abs(np.array(found.losses) - np.array(expected.losses)).max()
    same = sum(found.answers[key] == ids for key, ids in expected.answers.items())
    return Figure(
        unit="accuracy on dev",
        ours=found.dev["accuracy"],
        other=expected.dev["accuracy"],
        against="the same on the CPU",
        note=(
            f"dev loss {found.dev['loss']:.6f} and {expected.dev['loss']:.6f}; losses of "
            f"a step differ by {far:.1e} at most; {same} of {len(expected.answers)} "
            "answers are the same"
        ),
    )
