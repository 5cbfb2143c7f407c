"""The encoder over many recordings: which are read at once, and what is read ahead."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

import numpy as np

from s2st_interleave.config import RunOptions, option
from s2st_interleave.data import audio
from s2st_interleave.errors import UserError

if TYPE_CHECKING:
    import torch

    from s2st_interleave.encoder.frontend import Frontend
    from s2st_interleave.encoder.speech_encoder import Heard, Reduce, SpeechEncoder

# Of an utterance, of a kaldi.Voice, or an index.
Key = TypeVar("Key", str, tuple[str, str], int)
SMALLEST_PART = 50  # utterances, of stages that read recordings through the encoder


@dataclass(frozen=True, kw_only=True)
class ReaderOptions(RunOptions):
    """How a command reads recordings through the encoder."""

    batch_sec: float = option(
        0.0,
        "seconds of audio that the encoder reads at once, padding included; 0: one "
        "utterance at a time, which no batch mate can change in the last bit",
        new=True,
        minimum=0,
    )
    dtype: Literal["fp32", "tf32", "bf16"] = option(
        "fp32",
        "of products: tf32 is for GPUs, bf16 rounds the weights as well",
        new=True,
    )
    num_loaders: int = option(
        4, "threads that read audio while the model computes", runtime=True, minimum=1
    )


@dataclass(frozen=True)
class Reading:
    """What the encoder gave of one recording, float32: see `SpeechEncoder.hear`."""

    duration_sec: float
    log_probs: np.ndarray | None
    frames: np.ndarray | None


class Reader:
    """The encoder of a command, loaded when the first recording is read."""

    def __init__(self, directory: Path, options: ReaderOptions):
        self.directory, self.options = directory, options

    @cached_property
    def encoder(self) -> "SpeechEncoder":
        from s2st_interleave.device import resolve_device, set_threads
        from s2st_interleave.encoder.speech_encoder import SpeechEncoder

        options = self.options
        set_threads(options.num_threads)
        return SpeechEncoder.load(
            self.directory,
            resolve_device(options.device),
            dtype=options.dtype,
            batched=options.batch_sec > 0,
        )

    def order(self, keys: Iterable[Key], seconds: Mapping[Key, float]) -> list[Key]:
        """The order in which recordings are read: by key, or in batches by duration.

        It is a function of the data alone, as is what `read` takes together. `seconds` are
        durations by key; they are not used where one utterance is read at a time. Raises
        UserError for a recording without a duration.
        """
        if not self.options.batch_sec:
            return sorted(keys)
        known = sorted(keys)
        if missing := [key for key in known if key not in seconds]:
            raise UserError(
                f"{missing[0]}: utt2dur has no duration of it, by which batches are made: "
                "make the data directory anew, or read without batches (--batch_sec 0)"
            )
        return sorted(known, key=lambda key: seconds[key])

    def read(
        self,
        keys: Sequence[Key],
        wavs: Mapping[Key, Path],
        seconds: Mapping[Key, float],
        *,
        ctc: bool,
        layer: int | None = None,
        reduce: "Reduce | None" = None,
    ) -> Iterator[tuple[Key, Reading]]:
        """Read recordings in the order of `keys`, those that fit into a batch at once.

        Threads read the audio of the next batches while the model computes. On a GPU it
        computes the next batch while the caller works on this one.
        """
        before: list[_Batch[Key]] = []
        batches = neighbours(keys, seconds, self.options.batch_sec)
        for batch, loaded in self._loaded(batches, wavs):
            inputs = [features for features, _ in loaded]
            durations = [duration for _, duration in loaded]
            heard = self.encoder.hear(inputs, ctc=ctc, layer=layer, reduce=reduce)
            now = [_Batch.of(batch, durations, each) for each in heard]
            for each in before:
                yield from each.readings()
            before = now
        for each in before:
            yield from each.readings()

    def _loaded(
        self, batches: Iterable[list[Key]], wavs: Mapping[Key, Path]
    ) -> Iterator[tuple[list[Key], list[tuple[np.ndarray, float]]]]:
        """Batches with the input and the seconds of each recording, read by threads."""
        rest = iter(batches)
        waiting: deque[tuple[list[Key], list[Future[tuple[np.ndarray, float]]]]] = (
            deque()
        )
        with ThreadPoolExecutor(self.options.num_loaders) as pool:
            while True:
                for batch in islice(rest, self.options.num_loaders + 1 - len(waiting)):
                    load = self.encoder.frontend  # loaded by this thread, not by many
                    parts = [pool.submit(_load, load, wavs[key], key) for key in batch]
                    waiting.append((batch, parts))
                if not waiting:
                    return
                batch, parts = waiting.popleft()
                yield batch, [part.result() for part in parts]


def neighbours(
    keys: Sequence[Key], seconds: Mapping[Key, float], batch_sec: float
) -> list[list[Key]]:
    """Neighbours together, as many as fill `batch_sec` at the longest one's length.

    Where it is 0 each is alone, and `seconds` are not used.
    """
    if not batch_sec:
        return [[key] for key in keys]
    batches: list[list[Key]] = []
    longest = 0.0
    for key in keys:
        longest = max(longest, seconds[key])
        size = len(batches[-1]) + 1 if batches else 1
        if not batches or longest * size > batch_sec:
            batches.append([])
            longest = seconds[key]
        batches[-1].append(key)
    return batches


def _load(
    front: "Frontend", wav: Path, key: str | tuple[str, str] | int
) -> tuple[np.ndarray, float]:
    """The model's input for a recording, and its seconds."""
    samples = audio.read(wav, of=":".join(key) if isinstance(key, tuple) else str(key))
    return front.features(samples), len(samples) / audio.SAMPLE_RATE


@dataclass(frozen=True)
class _Batch(Generic[Key]):
    """Results on their way from the device; `sent` is there when they are all on the CPU."""

    keys: Sequence[Key]
    seconds: Sequence[float]
    rows: Sequence[tuple[int, int]]
    log_probs: "torch.Tensor | None"
    frames: "torch.Tensor | None"
    sent: "torch.cuda.Event | None"

    @classmethod
    def of(
        cls, keys: Sequence[Key], seconds: Sequence[float], heard: "Heard"
    ) -> "_Batch[Key]":
        """Send what was heard to the CPU, without waiting where it comes from a GPU."""
        log_probs, frames = map(_sent, (heard.log_probs, heard.frames))
        last = heard.log_probs if heard.frames is None else heard.frames
        event = None
        if last is not None and last.device.type == "cuda":
            import torch

            event = torch.cuda.Event()
            event.record(torch.cuda.current_stream(last.device))
        return cls(keys, seconds, heard.rows, log_probs, frames, event)

    def readings(self) -> Iterator[tuple[Key, Reading]]:
        if self.sent:
            self.sent.synchronize()
        for row, (index, count) in enumerate(self.rows):
            log_probs, frames = (
                None if each is None else each[row, :count].numpy()
                for each in (self.log_probs, self.frames)
            )
            yield self.keys[index], Reading(self.seconds[index], log_probs, frames)


def _sent(tensor: "torch.Tensor | None") -> "torch.Tensor | None":
    """A copy on the CPU; from a GPU it has arrived when an event recorded now has."""
    if tensor is None or tensor.device.type != "cuda":
        return None if tensor is None else tensor.cpu()
    import torch

    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return host.copy_(tensor, non_blocking=True)
