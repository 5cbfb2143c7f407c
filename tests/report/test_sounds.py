"""Recordings in a page are small, whole up to a limit, and drawn as they sound."""

import io
import struct
import zlib

import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio
from s2st_interleave.report import sounds

RATE = audio.SAMPLE_RATE


def tone(hertz: float, seconds: float) -> np.ndarray:
    time = np.arange(round(RATE * seconds)) / RATE
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def picture(png: bytes) -> np.ndarray:
    """The grey values 0..15 of a PNG that `sounds.png` has written."""
    width, height, depth = struct.unpack(">IIB", png[16:25])
    assert depth == 4
    start = png.index(b"IDAT") + 4
    rows = np.frombuffer(zlib.decompress(png[start:-16]), np.uint8).reshape(height, -1)
    pairs = np.stack([rows[:, 1:] >> 4, rows[:, 1:] & 15], axis=2)
    return pairs.reshape(height, -1)[:, :width]


def test_a_picture_holds_the_grey_values_that_it_was_given():
    greys = np.arange(15).reshape(3, 5).astype(np.uint8)
    assert (picture(sounds.png(greys)) == greys).all()


@pytest.mark.parametrize("hertz", [500, 3000, 7000])
def test_a_tone_is_dark_at_its_height(hertz):
    greys = picture(sounds.spectrogram(tone(hertz, 0.5)))
    darkest = int(greys[:, 10:-10].mean(axis=1).argmin())
    assert (len(greys) - 1 - darkest) * RATE / sounds.WINDOW == pytest.approx(
        hertz, abs=63
    )


@pytest.mark.parametrize("num_samples", [1, 100, 16_000])
def test_silence_and_short_clips_have_a_white_picture(num_samples):
    greys = picture(sounds.spectrogram(np.zeros(num_samples, np.float32)))
    assert greys.shape[1] >= 1 and (greys == 15).all()


def test_a_long_recording_has_no_wider_picture_than_others():
    greys = picture(sounds.spectrogram(tone(440, 30)))
    assert sounds.MOST_COLUMNS - 2 <= greys.shape[1] <= sounds.MOST_COLUMNS + 2


def test_what_is_kept_is_a_tenth_of_the_samples_and_as_long(tmp_path):
    audio.write(tmp_path / "x.wav", tone(440, 3.0))
    sound = sounds.read(tmp_path / "x.wav")
    assert sound.mime == "audio/mpeg" and sound.seconds == 3.0
    assert soundfile.info(io.BytesIO(sound.audio)).duration == pytest.approx(
        3, abs=0.01
    )
    assert len(sound.audio) < 3 * RATE * 2 / 4


def test_without_mp3_it_is_a_wav(monkeypatch):
    monkeypatch.setattr(sounds, "_has_mp3", lambda: False)
    data, mime = sounds.encoded(tone(440, 0.5))
    assert mime == "audio/wav" and soundfile.info(io.BytesIO(data)).frames == RATE // 2


def test_the_end_of_a_very_long_recording_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(sounds, "LONGEST_SEC", 0.5)
    audio.write(tmp_path / "x.wav", tone(440, 2.0))
    sound = sounds.read(tmp_path / "x.wav")
    assert (sound.seconds, sound.drawn_sec) == (2.0, 0.5)
    assert soundfile.info(io.BytesIO(sound.audio)).duration == pytest.approx(
        0.5, abs=0.01
    )
