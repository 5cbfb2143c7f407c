"""Files that were damaged, or made to do harm, are refused by name."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio, checks
from s2st_interleave.errors import UserError

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


@pytest.mark.parametrize(
    ("place", "value"),
    [(28, b"none"), (20, bytes(8))],
    ids=["of an unknown codec", "at a rate of 0"],
)
def test_a_container_without_a_sound_that_can_be_decoded_is_refused(
    tmp_path, place, value
):
    path = tmp_path / "damaged.caf"
    soundfile.write(path, np.zeros(8000), 16_000, format="CAF")
    content = path.read_bytes()
    path.write_bytes(content[:place] + value + content[place + len(value) :])
    with pytest.raises(UserError, match=r"damaged\.caf: .*cannot be read as audio"):
        audio.load(path)


def test_a_title_that_is_no_utf8_does_no_harm(tmp_path):
    path = tmp_path / "titled.mka"
    with av.open(str(path), "w", format="matroska") as container:
        container.metadata["title"] = "AAAA"
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        samples = np.full((1, 16_000), 500, np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b"AAAA", b"\xff\xfe\xff\xfe"))
    assert len(audio.load(path).samples) == 16_000


@pytest.mark.parametrize("ending", [".au", ".snd", ".vox", ".VOX", ".gsm", ".raw"])
def test_a_name_alone_makes_no_recording_of_a_page(tmp_path, ending):
    """libsndfile takes whatever has such a name for samples: a page of HTML was speech."""
    path = tmp_path / f"lost{ending}"
    path.write_text("<!DOCTYPE html><title>404 Not Found</title>" * 400)
    with pytest.raises(UserError, match="cannot be read as audio"):
        audio.load(path)


def test_a_recording_of_sun_with_its_header_is_read(tmp_path):
    path = tmp_path / "whole.au"
    soundfile.write(path, np.zeros(16_000, np.int16), 16_000)
    assert len(audio.load(path).samples) == 16_000
