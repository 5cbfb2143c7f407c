"""chrF (Popovic 2015), by sacrebleu: character n-grams of what was heard or written."""

import numpy as np

from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.metrics.metric import Metric


def _count(evidence: Evidence) -> np.ndarray:
    from sacrebleu.metrics import CHRF

    pairs = evidence.pairs
    # sacrebleu keeps counts of each sentence for its own bootstrap, under this name.
    rows = CHRF()._extract_corpus_statistics(
        [pair.hypothesis for pair in pairs], [[pair.reference for pair in pairs]]
    )
    return np.array(rows, dtype=np.int64)


def _score(sums: np.ndarray) -> float:
    from sacrebleu.metrics import CHRF

    return CHRF()._compute_score_from_stats(sums.tolist()).score


def _signature(evidence: Evidence) -> str:
    from sacrebleu.metrics import CHRF

    chrf = CHRF()
    chrf.corpus_score([""], [[""]])
    return str(chrf.get_signature())


CHRF = Metric(
    name="chrf",
    title="chrF",
    roles=("speech", "text"),
    count=_count,
    score=_score,
    signature=_signature,
)
