"""Small files that unpack to more than memory should hold are refused."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio, checks

SECONDS, CHANNELS, RATE = 0.9, 8, 48_000


@pytest.fixture(params=["flac", "flac without a length"])
def bomb(request, tmp_path) -> Path:
    """Silence of 8 channels, which packs well; libsndfile reads one, PyAV the other."""
    path = tmp_path / "bomb.flac"
    samples = np.zeros((round(SECONDS * RATE), CHANNELS), np.int16)
    soundfile.write(path, samples, RATE)
    if request.param != "flac":
        content = bytearray(path.read_bytes())
        content[21] &= 0xF0  # the number of samples has 36 bits
        content[22:26] = bytes(4)
        path.write_bytes(content)
    return path


def test_a_file_that_unpacks_to_too_much_is_refused_by_name(bomb):
    assert bomb.stat().st_size < SECONDS * RATE * CHANNELS / 20
    with pytest.raises(
        ValueError, match=r"bomb\.\w+: unpacks to \d million samples over all channels"
    ):
        audio.load(bomb, longest_sec=1.0)
    assert len(audio.load(bomb, longest_sec=30).samples) == round(SECONDS * 16_000)


def test_studio_recordings_within_the_length_of_an_utterance_are_read():
    longest_sec = checks.LONGEST_UTTERANCE * 30
    checks.check_size(30 * 192_000 * 8, longest_sec)
    checks.check_size(30 * 48_000 * checks.MAX_CHANNELS, longest_sec)
