"""Audio files: read anything libsndfile reads, write 16 kHz mono."""

from pathlib import Path

import numpy as np

from s2st_interleave.artifact import atomic_write

SAMPLE_RATE = 16_000


def read(path: Path, rate: int = SAMPLE_RATE) -> np.ndarray:
    """Mono float32 samples of shape (num_samples,) at `rate` Hz.

    Raises ValueError naming the file when it cannot be decoded or holds no sample.
    """
    import soundfile

    try:
        samples, found = soundfile.read(str(path), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ValueError(f"{path}: cannot be read as audio ({error})") from None
    mono = samples.mean(axis=1)
    if found != rate:
        import soxr

        mono = soxr.resample(mono, found, rate).astype(np.float32)
    if not len(mono) or not np.isfinite(mono).all():
        raise ValueError(f"{path}: no audio, or samples that are not numbers")
    return mono


def write(path: Path, samples: np.ndarray, rate: int = SAMPLE_RATE) -> None:
    """Write 16-bit PCM, WAV or FLAC by the name's ending; clips at full scale."""
    import soundfile

    with atomic_write(path, "wb") as stream:
        kind = path.suffix[1:].upper()
        clipped = np.clip(samples, -1.0, 1.0)
        soundfile.write(stream, clipped, rate, format=kind, subtype="PCM_16")
