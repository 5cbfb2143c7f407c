"""Bad recordings by format, and bad archives of a corpus."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from cases import Reader, Reads
from seeds import recordings

from s2st_interleave.data import audio

MADE = recordings()
WAV, FLAC, OGG, MP3 = (MADE[kind] for kind in ("wav", "flac", "ogg", "mp3"))


def encoded(
    samples: np.ndarray, rate: int = 16_000, kind: str = "WAV", **how: str
) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, **how)
    return stream.getvalue()


def flipped(content: bytes, place: int) -> bytes:
    """The content with a bit of a byte turned."""
    place %= len(content)
    return content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :]


def patched(content: bytes, place: int, value: bytes) -> bytes:
    return content[:place] + value + content[place + len(value) :]


def of_floats(*values: float) -> bytes:
    return encoded(np.array([0.1, *values]), subtype="FLOAT")


def silence(seconds: float, channels: int = 1) -> Callable[[], bytes]:
    shape = (round(seconds * 48_000), channels)
    return lambda: encoded(np.zeros(shape, np.int16), 48_000, "FLAC")


def samples(path: Path) -> int:
    return len(audio.load(path, longest_sec=30.0).samples)


READERS = {
    "WAV": Reader(
        "a.wav",
        samples,
        [
            ("whole", WAV, Reads(1600)),
            ("empty", b"", "a.wav: cannot be read as audio (empty file)"),
            (
                "a header alone",
                WAV[:44],
                "a.wav: no audio in it, though its header promises 320",
            ),
            ("cut off", WAV[:2000], "a.wav: breaks off after 0.06 of 0.10 s"),
            (
                "with more behind it",
                WAV + b"\1\2\3" * 9999,
                "a.wav: goes on after the 0.1 s",
            ),
            ("written to a pipe", patched(WAV, 40, bytes(4)), Reads(1600)),
            (
                "a length beyond all",
                patched(WAV, 40, b"\xf0\xff\xff\x7e"),
                "a.wav: breaks off",
            ),
            ("no sample", encoded(np.zeros(0)), "a.wav: no audio in it"),
            ("a rate of 0", patched(WAV, 24, bytes(4)), "a.wav: "),
            ("a rate beyond all", patched(WAV, 24, b"\xff" * 4), "a.wav: "),
            ("no channel", patched(WAV, 22, bytes(2)), "a.wav: "),
            ("channels beyond all", patched(WAV, 22, b"\xff\xff"), "a.wav: "),
            (
                "of an unknown codec",
                patched(WAV, 20, b"\x99\x99"),
                "a.wav: cannot be read as audio",
            ),
            (
                "samples that are not numbers",
                of_floats(float("nan")),
                "1 of 2 samples are not n",
            ),
            (
                "samples without end",
                of_floats(float("inf")),
                "1 of 2 samples are not numbers",
            ),
            (
                "samples of integers",
                of_floats(20_000.0),
                "scale seems to be that of 16-bit int",
            ),
            (
                "a web page",
                b"<html>404</html>",
                "a.wav: cannot be read as audio (it is text: '<h",
            ),
            ("a text of zeros", bytes(4000), "a.wav: cannot be read as audio"),
            ("an MP3 by another name", MP3, Reads(1600)),
            ("a FLAC by another name", FLAC, Reads(1600)),
            (
                "a playlist",
                "#EXTM3U\nhttp://example.org/a.ts\n",
                "a.wav: cannot be read as audio",
            ),
        ],
    ),
    "FLAC": Reader(
        "a.flac",
        samples,
        [
            ("whole", FLAC, Reads(1600)),
            ("cut off", FLAC[: len(FLAC) // 2], "a.flac: cannot be read as audio"),
            ("a flipped bit", flipped(FLAC, len(FLAC) - 99), "a.flac: "),
            (
                "a flipped bit of its sum",
                flipped(FLAC, 30),
                "a.flac: its samples are not those",
            ),
            ("a header alone", FLAC[:42], "a.flac: "),
            (
                "silence of an hour in a few kilobytes",
                silence(60),
                "a.flac: lasts 60 s, more th",
            ),
            (
                "silence of many channels",
                silence(20, 8),
                "a.flac: unpacks to 8 million samples",
            ),
        ],
    ),
    "Ogg": Reader(
        "a.ogg",
        samples,
        [
            ("whole", OGG, Reads(1600)),
            ("cut off", OGG[:-200], "a.ogg: breaks off after"),
            ("a flipped bit", flipped(OGG, len(OGG) - 99), "a.ogg: "),
            ("a header alone", OGG[:58], "a.ogg: "),
            ("its last page missing", OGG[: OGG.rfind(b"OggS")], "a.ogg: "),
        ],
    ),
    "MP3": Reader(
        "a.mp3",
        samples,
        [
            ("whole", MP3, Reads(1600)),
            ("cut off", MP3[: len(MP3) // 2], "a.mp3: cannot be read as audio"),
            ("a header alone", MP3[:4], "a.mp3: "),
            ("a tag alone", b"ID3\4\0\0\0\0\7\x7f" + bytes(1023), "a.mp3: "),
            ("a tag beyond all", b"ID3\4\0\0\x7f\x7f\x7f\x7f" + MP3, "a.mp3: "),
            (
                "its text",
                b"Not Found\n",
                "a.mp3: cannot be read as audio (it is text: 'Not Fou",
            ),
        ],
    ),
}
