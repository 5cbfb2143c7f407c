"""Recordings with their texts, and which of them CTC can learn from.

CTC emits a piece a frame at most, and a blank between two pieces that are alike. A text
that wants more frames than its audio has cannot be emitted: its loss is infinite, which
`ctc_zero_infinity` makes 0, as if it were perfect.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from s2st_interleave.data import audio
from s2st_interleave.encoder.frontend import Frontend

ROUNDED_SEC = 0.01  # how far durations on disk may be off: some write two digits


@dataclass(frozen=True)
class Recording:
    """One side of one utterance; `key` is unique over languages."""

    key: str
    wav: Path
    text: str  # spoken form
    seconds: float | None = None  # as utt2dur says; None: nobody has told


def frames_needed(pieces: Sequence[int]) -> int:
    """Frames without which CTC cannot emit these pieces.

    >>> frames_needed([5, 6, 7]), frames_needed([5, 5, 6, 6])
    (3, 6)
    """
    return len(pieces) + sum(a == b for a, b in pairwise(pieces))


def too_short(
    recordings: Iterable[Recording], bpe: Any, frontend: Frontend
) -> dict[str, str]:
    """Why CTC has no loss for some of them, by key.

    Audio is read only where its duration, which is rounded, leaves it open.
    """
    found = {}
    for one in recordings:
        needed = frames_needed(bpe.encode(one.text))
        if one.seconds is not None:
            least = int((one.seconds - ROUNDED_SEC) * audio.SAMPLE_RATE)
            if frontend.frames(least) >= needed:
                continue
        frames = frontend.frames(len(audio.read(one.wav)))
        if frames < needed:
            found[one.key] = (
                f"text is longer than its frames: CTC needs {needed}, there are {frames}"
            )
    return found
