"""TER (Snover et al. 2006), by sacrebleu: edits, with shifts, per 100 reference words."""

import numpy as np

from s2st_interleave.data.languages import language
from s2st_interleave.errors import UserError
from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.metrics.metric import Metric, percentage


def _ter(evidence: Evidence):
    """sacrebleu's TER; UserError for languages that put no space between words."""
    from sacrebleu.metrics import TER

    known = language(evidence.language)
    if known.error_rate == "CER":
        raise UserError(f"TER counts words, and {known.name} has no spaces: take cer")
    return TER()


def _count(evidence: Evidence) -> np.ndarray:
    ter = _ter(evidence)
    scores = [ter.sentence_score(p.hypothesis, [p.reference]) for p in evidence.pairs]
    return np.array([(score.num_edits, score.ref_length) for score in scores])


def _signature(evidence: Evidence) -> str:
    ter = _ter(evidence)
    ter.corpus_score([""], [[""]])
    return str(ter.get_signature())


TER = Metric(
    name="ter",
    title="TER",
    roles=("speech", "text"),
    count=_count,
    score=percentage,
    signature=_signature,
    higher_is_better=False,
)
