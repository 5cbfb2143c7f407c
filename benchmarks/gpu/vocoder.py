"""Stage 8 on one card: the unit HiFi-GAN of conf/vocoder.yaml, 16 crops a step."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.gpu.meter import Memory, in_turn, timed
from benchmarks.gpu.record import Figure
from benchmarks.gpu.shapes import Shape
from s2st_interleave import keyed
from s2st_interleave.data import audio
from s2st_interleave.vocoder.base import Speech, UnitTiming
from s2st_interleave.vocoder.gan import GanLearner
from s2st_interleave.vocoder.hifigan import Options

LR, PER_UNIT = 2e-4, 320
NUM_CLIPS, SECONDS = 64, 4.0


def figures(shape: Shape) -> Iterator[tuple[str, Figure]]:
    with tempfile.TemporaryDirectory() as name:
        speech = _speech(Path(name), shape)
        yield "stage 8, HiFi-GAN, 16 crops", _figure(speech, shape)


def _figure(speech: Speech, shape: Shape) -> Figure:
    memory = Memory(shape.device)
    memory.reset()
    block = Options(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in shape.hifigan.items()}
    )
    size = 16 if shape.bf16 else 2
    learner = GanLearner(speech, block, batch_size=size, seed=1, device=shape.device)
    learner.start("ddp")
    learner.model.train()
    num_steps = 10 * shape.num_steps if shape.bf16 else 2

    def work(turn: int) -> float:
        first = turn * num_steps
        for step in range(first, first + num_steps):
            learner.step(step, LR)
        return num_steps

    work(0)
    peak = memory.peak_gb()
    rates = in_turn(partial(timed, work, device=shape.device), None, shape.turns)
    precision = (
        "fp32" if torch.backends.cudnn.allow_tf32 is False else "TF32 where cuDNN"
    )
    return Figure(
        unit="steps/s",
        ours=rates.ours,
        peak_gb=peak,
        note=f"{precision}, crops read from FLAC",
    )


def _speech(folder: Path, shape: Shape) -> Speech:
    wavs, units = {}, {}
    num_units = round(SECONDS * audio.SAMPLE_RATE) // PER_UNIT
    for index in range(NUM_CLIPS if shape.bf16 else 4):
        name = f"u{index:03}"
        rng = keyed.generator("voice", name)
        noise = rng.standard_normal(num_units * PER_UNIT)
        wavs[name] = folder / f"{name}.flac"
        audio.write(wavs[name], (0.1 * noise).astype(np.float32))
        units[name] = rng.integers(0, shape.num_units, num_units, dtype=np.int32)
    timing = UnitTiming(shape.num_units, PER_UNIT, audio.SAMPLE_RATE)
    return Speech(timing, wavs, units, list(wavs), list(wavs)[:1])
