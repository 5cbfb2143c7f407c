"""Exact answers: the share of utterances whose normalised text is the reference's."""

import numpy as np

from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.metrics.metric import Metric, percentage
from s2st_interleave.score.normalize import Normalizer


def _count(evidence: Evidence) -> np.ndarray:
    """A missing answer is not exact, even where the reference is empty."""
    return np.array(
        [
            (not pair.missing and pair.hypothesis == pair.reference, 1)
            for pair in evidence.pairs
        ],
        dtype=np.int64,
    )


EXACT = Metric(
    name="exact",
    title="exact %",
    roles=("speech", "transcript", "text"),
    count=_count,
    score=percentage,
    signature=lambda evidence: Normalizer(evidence.language).name,
)
