"""Filter banks of all frames at once are those of Hugging Face's extractor, to the bit."""

import numpy as np
import pytest
from transformers import SeamlessM4TFeatureExtractor

from s2st_interleave.encoder.filter_banks import extracted, is_known
from s2st_interleave.encoder.frontend import FilterBanks

SETTINGS = [
    {},
    {"stride": 1},
    {"stride": 3, "padding_value": 1.0},
    {"stride": 4, "num_mel_bins": 40, "feature_size": 40},
]


def clips(count: int):
    """Noises of any length and level: off zero, of 16 bits, half silent, all silent."""
    rng = np.random.default_rng(2)
    for number in range(count):
        samples = rng.standard_normal(int(rng.integers(1200, 40_000)))
        samples *= 10 ** rng.uniform(-6, 0)
        samples += rng.uniform(-1, 1) if number % 5 == 1 else 0
        if number % 5 == 2:
            samples = np.round(32_768 * samples) / 32_768
        if number % 5 == 3:
            samples[rng.integers(len(samples)) :] = 0
        if number == 4:
            samples[:] = 0
        yield samples.astype(np.float32)


@pytest.mark.parametrize("settings", SETTINGS)
def test_they_are_the_bits_of_the_extractor(settings):
    extractor = SeamlessM4TFeatureExtractor(**settings)
    assert is_known(extractor)
    front = FilterBanks(extractor)
    for samples in clips(10):
        features, wanted = front.features(samples), extracted(extractor, samples)
        assert features.dtype == wanted.dtype == np.float32
        assert features.shape == wanted.shape
        assert np.array_equal(features, wanted, equal_nan=True)


class Other(SeamlessM4TFeatureExtractor):
    """An extractor of one's own."""

    def _extract_fbank_features(self, waveform):
        return super()._extract_fbank_features(waveform) ** 2


@pytest.mark.parametrize(
    "extractor",
    [SeamlessM4TFeatureExtractor(padding_side="left"), Other()],
    ids=["padded on the left", "of a user's class"],
)
def test_an_extractor_that_is_not_known_goes_through_its_own_code(extractor):
    assert not is_known(extractor)
    samples = next(clips(1))
    wanted = extracted(extractor, samples)
    assert np.array_equal(FilterBanks(extractor).features(samples), wanted)
