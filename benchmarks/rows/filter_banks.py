"""Filter banks of w2v-BERT 2.0 against Hugging Face's extractor, which makes the same bits."""

from collections.abc import Iterator

import numpy as np
from transformers import SeamlessM4TFeatureExtractor

from benchmarks.measure import Row, side_by_side
from s2st_interleave.encoder.filter_banks import extracted
from s2st_interleave.encoder.frontend import FilterBanks

SECONDS = 4.5  # a clip of CVSS


def rows() -> Iterator[Row]:
    extractor = SeamlessM4TFeatureExtractor()
    front = FilterBanks(extractor)
    noise = np.random.default_rng(0).standard_normal(round(16_000 * SECONDS))
    samples = (0.1 * noise).astype(np.float32)
    yield side_by_side(
        "filter banks of a clip of 4.5 s",
        "transformers' extractor, same bits",
        lambda: [front.features(samples) for _ in range(20)],
        lambda: [extracted(extractor, samples) for _ in range(20)],
        amount=20,
        unit="clips/s",
    )
