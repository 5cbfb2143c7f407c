"""Loudness of utterances; near-silent and clipped ones are counted and named.

On the mini corpus, speech whose peak is full scale has at most 0.006 % of its samples
there; speech that is 3 dB louder, and so clipped, has at least 1.2 %.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from s2st_interleave.data.audio import Recording

NEAR_SILENT = -60.0  # dBFS; leaves 6 of 16 bits, and speech is at -50 to -10
FLOOR = -120.0  # dBFS, less than 24 bits can hold; stands for minus infinity
FULL = 0.999  # samples of this size or more are at full scale
CLIPPED = 0.001  # share of samples at full scale from which an utterance is clipped
NUM_NAMED = 10


@dataclass(frozen=True)
class Level:
    """dBFS, where a constant 1 is 0: root mean square about the mean, and peak."""

    rms: float
    peak: float
    clipped: float  # share of samples at full scale or beyond
    note: str = ""  # about channels that differ

    @classmethod
    def of(cls, recording: Recording) -> "Level":
        """Measure a recording."""
        samples = recording.samples
        size = np.abs(samples)
        return cls(
            rms=_decibel(float(np.std(samples, dtype=np.float64))),
            peak=_decibel(float(size.max())),
            clipped=float(np.mean(size >= FULL)),
            note=recording.note,
        )

    def __str__(self) -> str:
        return f"{self.rms:.1f} {self.peak:.1f}"

    def remarks(self, near_silent: float) -> list[str]:
        """Remarks on an utterance that is clipped, or below `near_silent` dBFS."""
        remarks = []
        if self.rms < near_silent:
            remarks.append(f"near-silent: {self.rms:.1f} dBFS")
        if self.clipped >= CLIPPED:
            remarks.append(f"clipped: {100 * self.clipped:.1f} % of it at full scale")
        return remarks


def _decibel(size: float) -> float:
    return round(max(20 * np.log10(max(size, 1e-9)), FLOOR), 1)


def report(
    split: str, levels: Mapping[str, Mapping[str, Level]], near_silent: float
) -> dict[str, dict[str, object]]:
    """Print which utterances have odd levels, and return facts by role for stage.json.

    `levels` are by role and utterance id. An utterance is near-silent if its root mean
    square is below `near_silent` dBFS.
    """
    facts: dict[str, dict[str, object]] = {}
    for role, by_utterance in levels.items():
        total = len(by_utterance)
        median = _median([level.rms for level in by_utterance.values()])
        where = f"data: {split}: {role}"
        print(f"{where}: {total} utterances at {median} dBFS in the median", flush=True)
        facts[role] = {"median_dbfs": median}
        for kind, what, named in _odd(by_utterance, near_silent):
            facts[role][f"num_{kind}"] = len(named)
            facts[role][kind] = list(named)[:NUM_NAMED]
            if named:
                first = list(named.items())[:NUM_NAMED]
                worst = [f"{utterance} ({size})" for utterance, size in first]
                print(
                    f"{where}: {len(named)} of {total} {what}: {', '.join(worst)}",
                    flush=True,
                )
    return facts


def _odd(
    levels: Mapping[str, Level], near_silent: float
) -> list[tuple[str, str, dict[str, str]]]:
    """For each kind of oddity its key, its words, and its utterances, the worst first."""
    quiet = sorted((x.rms, u) for u, x in levels.items() if x.rms < near_silent)
    hard = sorted((-x.clipped, u) for u, x in levels.items() if x.clipped >= CLIPPED)
    differing = {u: levels[u].note for u in sorted(levels) if levels[u].note}
    return [
        (
            "near_silent",
            f"are near-silent (below {near_silent:g} dBFS)",
            {u: f"{rms} dBFS" for rms, u in quiet},
        ),
        (
            "clipped",
            f"are clipped ({100 * CLIPPED:g} % or more at full scale)",
            {u: f"{-100 * share:.1f} %" for share, u in hard},
        ),
        (
            "channels_differ",
            "have channels that differ (--src_channels, --tgt_channels choose)",
            differing,
        ),
    ]


def _median(values: list[float]) -> float | None:
    return round(float(np.median(values)), 1) if values else None
