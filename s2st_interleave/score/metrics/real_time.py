"""Real-time factor: seconds of computing per second of speech made; below 1 it keeps up.

Computing is the wall time of stage 7 (decode) and of stage 8's vocoding for the split, as
their stage.json say, with loading of models and with as many jobs as ran at once. It is
that of a batch, on the machine that ran it: a figure of throughput, not of latency. No
stage times single utterances, so there is one for the whole split, and no interval. Where
answers were copied, another directory's wall time is a part of it: there is none.
"""

import math

import numpy as np

from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.metrics.duration import seconds
from s2st_interleave.score.metrics.metric import Metric, ratio, rows


def _count(evidence: Evidence) -> np.ndarray:
    """The time of computing is shared out by the seconds of each utterance."""
    speech_sec = seconds(evidence.wavs)
    factor = evidence.computing_sec / (sum(speech_sec.values()) or 1.0)
    return rows(evidence, {u: (sec * factor, sec) for u, sec in speech_sec.items()})


def _signature(evidence: Evidence) -> str:
    copied = ", not known: answers were copied" * math.isnan(evidence.computing_sec)
    return f"wall time of decode and vocode by seconds made{copied}"


REAL_TIME_FACTOR = Metric(
    name="real_time_factor",
    title="real-time factor",
    roles=("speech",),
    count=_count,
    score=ratio,
    signature=_signature,
    digits=2,
    higher_is_better=False,
    needs=("computing",),
    by_utterance=False,
)
