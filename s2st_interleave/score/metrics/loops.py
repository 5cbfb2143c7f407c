"""Loops: the share of recordings in which the recogniser heard one phrase over and over.

Whisper's own test, by which it decodes again where it may; greedy, as here, it does not.
A loop says more about the recogniser than about the speech, and costs BLEU points.
"""

import zlib

import numpy as np

from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.metrics.metric import Metric, percentage, rows

LOOP = 2.4  # bytes to compressed bytes; Whisper's compression_ratio_threshold


def is_loop(text: str) -> bool:
    """Whether a text that was heard repeats itself.

    >>> is_loop("at nine " * 20), is_loop("the train leaves at nine"), is_loop("")
    (True, False, False)
    """
    content = _bytes(text)
    return bool(content) and len(content) / len(zlib.compress(content)) > LOOP


def _bytes(text: str) -> bytes:
    """UTF-8; of other scripts than Latin a byte for each letter, as the test was made for.

    In UTF-8 their letters have two or three, of which the first say nothing, and any text
    of some length would compress by that.
    """
    content = text.encode("utf-8")
    if len(content) < 1.5 * len(text):
        return content
    code = {char: number for number, char in enumerate(dict.fromkeys(text))}
    return bytes(code[char] % 256 for char in text)


def _count(evidence: Evidence) -> np.ndarray:
    texts = evidence.hypotheses
    return rows(evidence, {u: (is_loop(text), 1) for u, text in texts.items()})


LOOPS = Metric(
    name="loops",
    title="loops %",
    roles=("speech",),
    count=_count,
    score=percentage,
    signature=lambda evidence: f"compression ratio above {LOOP}",
    higher_is_better=False,
)
