"""Samples are on the scale of 1, and channels that differ are said, or refused."""

import struct

import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio
from s2st_interleave.data.channels import Channels

RATE, SECONDS = 16_000, 4.0


@pytest.mark.parametrize("rate", [0, 1, 100, 1_000_000, 2**31 - 1, 2**32 - 1])
def test_an_absurd_sampling_rate_is_refused(tmp_path, signal, rate):
    path = tmp_path / "rate.wav"
    soundfile.write(path, signal, RATE)
    content = bytearray(path.read_bytes())
    content[24:28] = struct.pack("<I", rate)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"rate\.wav: (a sampling rate of|cannot be)"):
        audio.read(path)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_samples_that_are_no_numbers_are_refused(tmp_path, signal, subtype, odd):
    path = tmp_path / "odd.wav"
    soundfile.write(
        path, np.where(np.arange(64_000) == 8000, odd, signal), RATE, subtype
    )
    with pytest.raises(ValueError, match=r"odd\.wav: 1 of 64000 .* first at 0\.50 s"):
        audio.read(path)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize(
    ("bits", "peak"), [(16, 1.0), (16, 0.001), (24, 1.0), (32, 1.0)]
)
def test_integers_in_floating_point_are_refused(tmp_path, signal, subtype, bits, peak):
    path = tmp_path / "scale.wav"
    scaled = np.rint(peak * signal.astype(float) * 2 ** (bits - 1))
    soundfile.write(path, scaled, RATE, subtype=subtype)
    with pytest.raises(
        ValueError, match=rf"scale\.wav: .* that of {bits}-bit integers"
    ):
        audio.read(path)


def test_integers_that_were_worked_upon_are_refused_as_well(tmp_path, signal):
    path = tmp_path / "denoised.wav"
    soundfile.write(path, 3276.8 * signal, RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"denoised\.wav: samples reach .* full scale"):
        audio.read(path)


@pytest.mark.parametrize("peak", [1e-4, 1.0, 1.3, 4.0])
def test_headroom_is_read_as_it_is(tmp_path, signal, peak):
    path = tmp_path / "float.wav"
    scaled = (peak * signal / np.abs(signal).max()).astype(np.float32)
    soundfile.write(path, scaled, RATE, subtype="FLOAT")
    assert np.array_equal(audio.read(path), scaled)


@pytest.mark.parametrize("count", range(1, 9))
def test_one_signal_in_all_channels_is_that_signal(tmp_path, signal, count):
    path = tmp_path / "same.wav"
    soundfile.write(path, np.stack([signal] * count, 1), RATE, subtype="FLOAT")
    recording = audio.load(path)
    assert recording.note == ""
    assert np.abs(recording.samples - signal).max() < 1e-6


def test_two_channels_of_one_microphone_are_the_same(tmp_path, signal):
    """Lossy codecs, a turned knob and the noise of two amplifiers make no difference."""
    path = tmp_path / "stereo.mp3"
    noise = 0.001 * np.random.default_rng(1).standard_normal((len(signal), 2))
    for other in (signal, 0.9 * signal):
        stereo = np.stack([signal, other], 1) + noise
        soundfile.write(path, stereo, RATE, format="MP3")
        assert audio.load(path).note == ""


def speakers(signal: np.ndarray) -> np.ndarray:
    return np.stack([signal, signal[::-1]], 1)


def test_channels_that_differ_are_said_and_can_be_chosen(tmp_path, signal):
    path = tmp_path / "interpreter.wav"
    stereo = speakers(signal)
    soundfile.write(path, stereo, RATE, subtype="FLOAT")
    mixed = audio.load(path)
    assert mixed.note == "its 2 channels differ (-13, -13 dBFS): all are mixed"
    assert np.array_equal(mixed.samples, stereo.mean(axis=1))
    for name, side in {"left": 0, "right": 1, "1": 0, "2": 1}.items():
        picked = audio.load(path, channels=Channels(name))
        assert np.array_equal(picked.samples, stereo[:, side]) and not picked.note
    with pytest.raises(ValueError, match=r"interpreter\.wav: its 2 channels differ"):
        audio.load(path, channels=Channels("refuse"))
    with pytest.raises(ValueError, match=r"interpreter\.wav: has 2 channels, not '3'"):
        audio.load(path, channels=Channels("3"))
    for word in ("both", "0", "-1", "1.5", ""):
        with pytest.raises(ValueError, match="mix, refuse, left, right or a number"):
            Channels(word)


def test_a_channel_that_nobody_used_takes_nothing_from_the_other(tmp_path, signal):
    path = tmp_path / "one plug.wav"
    hum = 1e-4 * np.random.default_rng(0).standard_normal(len(signal))
    for silent in (0 * signal, hum):
        soundfile.write(path, np.stack([silent, signal], 1), RATE, subtype="FLOAT")
        recording = audio.load(path)
        assert np.array_equal(recording.samples, signal)
        assert "only 2 is heard" in recording.note


def test_channels_that_cancel_each_other_are_no_silence(tmp_path, signal):
    path = tmp_path / "polarity.wav"
    soundfile.write(path, np.stack([signal, -signal], 1), RATE)
    with pytest.raises(ValueError, match=r"polarity\.wav: .* cancel each other"):
        audio.load(path)
    assert len(audio.load(path, channels=Channels("left")).samples) == len(signal)
