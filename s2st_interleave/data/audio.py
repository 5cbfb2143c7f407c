"""Audio files: read anything libsndfile or PyAV reads, write 16 kHz mono.

Everything a user brings is read here, and nothing is taken on trust: a file holds as much
as it promises, in numbers on the scale of 1, or is refused by name.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave.data import decoder
from s2st_interleave.data.channels import MIX, Channels, mono
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write

SAMPLE_RATE = 16_000
LONGEST_SEC = 12 * 3600.0  # a day at a parliament: 3 GB in memory


@dataclass(frozen=True)
class Recording:
    """Mono float32 samples (num_samples,), and what was odd about their channels."""

    samples: np.ndarray
    note: str = ""


def read(path: Path, rate: int = SAMPLE_RATE) -> np.ndarray:
    """Mono float32 samples of shape (num_samples,) at `rate` Hz; errors as of `load`."""
    return load(path, rate).samples


def load(
    path: Path,
    rate: int = SAMPLE_RATE,
    *,
    channels: Channels = MIX,
    longest_sec: float = LONGEST_SEC,
) -> Recording:
    """The recording of `path` at `rate` Hz.

    Raises UserError naming the file when it cannot be decoded, breaks off, promises more
    than `longest_sec`, holds no sample or samples that are not numbers or not on the
    scale of 1, or when its channels are not what `channels` wants.
    """
    try:
        samples, found = decoder.decode(path, longest_sec)
        signal, note = mono(samples, channels)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return Recording(_resampled(path, signal, found, rate), note)


def load_channels(path: Path, rate: int = SAMPLE_RATE) -> np.ndarray:
    """All channels, float32 (num_samples, num_channels); errors as of `load`."""
    try:
        samples, found = decoder.decode(path, LONGEST_SEC)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return _resampled(path, samples, found, rate)


def _resampled(path: Path, samples: np.ndarray, found: int, rate: int) -> np.ndarray:
    if found != rate:
        import soxr

        samples = soxr.resample(samples, found, rate).astype(np.float32)
    if not len(samples):
        raise UserError(f"{path}: no audio in it, not one sample")
    return samples


def write(
    path: Path, samples: np.ndarray, rate: int = SAMPLE_RATE, comment: str = ""
) -> None:
    """Write 16-bit PCM, WAV or FLAC by the name's ending; clips at full scale.

    `comment`: of a FLAC, in its own header: it appears with the file.
    """
    import soundfile

    with atomic_write(path, "wb") as stream:
        kind = path.suffix[1:].upper()
        clipped = np.clip(samples, -1.0, 1.0)
        with soundfile.SoundFile(stream, "w", rate, 1, "PCM_16", format=kind) as file:
            if comment:
                file.comment = comment
            file.write(clipped)


def comment(path: Path) -> str:
    """What `write` has put into a file's header; empty where there is none.

    Empty as well for a file without its end, as a copy that was interrupted leaves it.
    """
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            file.seek(max(0, file.frames - 1))
            return file.comment if len(file.read(1)) else ""
    except (soundfile.LibsndfileError, OSError):
        return ""
