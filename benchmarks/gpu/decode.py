"""Stage 7 on one card: greedy answers of Llama-3.2-1B, beside plain `generate`.

Random weights never end a block of their own accord, so that each answer has the length of
its limits: 12 tokens of transcript and translation each, and as many units as were given.
`generate` gets the same prompts in bf16, sorted by length, and goes on in each batch until
the longest of these answers; tokens behind the end of an answer count for neither.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu import made
from benchmarks.gpu.meter import Memory, in_turn, share_of_peak, timed
from benchmarks.gpu.record import Figure
from benchmarks.gpu.shapes import Shape
from s2st_interleave.decode.generate import Limits, answer_all
from s2st_interleave.decode.padding import left_padded
from s2st_interleave.interleave.layout import S2ST, Layout
from s2st_interleave.interleave.sequence import prompt_ids
from s2st_interleave.llm.model import SpeechLlm

LAYOUT = Layout.parse(S2ST)
LIMITS = Limits(max_text_tokens=12, max_unit_ratio=1.0, min_max_units=1)


def figures(shape: Shape) -> Iterator[tuple[str, Figure]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = made.open_dump(folder / "dump", shape, shape.num_utterances)
        file = made.llm_file(folder, shape)
        memory = Memory(shape.device)
        llm = made.llm(file, shape, shape.device, shape.dtype, bf16=False)
        given = [data[index].sides["src"].units for index in range(len(data))]
        ours, plain = Ours(llm, given, shape), Plain(llm, given, shape)
    peaks = []
    for work in (ours.work, plain.work):
        memory.reset()
        work(0)
        peaks.append(memory.peak_gb())
    ours_timed, plain_timed = (
        partial(timed, work, device=shape.device) for work in (ours.work, plain.work)
    )
    rates = in_turn(ours_timed, plain_timed, shape.turns)
    num_weights = sum(p.numel() for p in llm.model.parameters())
    share = partial(share_of_peak, 2 * num_weights, shape.device, bf16=shape.bf16)
    yield (
        "stage 7, 1B, batch 256",
        Figure(
            unit="tokens/s",
            ours=rates.ours,
            other=rates.other,
            against="plain generate, bf16, sorted by length",
            ratio=rates.ratio,
            lowest=rates.lowest,
            highest=rates.highest,
            mfu=share(rates.ours),
            other_mfu=share(rates.other),
            work="2N a token",
            peak_gb=peaks[0],
            other_peak_gb=peaks[1],
            note=f"{ours.counted} tokens of {len(given)} answers a turn",
        ),
    )


class Ours:
    """Stage 7 as it is; `lengths` are the tokens of each answer."""

    def __init__(self, llm: SpeechLlm, given: Sequence[Any], shape: Shape):
        self.llm, self.size = llm, shape.decode_batch
        self.given = {
            f"u{k:05}": {"src_speech": units} for k, units in enumerate(given)
        }
        self.counted = 0

    def work(self, turn: int) -> float:
        self.counted = 0
        answer_all(
            self.given,
            self.llm,
            LAYOUT,
            limits=LIMITS,
            batch_size=self.size,
            progress=self._count,
        )
        return self.counted

    def _count(
        self, answers: Iterable[tuple[int, list[int]]], **_: Any
    ) -> Iterator[tuple[int, list[int]]]:
        for index, ids in answers:
            self.counted += len(ids)
            yield index, ids


class Plain:
    """The library's `generate`, without a grammar."""

    def __init__(self, llm: SpeechLlm, given: Sequence[Any], shape: Shape):
        self.llm, self.device = llm, shape.device
        vocabulary = llm.vocabulary
        prompts = [
            prompt_ids([vocabulary.unit_ids(each)], vocabulary) for each in given
        ]
        prompts.sort(key=len)
        size = shape.decode_batch
        self.batches = [prompts[k : k + size] for k in range(0, len(prompts), size)]
        more = 2 * (LIMITS.max_text_tokens + 1) + 1  # with the marks that end blocks
        self.counted = sum(_num_given(p) + more for p in prompts)
        self.most = [_num_given(batch[-1]) + more for batch in self.batches]

    @torch.inference_mode()
    def work(self, turn: int) -> float:
        for prompts, most in zip(self.batches, self.most, strict=True):
            ids, mask = left_padded(prompts, self.llm.vocabulary.pad)
            self.llm.model.generate(  # pyrefly: ignore[not-callable]: of a mixin
                input_ids=ids.to(self.device),
                attention_mask=mask.to(self.device),
                min_new_tokens=most,
                max_new_tokens=most,
                do_sample=False,
            )
        return self.counted


def _num_given(prompt: Sequence[int]) -> int:
    """Units of a prompt: the others are its first and last mark."""
    return len(prompt) - 2
