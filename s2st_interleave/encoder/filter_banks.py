"""Filter banks of w2v-BERT, the same bits as the extractor's, over all frames at once.

Hugging Face's SeamlessM4TFeatureExtractor takes one frame after another in Python, which
is most of the time that the extraction takes.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from transformers import SeamlessM4TFeatureExtractor

from s2st_interleave import keyed

FRAME, SHIFT, FFT = 400, 160, 512  # samples; the extractor has no option for them
PREEMPHASIS = 0.97
FLOOR = 1.192092955078125e-07  # of a mel band
BLOCK = 64  # frames that are transformed at once: their spectra fit into a cache


def filter_banks(extractor: Any, samples: np.ndarray) -> np.ndarray:
    """float32 (num_frames, num_mel_bins * stride) of float32 (num_samples,) at 16 kHz.

    Window, mel bands, stride and padding are those of `extractor`, and the operations are
    those of its code in their order. `samples` fill one frame of 25 ms at least.
    """
    waveform = (samples * 2**15).astype(np.float64)
    frames = sliding_window_view(waveform, FRAME)[::SHIFT]
    power = np.empty((len(frames), FFT // 2 + 1))
    for start in range(0, len(frames), BLOCK):
        block = frames[start : start + BLOCK]
        power[start : start + BLOCK] = _power(block, extractor.window)
    mel = np.maximum(FLOOR, np.dot(extractor.mel_filters.T, power.T))
    banks = np.log(mel).astype(np.float32).T
    banks = (banks - banks.mean(0)) / np.sqrt(banks.var(0, ddof=1) + 1e-7)
    missing = -len(banks) % extractor.stride
    padded = np.pad(
        banks, ((0, missing), (0, 0)), constant_values=extractor.padding_value
    )
    return padded.reshape(len(padded) // extractor.stride, -1)


def _power(frames: np.ndarray, window: np.ndarray) -> np.ndarray:
    """float64 power spectra (num_frames, 257) of float64 frames (num_frames, 400)."""
    centred = frames - frames.mean(1, keepdims=True)
    buffer = np.zeros((len(frames), FFT))
    sharp = buffer[:, :FRAME]
    sharp[:, 1:] = centred[:, 1:] - PREEMPHASIS * centred[:, :-1]
    sharp[:, 0] = centred[:, 0] * (1 - PREEMPHASIS)
    sharp *= window
    spectrum = np.fft.rfft(buffer).astype(np.complex64)
    return np.abs(spectrum, dtype=np.float64) ** 2.0


def extracted(extractor: Any, samples: np.ndarray) -> np.ndarray:
    """As `filter_banks`, by the code of any extractor that gives `input_features`."""
    features = extractor(
        samples,
        sampling_rate=extractor.sampling_rate,
        return_tensors="np",
        pad_to_multiple_of=extractor.stride,
    )
    return features["input_features"][0].astype(np.float32)


def is_known(extractor: Any) -> bool:
    """Whether `filter_banks` gives the bits of this extractor.

    A setting that it does not know, or another version of the library, shows in a noise.
    """
    if type(extractor) is not SeamlessM4TFeatureExtractor:
        return False
    # Its last frame is padded, and it has more frames than one block.
    num_samples = FRAME + SHIFT * (BLOCK + extractor.stride - BLOCK % extractor.stride)
    noise = keyed.generator("filter banks").standard_normal(num_samples)
    samples = (0.1 * noise).astype(np.float32)
    wanted = extracted(extractor, samples)
    return np.array_equal(filter_banks(extractor, samples), wanted, equal_nan=True)
