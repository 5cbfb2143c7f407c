"""SpecAugment (Park et al. 2019) with a keyed generator; the library uses global state."""

import numpy as np

from s2st_interleave.data.audio import SAMPLE_RATE

NUM_MEL = 80  # bins of a filter bank; a frame stacks several of them
NUM_FREQ_MASKS, MAX_BINS = 2, 16
MAX_FRAMES, FRAMES_PER_TIME_MASK = 6, 25
SAMPLES_PER_FRAME = SAMPLE_RATE // 50  # a waveform's spans have the same share of it


def spec_augment(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A copy of normalised features, (num_frames, stacked * 80), with bands set to 0.

    It masks two bands of up to 16 mel bins, and for each 25 frames a span of up to 6
    frames, which is less than a word at 25 frames a second.
    """
    masked = features.copy()
    num_frames = len(masked)
    bins = masked.reshape(num_frames, -1, NUM_MEL)
    for _ in range(NUM_FREQ_MASKS):
        start, end = _band(rng, NUM_MEL, MAX_BINS)
        bins[:, :, start:end] = 0
    for _ in range(max(1, num_frames // FRAMES_PER_TIME_MASK)):
        start, end = _band(rng, num_frames, MAX_FRAMES)
        masked[start:end] = 0
    return masked


def mask_time(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A copy of normalised samples, (num_samples,), with spans of up to 0.12 s set to 0.

    One span for each half a second; a waveform has no bands to mask.
    """
    masked = samples.copy()
    longest = MAX_FRAMES * SAMPLES_PER_FRAME
    count = len(samples) // (FRAMES_PER_TIME_MASK * SAMPLES_PER_FRAME)
    for _ in range(max(1, count)):
        # Of a very short clip at most half is masked, so that some speech is left.
        start, end = _band(rng, len(samples), min(longest, len(samples) // 2))
        masked[start:end] = 0
    return masked


def _band(rng: np.random.Generator, size: int, longest: int) -> tuple[int, int]:
    width = int(rng.integers(0, min(longest, size) + 1))
    start = int(rng.integers(0, size - width + 1))
    return start, start + width
