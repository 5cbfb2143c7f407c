"""The input of a speech encoder: filter banks (w2v-BERT) or the waveform (all others)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from transformers import PreTrainedConfig

from s2st_interleave.data.audio import SAMPLE_RATE
from s2st_interleave.encoder.filter_banks import extracted, filter_banks, is_known
from s2st_interleave.encoder.spec_augment import mask_time, spec_augment
from s2st_interleave.errors import UserError

FRAME_SHIFT_SEC, WINDOW_SEC = 0.01, 0.025  # of filter banks, before they are stacked


class Frontend(Protocol):
    """Turns 16 kHz samples into the model's input, time first, and counts its frames."""

    @property
    def extractor(self) -> Any:
        """Hugging Face's, whose classes share no callable base.

        It normalises audio as the model was pretrained.
        """

    @property
    def name(self) -> str:
        """The model's argument that takes the features."""

    @property
    def masked(self) -> bool:
        """Whether the model takes an attention mask."""

    @property
    def frame_sec(self) -> float:
        """Seconds from one output frame, which is one unit, to the next."""

    def features(self, samples: np.ndarray) -> np.ndarray:
        """float32 features of float32 (num_samples,), padded to one frame at least."""

    def num_frames(self, features: np.ndarray) -> int:
        """Output frames of the model for these features."""

    def frames(self, num_samples: int) -> int:
        """Output frames of the model for that many samples."""

    def augment(self, features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A copy with parts set to 0."""


def frontend(extractor: Any, config: PreTrainedConfig) -> Frontend:
    """Choose the kind that a feature extractor and a model's configuration ask for.

    Raises UserError for what no CTC encoder of Hugging Face at 16 kHz reads.
    """
    if extractor.sampling_rate != SAMPLE_RATE:
        raise UserError(
            f"the {config.model_type} encoder reads audio of {extractor.sampling_rate} "
            f"Hz, the recipe's is of {SAMPLE_RATE} Hz: take another encoder"
        )
    name = extractor.model_input_names[0]
    if name == FilterBanks.name and hasattr(extractor, "stride"):
        made = extractor.num_mel_bins * extractor.stride
        read = getattr(config, "feature_projection_input_dim", made)
        if read != made:
            raise UserError(
                f"the {config.model_type} encoder reads frames of {read} values, and its "
                f"feature extractor (preprocessor_config.json) makes {made}, "
                f"{extractor.stride} filter banks of {extractor.num_mel_bins}: take the one "
                "that belongs to it"
            )
        return FilterBanks(extractor)
    if name == Waveform.name and hasattr(config, "conv_stride"):
        return Waveform(extractor, tuple(config.conv_kernel), tuple(config.conv_stride))
    raise UserError(
        f"a {config.model_type} encoder with a {type(extractor).__name__} is neither of "
        "the kind of w2v-BERT nor of wav2vec 2.0 (XLS-R, HuBERT, WavLM)"
    )


@dataclass(frozen=True)
class FilterBanks:
    """Input of w2v-BERT 2.0: (num_frames, 80 * stride), `stride` filter banks a frame."""

    extractor: Any
    name = "input_features"
    masked = True

    @property
    def frame_sec(self) -> float:
        return FRAME_SHIFT_SEC * self.extractor.stride

    def features(self, samples: np.ndarray) -> np.ndarray:
        """float32 (num_frames, 80 * stride); an incomplete last frame is padded."""
        stride = self.extractor.stride
        samples = _at_least(WINDOW_SEC + FRAME_SHIFT_SEC * (stride - 1), samples)
        make = filter_banks if self._is_known else extracted
        return make(self.extractor, samples)

    @cached_property
    def _is_known(self) -> bool:
        return is_known(self.extractor)

    def num_frames(self, features: np.ndarray) -> int:
        return len(features)

    def frames(self, num_samples: int) -> int:
        window, shift = (
            round(seconds * SAMPLE_RATE) for seconds in (WINDOW_SEC, FRAME_SHIFT_SEC)
        )
        banks = 1 + max(0, num_samples - window) // shift
        return -(-banks // self.extractor.stride)

    def augment(self, features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return spec_augment(features, rng)


@dataclass(frozen=True)
class Waveform:
    """Input of wav2vec 2.0, XLS-R, HuBERT, WavLM: (num_samples,).

    `kernels` and `strides` are those of the convolutions inside the model, in samples.
    """

    extractor: Any
    kernels: tuple[int, ...]
    strides: tuple[int, ...]
    name = "input_values"

    @property
    def masked(self) -> bool:
        """False of models whose first norm runs over time: they were pretrained so."""
        return self.extractor.return_attention_mask

    @property
    def frame_sec(self) -> float:
        return math.prod(self.strides) / SAMPLE_RATE

    def features(self, samples: np.ndarray) -> np.ndarray:
        samples = _at_least(self._shortest / SAMPLE_RATE, samples)
        features = self.extractor(
            samples, sampling_rate=SAMPLE_RATE, return_tensors="np"
        )
        return features[self.name][0].astype(np.float32)

    def num_frames(self, features: np.ndarray) -> int:
        return self.frames(len(features))

    def frames(self, num_samples: int) -> int:
        length = max(num_samples, self._shortest)
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            length = (length - kernel) // stride + 1
        return length

    def augment(self, features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return mask_time(features, rng)

    @property
    def _shortest(self) -> int:
        """Samples that one output frame sees."""
        length = 1
        for kernel, stride in zip(self.kernels[::-1], self.strides[::-1], strict=True):
            length = (length - 1) * stride + kernel
        return length


def _at_least(seconds: float, samples: np.ndarray) -> np.ndarray:
    missing = round(seconds * SAMPLE_RATE) - len(samples)
    return np.pad(samples, (0, max(0, missing)))


def collate(front: Frontend, features: Sequence[np.ndarray]) -> dict[str, torch.Tensor]:
    """Features padded with 0 to (num_utterances, longest, ...), and their mask."""
    pad = torch.nn.utils.rnn.pad_sequence
    batch = {front.name: pad([torch.from_numpy(f) for f in features], batch_first=True)}
    if front.masked:
        mask = [torch.ones(len(f), dtype=torch.long) for f in features]
        batch["attention_mask"] = pad(mask, batch_first=True)
    return batch
