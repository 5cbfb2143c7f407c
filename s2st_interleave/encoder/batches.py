"""The batches of stage 2: how recordings are cut into micro-batches, and what those hold.

Recordings are cut by what utt2dur says, so that each rank reads only its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from sentencepiece import SentencePieceProcessor
from torch.nn.utils.rnn import pad_sequence

from s2st_interleave import keyed, parallel
from s2st_interleave.data import audio
from s2st_interleave.encoder.frontend import Frontend, collate
from s2st_interleave.encoder.recordings import Recording, frames_needed
from s2st_interleave.errors import UserError
from s2st_interleave.train.batches import chunks, deal, share


@dataclass(frozen=True)
class CtcBatch:
    """The model's arguments, and the number of frames of each utterance."""

    inputs: dict[str, torch.Tensor]
    num_frames: list[int]

    def to(self, device: torch.device) -> "CtcBatch":
        inputs = {name: tensor.to(device) for name, tensor in self.inputs.items()}
        return CtcBatch(inputs, self.num_frames)

    def __reduce__(self) -> tuple[Callable, tuple[Any, ...]]:
        """Pickle arrays: torch hands each tensor over as an open file, of which few may be."""
        arrays = {name: tensor.numpy() for name, tensor in self.inputs.items()}
        return _of_arrays, (arrays, self.num_frames)


def _of_arrays(arrays: dict[str, np.ndarray], num_frames: list[int]) -> CtcBatch:
    inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return CtcBatch(inputs, num_frames)


@dataclass(frozen=True)
class Cutting:
    """How a step of `batch_size` recordings, or dev, is cut into micro-batches.

    There are `accum_grad` of them over all ranks, of as many recordings. Where
    `batch_sec` is not 0 there are `accum_grad` or more: recordings of similar lengths,
    of so many seconds together, padding included; ranks get about as much to compute.
    """

    batch_size: int
    accum_grad: int = 1
    batch_sec: float = 0.0

    def shares(self, recordings: Sequence[Recording]) -> list[Sequence[Recording]]:
        """This rank's micro-batches of a step, at least one."""
        if not self.batch_sec:
            return share(recordings, self.accum_grad)
        me = parallel.ranks()
        return self._dealt(recordings, me.count)[me.index]

    def dev(self, recordings: Sequence[Recording]) -> list[Sequence[Recording]]:
        """This rank's micro-batches of recordings to evaluate.

        All ranks get equally many; some get empty ones where recordings are few.
        """
        if not self.batch_sec:
            return chunks(recordings, max(1, self.batch_size // self.accum_grad))
        me = parallel.ranks()
        parts = self._dealt(recordings, me.count)
        mine = parts[me.index]
        return [*mine, *[()] * (max(map(len, parts)) - len(mine))]

    def everywhere(self, recordings: Sequence[Recording]) -> list[Sequence[Recording]]:
        """Micro-batches of recordings that every rank evaluates; none of no recordings."""
        if self.batch_sec and recordings:
            return self._dealt(recordings, 1)[0]
        size = max(1, self.batch_size // self.accum_grad)
        starts = range(0, len(recordings), size)
        return [recordings[start : start + size] for start in starts]

    def _dealt(
        self, recordings: Sequence[Recording], num_ranks: int
    ) -> list[list[Sequence[Recording]]]:
        lengths = [_milliseconds(recording) for recording in recordings]
        least = -(-self.accum_grad // num_ranks)
        budget = max(1, round(1000 * self.batch_sec))
        shares = deal(lengths, budget, num_ranks, least)
        return [[[recordings[k] for k in part] for part in mine] for mine in shares]


def _milliseconds(recording: Recording) -> int:
    if recording.seconds is None:
        raise UserError(
            f"{recording.key}: utt2dur has no duration of it, by which --batch_sec "
            "cuts batches: make the data directory anew"
        )
    return round(1000 * recording.seconds)


@dataclass
class Collator:
    """Reads recordings and makes batches of them, on the CPU."""

    frontend: Frontend
    bpe: SentencePieceProcessor
    seed: int
    cache: bool = False  # keep features: a tenth of a MB for 3 s of filter banks
    augment: bool = False
    _features: dict[str, np.ndarray] = field(default_factory=dict, init=False)

    def batch(
        self,
        recordings: Sequence[Recording],
        step: int | None = None,
        *,
        labelled: bool = True,
    ) -> CtcBatch:
        """Make one batch of recordings.

        With `augment` parts of features are masked by (seed, step, key), where a step is
        given. Raises UserError where there are fewer frames than the text needs.
        """
        features = [self._extract(recording) for recording in recordings]
        if self.augment and step is not None:
            features = [
                self.frontend.augment(
                    each, keyed.generator(self.seed, step, recording.key)
                )
                for each, recording in zip(features, recordings, strict=True)
            ]
        num_frames = [self.frontend.num_frames(each) for each in features]
        inputs = collate(self.frontend, features)
        if labelled:
            labels = [
                torch.tensor(self._pieces(recording, frames))
                for recording, frames in zip(recordings, num_frames, strict=True)
            ]
            inputs["labels"] = pad_sequence(
                labels, batch_first=True, padding_value=-100
            )
        return CtcBatch(inputs, num_frames)

    def _pieces(self, recording: Recording, num_frames: int) -> list[int]:
        pieces = self.bpe.encode(recording.text)
        if frames_needed(pieces) > num_frames:
            raise UserError(
                f"{recording.key}: {recording.wav} has {num_frames} frames, its text "
                f"needs {frames_needed(pieces)}, and utt2dur says {recording.seconds} s: "
                "make the data directory anew"
            )
        return pieces

    def _extract(self, recording: Recording) -> np.ndarray:
        if recording.key in self._features:
            return self._features[recording.key]
        features = self.frontend.features(audio.read(recording.wav, of=recording.key))
        if self.cache:
            self._features[recording.key] = features
        return features
