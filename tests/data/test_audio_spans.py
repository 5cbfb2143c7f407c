"""A span of a recording is what it is in the whole, whatever the file."""

import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio


def noise(count: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(count).standard_normal(count)


FILES = {
    "of stage 1.flac": (16_000, 1, "PCM_16"),
    "long.flac": (16_000, 1, "PCM_16"),
    "of 24 bits.flac": (16_000, 1, "PCM_24"),
    "of another rate.flac": (22_050, 1, "PCM_16"),
    "of two channels.flac": (16_000, 2, "PCM_16"),
    "of floats.wav": (16_000, 1, "FLOAT"),
    "lossy.ogg": (16_000, 1, "VORBIS"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_span_has_the_samples_of_the_whole(name, tmp_path):
    rate, channels, subtype = FILES[name]
    path = tmp_path / name
    samples = noise(160_000 if name == "long.flac" else 30_000)
    if name == "of stage 1.flac":
        path.write_bytes(audio.encoded(samples, comment="a source"))
    else:
        soundfile.write(path, np.stack([samples] * channels, 1), rate, subtype)
    whole = audio.read(path)
    assert audio.num_samples(path) == len(whole)
    rng = np.random.default_rng(0)
    spans = [(0, 8320), (0, len(whole)), (len(whole) - 1, len(whole))]
    spans += [(start, start + 640) for start in rng.integers(len(whole) - 640, size=20)]
    for start, stop in spans:
        span = audio.read_span(path, int(start), int(stop))
        assert span.dtype == np.float32
        assert np.array_equal(span, whole[start:stop])


def test_a_span_that_is_not_there_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "cut.flac"
    audio.write(path, noise(30_000))
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(ValueError, match=r"cut\.flac: breaks off"):
        audio.read_span(path, 29_000, 30_000)
    with pytest.raises(ValueError, match=r"gone\.flac: no such file"):
        audio.read_span(tmp_path / "gone.flac", 0, 10)
    with pytest.raises(ValueError, match=r"gone\.flac: no such file"):
        audio.num_samples(tmp_path / "gone.flac")
