"""A recording within a page: compressed audio, and its spectrogram as a picture."""

import base64
import io
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from s2st_interleave.data import audio
from s2st_interleave.data.audio import SAMPLE_RATE
from s2st_interleave.errors import UserError

LONGEST_SEC = 60.0  # what comes later is left out: a page is to stay small
WINDOW = 256  # samples, 16 ms: words and formants are seen, single harmonics are not
SHORTEST_HOP, MOST_COLUMNS = 96, 640
RANGE_DB = 55.0
NUM_GREYS = 16  # 4 bits


@dataclass(frozen=True)
class Sound:
    """A recording as a page holds it; `seconds` are those of the whole recording."""

    audio: bytes
    mime: str
    picture: bytes  # PNG, time from left to right, 0 to 8 kHz from below
    seconds: float

    @property
    def drawn_sec(self) -> float:
        """Seconds that are heard and drawn."""
        return min(self.seconds, LONGEST_SEC)


def read(path: Path) -> Sound:
    """Read a recording; errors as of `audio.load`."""
    samples = audio.read(path)
    kept = samples[: round(LONGEST_SEC * SAMPLE_RATE)]
    data, mime = encoded(kept)
    return Sound(data, mime, spectrogram(kept), len(samples) / SAMPLE_RATE)


def can_be_read(path: Path) -> bool:
    """Whether there is a whole recording, and sound in it."""
    try:
        return len(audio.read(path)) > 0
    except (UserError, OSError):
        return False


def encoded(samples: np.ndarray) -> tuple[bytes, str]:
    """A file in memory, and its type: MP3, which all browsers play, else 16-bit WAV."""
    if not _has_mp3():
        return audio.encoded(samples, kind="WAV"), "audio/wav"
    stream = io.BytesIO()
    soundfile.write(stream, samples, SAMPLE_RATE, format="MP3")
    return stream.getvalue(), "audio/mpeg"


@cache
def _has_mp3() -> bool:
    """Whether libsndfile can write MP3, which it has learned in version 1.1."""
    return "MP3" in soundfile.available_formats()


def spectrogram(samples: np.ndarray) -> bytes:
    """A PNG of the short-time spectrum, dark where it is loud."""
    emphasised = np.diff(samples.astype(np.float64), prepend=0.0)
    hop = max(SHORTEST_HOP, -(-len(samples) // MOST_COLUMNS))
    padded = np.pad(emphasised, WINDOW // 2)
    count = 1 + (len(padded) - WINDOW) // hop
    places = hop * np.arange(count)[:, None] + np.arange(WINDOW)
    power = np.abs(np.fft.rfft(padded[places] * np.hanning(WINDOW))) ** 2
    decibel = 10 * np.log10(power + 1e-10)
    loudness = np.clip((decibel - decibel.max()) / RANGE_DB + 1, 0, 1)
    if decibel.max() <= -90:  # silence has no loudest place
        loudness = np.zeros_like(loudness)
    greys = np.round((NUM_GREYS - 1) * (1 - loudness)).astype(np.uint8)
    return png(greys.T[::-1])


def png(greys: np.ndarray) -> bytes:
    """A PNG of grey values 0..15, shape (height, width)."""
    height, width = greys.shape
    even = np.pad(greys, ((0, 0), (0, width % 2)))
    packed = even[:, ::2] << 4 | even[:, 1::2]
    rows = np.pad(packed, ((0, 0), (1, 0)))  # filter 0 in front of each row
    head = struct.pack(">IIBBBBB", width, height, 4, 0, 0, 0, 0)
    body = zlib.compress(rows.astype(np.uint8).tobytes(), 9)
    chunks = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def data_uri(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"
