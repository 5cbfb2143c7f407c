"""What a metric is: counts of each utterance that add up, and the score of their sum.

The counts of a corpus are the sum over its utterances; a resampled corpus is another sum.
So a metric says nothing of intervals, comparisons, tables and files, and has them all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave.errors import UserError
from s2st_interleave.score.evidence import Evidence, Need, Role


@dataclass(frozen=True)
class Metric:
    """A metric; each file of this folder defines one or two.

    name: how options, score.json and utterances.tsv call it.
    title: the heading of its column in tables.
    roles: blocks that it applies to.
    count: evidence -> [num_utterances, num_counts], rows sorted by utterance id; a row of
        zeros says nothing.
    score: summed counts (num_counts,) -> the score; NaN where they hold nothing.
    signature: all else that can change a score, for score.json.
    digits: behind the point, in tables.
    higher_is_better: else lower is; None where neither is.
    needs: what it wants beside references and hypotheses.
    utterance: a row of counts -> an utterance's own score, where that is not `score`.
    by_utterance: False where only the whole split has a score: there is no interval.
    """

    name: str
    title: str
    roles: tuple[Role, ...]
    count: Callable[[Evidence], np.ndarray]
    score: Callable[[np.ndarray], float]
    signature: Callable[[Evidence], str]
    digits: int = 1
    higher_is_better: bool | None = True
    needs: tuple[Need, ...] = ()
    utterance: Callable[[np.ndarray], float] | None = None
    by_utterance: bool = True

    def utterance_score(self, row: np.ndarray) -> float:
        """The score of one utterance's counts (num_counts,); NaN where there is none."""
        if not self.by_utterance or not row.any():
            return float("nan")
        return (self.utterance or self.score)(row)


def rows(evidence: Evidence, values: Mapping[str, tuple[float, ...]]) -> np.ndarray:
    """Counts of all utterances, [num_utterances, 2]: (value, weight), or zeros."""
    return np.array([values.get(utterance, (0.0, 0.0)) for utterance in evidence.ids])


def ratio(sums: np.ndarray) -> float:
    """First count by second: a mean, where the second is the number of utterances."""
    return float(sums[0] / sums[1]) if sums[1] else float("nan")


def percentage(sums: np.ndarray) -> float:
    """100 times first count by second."""
    return float(100.0 * sums[0] / sums[1]) if sums[1] else float("nan")


def weights(evidence: Evidence, name: str) -> Path:
    """The folder of a metric's own weights; UserError where `--metric_weights` has none."""
    folder = evidence.tools.weights if evidence.tools else None
    if folder is None:
        raise UserError(
            f"metric {name} wants weights: --metric_weights DIR, as DIR/{name}"
        )
    if not (folder / name).is_dir():
        raise UserError(f"{folder / name}: no such folder, and metric {name} wants it")
    return folder / name
