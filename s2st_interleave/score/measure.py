"""A metric applied to evidence: its corpus score, the interval, and each utterance's."""

from dataclasses import dataclass

import numpy as np

from s2st_interleave.score.bootstrap import interval, total
from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.metrics.metric import Metric
from s2st_interleave.score.records import MetricScore


@dataclass(frozen=True)
class Measured:
    """`counts` is [num_utterances, num_counts], `utterances` scores by id, NaN for none."""

    metric: Metric
    score: MetricScore
    counts: np.ndarray
    utterances: dict[str, float]


def measure(
    metric: Metric, evidence: Evidence, *, num_resamples: int, seed: int
) -> Measured:
    """Raises UserError where references and hypotheses do not belong together, or where
    what the metric needs is not there.
    """
    signature = metric.signature(evidence)  # first: it finds out what is missing
    counts = metric.count(evidence)
    value = metric.score(total(counts))
    ci95 = None
    if metric.by_utterance:
        ci95 = interval(counts, metric.score, num_resamples=num_resamples, seed=seed)
    score = MetricScore(
        value=value if np.isfinite(value) else None,
        ci95=ci95,
        signature=signature,
        num_utterances=int(np.any(counts, axis=1).sum()),
    )
    each = [metric.utterance_score(row) for row in counts]
    return Measured(metric, score, counts, dict(zip(evidence.ids, each, strict=True)))
