"""MP3 as Common Voice has it: of any bit rate, and sometimes half of it."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio

SECONDS = 4.0


@pytest.fixture
def mp3(tmp_path) -> Path:
    """Four seconds, of which half are silent, with the length in the first frame."""
    rng = np.random.default_rng(0)
    t = np.arange(int(48_000 * SECONDS)) / 48_000
    tone = 0.3 * np.sin(2 * np.pi * (200 + 100 * t) * t) * (t % 1 < 0.5)
    path = tmp_path / "it's a clip.mp3"
    samples = tone + 0.01 * rng.standard_normal(len(t))
    soundfile.write(path, samples, 48_000, format="MP3", bitrate_mode="VARIABLE")
    assert b"Xing" in path.read_bytes()[:100]
    return path


def test_variable_bit_rate(mp3):
    assert len(audio.read(mp3)) / 16_000 == pytest.approx(SECONDS, abs=0.1)


def test_variable_bit_rate_whose_length_nobody_says(mp3):
    """libsndfile alone reads the first 1.2 s of it, without a word."""
    data = mp3.read_bytes()
    mp3.write_bytes(data[data.index(b"\xff\xfb", 4) :])
    with soundfile.SoundFile(mp3) as file:
        assert file.frames / file.samplerate < 2
    assert len(audio.read(mp3)) / 16_000 == pytest.approx(SECONDS, abs=0.1)


def test_a_guess_that_is_too_long_is_no_damage(mp3):
    """Silence in front is coded in few bits: libsndfile then expects 8 s."""
    samples, rate = soundfile.read(mp3)
    samples = np.concatenate([np.zeros(rate // 2), samples])
    soundfile.write(mp3, samples, rate, format="MP3", bitrate_mode="VARIABLE")
    data = mp3.read_bytes()
    mp3.write_bytes(data[data.index(b"\xff\xfb", 4) :])
    with soundfile.SoundFile(mp3) as file:
        assert file.frames / file.samplerate > 6
    seconds = len(audio.read(mp3)) / 16_000
    assert seconds == pytest.approx(SECONDS + 0.5, abs=0.1)


@pytest.mark.parametrize("tag", [b"", b"ID3\x03\0\0\0\0\1\0" + bytes(128)])
@pytest.mark.parametrize("kept", [0.5, 0.8])
def test_half_a_recording_is_not_a_recording(mp3, kept, tag):
    data = mp3.read_bytes()
    mp3.write_bytes(tag + data[: int(kept * len(data))])
    with pytest.raises(
        ValueError, match=r"clip\.mp3: breaks off after \d\.\d of 4\.0 s"
    ):
        audio.read(mp3)


@pytest.mark.parametrize("data", [b"", b"<html>404</html>", bytes(5000), b"ID3\x03"])
def test_what_is_no_audio_is_named(mp3, data):
    mp3.write_bytes(data)
    with pytest.raises(ValueError, match=r"clip\.mp3: cannot be read as audio"):
        audio.read(mp3)


def test_garbage_in_the_midst_is_an_error(mp3):
    data = mp3.read_bytes()
    middle = len(data) // 2
    mp3.write_bytes(data[:middle] + bytes(3000) + data[middle + 3000 :])
    with pytest.raises(ValueError, match="cannot be read as audio"):
        audio.read(mp3)
