"""Writes answers in speech, by the ending of a file's name."""

from pathlib import Path

import numpy as np
import soundfile

from s2st_interleave.data import audio
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write

FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".aiff": ("AIFF", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}


def endings() -> list[str]:
    """Endings that can be written here: older libsndfiles know no MP3."""
    return [end for end, form in FORMATS.items() if soundfile.check_format(*form)]


def check_ending(path: Path) -> None:
    """Raise UserError for a name whose ending cannot be written."""
    if path.suffix.lower() not in endings():
        raise UserError(
            f"{path}: speech cannot be written as '{path.suffix}' here, but as "
            f"{' '.join(endings())}"
        )


def encoded(samples: np.ndarray, rate: int, ending: str = ".wav") -> bytes:
    """The content of a file of float32 samples (num_samples,); clips at full scale."""
    kind, subtype = FORMATS[ending]
    return audio.encoded(samples, rate, kind, subtype=subtype)


def write(path: Path, samples: np.ndarray, rate: int) -> None:
    """Write a file, by rename; UserError where its ending has no such rate, or is unknown."""
    check_ending(path)
    try:
        content = encoded(samples, rate, path.suffix.lower())
    except soundfile.LibsndfileError as error:
        raise UserError(f"{path}: {rate} Hz: {error.error_string}") from None
    with atomic_write(path, "wb") as stream:
        stream.write(content)
