"""Recordings with their texts, and which of them CTC can learn from.

CTC emits one piece a frame at most, and a blank between two equal pieces. A text that
needs more frames than its audio has cannot be emitted: its loss is infinite, which
`ctc_zero_infinity` makes 0, as if it were perfect.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING, overload

from s2st_interleave.data import audio

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

    from s2st_interleave.encoder.frontend import Frontend

ROUNDED_SEC = 0.01  # durations on disk may be off by so much: some have two digits


@dataclass(frozen=True)
class Recording:
    """One side of one utterance; `key` is unique over languages."""

    key: str
    wav: Path
    text: str  # spoken form
    seconds: float | None = None  # from utt2dur; None where it has no such line


class Recordings(Sequence[Recording]):
    """Many recordings in few bytes: a million take 0.2 GB, and 1.4 GB as a list.

    Ranks have a copy each; loader processes share it with theirs, since there is no Python
    object in it whose count of references they would write.
    """

    def __init__(self, recordings: Iterable[Recording]) -> None:
        lines, seconds = bytearray(), array("d")
        ends = array("q", [0])
        for recording in recordings:
            line = f"{recording.key}\n{recording.wav}\n{recording.text}"
            lines += line.encode()
            ends.append(len(lines))
            seconds.append(nan if recording.seconds is None else recording.seconds)
        self._lines, self._ends, self._seconds = bytes(lines), ends, seconds

    def __len__(self) -> int:
        return len(self._seconds)

    @overload
    def __getitem__(self, index: int) -> Recording: ...
    @overload
    def __getitem__(self, index: slice) -> list[Recording]: ...
    def __getitem__(self, index: int | slice) -> Recording | list[Recording]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        line = self._lines[self._ends[index] : self._ends[index + 1]]
        key, wav, text = line.decode().split("\n")
        seconds = self._seconds[index]
        return Recording(key, Path(wav), text, None if isnan(seconds) else seconds)


def frames_needed(pieces: Sequence[int]) -> int:
    """Count the frames without which CTC cannot emit these pieces.

    >>> frames_needed([5, 6, 7]), frames_needed([5, 5, 6, 6])
    (3, 6)
    """
    return len(pieces) + sum(a == b for a, b in pairwise(pieces))


def too_short(
    recordings: Iterable[Recording],
    bpe: "SentencePieceProcessor",
    frontend: "Frontend",
) -> dict[str, str]:
    """Reasons why CTC has no loss for some recordings, by key.

    Audio is read only where its duration, which is rounded, does not decide.
    """
    reasons = {}
    for recording in recordings:
        needed = frames_needed(bpe.encode(recording.text))
        if recording.seconds is not None:
            least = int((recording.seconds - ROUNDED_SEC) * audio.SAMPLE_RATE)
            if frontend.frames(least) >= needed:
                continue
        frames = frontend.frames(len(audio.read(recording.wav, of=recording.key)))
        if frames < needed:
            reasons[recording.key] = (
                f"text is longer than its frames: CTC needs {needed}, there are {frames}"
            )
    return reasons
