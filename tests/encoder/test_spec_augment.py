"""SpecAugment: keyed, partial, and harmless to what it is given."""

import numpy as np
import pytest

from s2st_interleave import keyed
from s2st_interleave.encoder.spec_augment import mask_time, spec_augment


@pytest.mark.parametrize("num_frames", [1, 5, 75])
def test_some_bands_are_0_the_rest_is_untouched_and_the_key_decides(num_frames):
    features = np.random.default_rng(0).standard_normal((num_frames, 320)) + 9
    before = features.copy()
    masked = [spec_augment(features, keyed.generator(1, step)) for step in (0, 0, 1, 2)]
    assert np.array_equal(features, before)
    assert np.array_equal(masked[0], masked[1])
    assert not all(np.array_equal(masked[0], other) for other in masked[2:])
    for each in masked:
        kept = each != 0
        assert np.array_equal(each[kept], features[kept])
    assert any((each == 0).any() for each in masked)


def test_most_of_an_utterance_is_left():
    features = np.ones((75, 320))
    shares = [spec_augment(features, keyed.generator(1, k)).mean() for k in range(50)]
    assert 0.5 < np.mean(shares) < 0.9


@pytest.mark.parametrize("num_samples", [1, 80, 400, 48_000])
def test_spans_of_a_waveform_are_0_the_rest_is_untouched(num_samples):
    samples = np.random.default_rng(0).standard_normal(num_samples) + 9
    before = samples.copy()
    masked = [
        mask_time(samples, keyed.generator(1, step)) for step in (0, 0, *range(9))
    ]
    assert np.array_equal(samples, before) and np.array_equal(masked[0], masked[1])
    for each in masked:
        assert np.array_equal(each[each != 0], samples[each != 0])
        assert (each != 0).mean() > 0.4
    assert num_samples == 1 or any((each == 0).any() for each in masked)
