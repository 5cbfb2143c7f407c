"""Stage 9 on one card: a Whisper of large-v3's shape hears windows of 30 s.

With random weights a text would not end, so that each has as many tokens as a clip of a
few seconds has. Audio is not read: the windows are noise in place of log-mel spectra.
"""

from collections.abc import Callable, Iterator
from functools import partial
from unittest import mock

import numpy as np
import tokenizers
import torch
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

from benchmarks.gpu.meter import Memory, in_turn, share_of_peak, timed
from benchmarks.gpu.record import Figure
from benchmarks.gpu.shapes import Shape
from s2st_interleave import keyed
from s2st_interleave.score import whisper_batched
from s2st_interleave.score.whisper_weights import Whisper

TOKENS = {  # of large-v3
    "<|endoftext|>": 50257,
    "<|startoftranscript|>": 50258,
    "<|en|>": 50259,
    "<|transcribe|>": 50360,
    "<|notimestamps|>": 50364,
}
POSITIONS = 1500  # of the encoder, for a window


def figures(shape: Shape) -> Iterator[tuple[str, Figure]]:
    memory = Memory(shape.device)
    whisper = _whisper(shape)
    with mock.patch.object(whisper_batched, "MOST_TOKENS", shape.whisper_tokens):
        generate = whisper_batched._generator(whisper, "en")
        for size, repeats in ((shape.whisper_batch, 4), (1, 8)):
            windows = _windows(size, shape)
            memory.reset()
            work = partial(_hear, generate, windows, repeats)
            work(0)
            peak = memory.peak_gb()
            rates = in_turn(
                partial(timed, work, device=shape.device), None, shape.turns
            )
            figure = Figure(
                unit="windows/s",
                ours=rates.ours,
                mfu=share_of_peak(
                    _operations(whisper, shape),
                    shape.device,
                    rates.ours,
                    bf16=shape.bf16,
                ),
                work="2N a position of the encoder and a token of the decoder",
                peak_gb=peak,
                note=f"{shape.whisper_tokens} tokens a window",
            )
            name = "batch 1" if size == 1 else "batch 32"
            yield f"stage 9, Whisper large-v3, {name}", figure


def _hear(
    generate: Callable[[np.ndarray], object],
    windows: np.ndarray,
    repeats: int,
    turn: int,
) -> float:
    for _ in range(repeats):
        generate(windows)
    return repeats * len(windows)


def _windows(size: int, shape: Shape) -> np.ndarray:
    noise = keyed.generator("windows").standard_normal(
        (size, shape.whisper["num_mel_bins"], whisper_batched.WINDOW)
    )
    return noise.astype(np.float32)


def _operations(whisper: Whisper, shape: Shape) -> float:
    encoder, decoder = (
        sum(p.numel() for p in part.parameters())
        for part in (whisper.model.get_encoder(), whisper.model.get_decoder())
    )
    return 2.0 * (encoder * POSITIONS + decoder * shape.whisper_tokens)


def _whisper(shape: Shape) -> Whisper:
    config = WhisperConfig(**shape.whisper, pad_token_id=0)
    torch.manual_seed(1)
    with shape.device:
        model = WhisperForConditionalGeneration(config)
    dtype = torch.float16 if shape.bf16 else torch.float32  # as conf/score.yaml
    model = model.to(dtype).eval()
    model.generation_config = GenerationConfig()
    names = tokenizers.Tokenizer(tokenizers.models.WordLevel(TOKENS, "<|endoftext|>"))
    # The end never comes by itself.
    return Whisper(model, names, [TOKENS["<|endoftext|>"]], [])
