"""Duration ratios: seconds of output per second of reference, or of source.

Utterances without output count in neither sum.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.metrics.metric import Metric, ratio, rows


def seconds(wavs: Mapping[str, Path]) -> dict[str, float]:
    """Seconds of audio by utterance id, from the headers of the files."""
    from s2st_interleave.data import audio

    return {
        utterance: audio.seconds(wav, of=utterance) for utterance, wav in wavs.items()
    }


def _count(evidence: Evidence, other: Mapping[str, float]) -> np.ndarray:
    speech_sec = seconds(evidence.wavs)
    return rows(evidence, {u: (sec, other[u]) for u, sec in speech_sec.items()})


def _signature(evidence: Evidence) -> str:
    return "sum of seconds by sum of seconds, utterances with output"


DURATION_RATIO = Metric(
    name="duration_ratio",
    title="duration by reference",
    roles=("speech",),
    count=lambda evidence: _count(evidence, evidence.reference_sec),
    score=ratio,
    signature=_signature,
    digits=2,
    higher_is_better=None,
    needs=("reference_audio",),
)
SOURCE_DURATION_RATIO = replace(
    DURATION_RATIO,
    name="source_duration_ratio",
    title="duration by source",
    count=lambda evidence: _count(evidence, evidence.source_sec),
    needs=("source_audio",),
)
