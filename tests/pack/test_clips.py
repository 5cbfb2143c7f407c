"""A recording is read from wherever it comes; what cannot be translated says why."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio
from s2st_interleave.errors import UserError
from s2st_interleave.pack import clips
from s2st_interleave.pack.clips import Bounds, Refused


@pytest.fixture
def wav(tmp_path) -> Path:
    """Two channels of 44.1 kHz."""
    draw = np.random.default_rng(1)
    path = tmp_path / "in put.wav"
    soundfile.write(path, np.tile(0.1 * draw.standard_normal((44_100, 1)), 2), 44_100)
    return path


def test_a_path_an_array_a_file_and_its_bytes_are_one_recording(wav):
    read = clips.read(wav)
    assert read.seconds == 1.0 and read.samples.dtype == np.float32
    array, rate = soundfile.read(wav)
    integers, _ = soundfile.read(wav, dtype="int16")
    with wav.open("rb") as stream:
        others = [
            clips.read(str(wav)),
            clips.read((array, rate)),
            clips.read((rate, array)),
            clips.read(array[:, 0].tolist(), rate),
            clips.read(integers, rate),
            clips.read(stream),
            clips.read(wav.read_bytes()),
            clips.read(io.BytesIO(wav.read_bytes())),
        ]
    for other in others:
        assert np.array_equal(other.samples, read.samples), other.name


def test_it_is_what_stage_1_writes(wav, tmp_path):
    audio.write(tmp_path / "u.flac", audio.read(wav))
    assert np.array_equal(clips.read(wav).samples, audio.read(tmp_path / "u.flac"))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32"])
def test_integers_are_of_full_scale(dtype):
    whole = np.sin(np.arange(16_000) / 9) / 2
    top = 2 ** (8 * np.dtype(dtype).itemsize - 1)
    integers = (whole * top + (top if dtype == "uint8" else 0)).astype(dtype)
    assert np.abs(clips.read(integers, 16_000).samples - whole).max() < 1.1 / 128


def silence(seconds: float) -> tuple[np.ndarray, int]:
    return np.zeros(round(4_000 * seconds)), 4_000


FAINT = (1e-4 * np.sin(np.arange(16_000)), 16_000)  # -83 dBFS


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        (silence(0.05), "too short", "0.05 s is too short"),
        (silence(31), "too long", "30 s that are .*, or raise max_sec"),
        (silence(700), "cannot be read", "lasts 700 s, more than the 600 s"),
        (silence(2), "silent", "silent: its level is -120.0 dBFS"),
        (FAINT, "silent", "silent: its level is -83.0 dBFS"),
        ((np.zeros(0), 16_000), "cannot be read", "not one sample"),
        (
            (np.full(9_999, np.nan), 8_000),
            "cannot be read",
            "9999 of 9999 samples are not",
        ),
        ((np.zeros((2, 9_999)), 8_000), "cannot be read", r"shape \(2, 9999\): wants"),
        (
            (np.arange(9_999.0), 8_000),
            "cannot be read",
            "scale seems to be that of 16-bit",
        ),
        ((np.zeros(9_999), 100), "cannot be read", "a sampling rate of 100 Hz"),
        ((np.zeros(9_999, complex), 8_000), "cannot be read", "complex128 of shape"),
        (b"<html>404</html>", "cannot be read", "the bytes: cannot be read as audio"),
        (b"", "cannot be read", "the bytes: cannot be read as audio .empty file"),
        (io.StringIO("text"), "cannot be read", "open it with mode 'rb'"),
        ("none.wav", "cannot be read", "none.wav: no such file"),
    ],
)
def test_what_is_not_translated_says_why(source, kind, message):
    with pytest.raises(Refused, match=message) as refused:
        clips.read(source)
    assert refused.value.kind == kind


def test_the_bounds_can_be_moved():
    assert clips.read(FAINT, bounds=Bounds(min_dbfs=-90)).seconds == 1.0
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000 * 40)
    assert clips.read(noise, 16_000, Bounds(max_sec=40)).seconds == 40
    with pytest.raises(Refused, match="too short"):
        clips.read(noise[:16_000], 16_000, Bounds(min_sec=1.5))


def test_a_rate_belongs_to_an_array(wav):
    with pytest.raises(UserError, match="an array needs its rate"):
        clips.read(np.zeros(16_000))
    with pytest.raises(UserError, match="a file says its rate itself"):
        clips.read(wav, 16_000)


def test_channels_that_differ_are_told(wav):
    two = np.stack([np.sin(np.arange(16_000) / k) / 2 for k in (9, 7)], axis=1)
    assert "its 2 channels differ" in clips.read(two, 16_000).remarks[0]
