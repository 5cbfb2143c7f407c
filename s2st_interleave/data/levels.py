"""How loud each utterance is: near-silent and clipped ones are counted and named.

Measured on the mini corpus: of speech whose peak is full scale at most 0.006 % of the
samples lie there, of speech 3 dB louder than that at least 1.2 %.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

FLOOR = -120.0  # dBFS: below what 24 bits hold; stands for minus infinity
FULL, CLIPPED = 0.999, 0.001  # of full scale; share of the samples
NUM_NAMED = 10


@dataclass(frozen=True)
class Level:
    """dBFS, where a constant 1 is 0: root mean square about the mean, and peak."""

    rms: float
    peak: float
    clipped: float  # share of samples at full scale or beyond

    @classmethod
    def of(cls, samples: np.ndarray) -> "Level":
        """Of samples (num_samples,) on the scale of 1."""
        size = np.abs(samples)
        return cls(
            rms=_decibel(float(np.std(samples, dtype=np.float64))),
            peak=_decibel(float(size.max())),
            clipped=float(np.mean(size >= FULL)),
        )

    def __str__(self) -> str:
        return f"{self.rms:.1f} {self.peak:.1f}"

    def remarks(self, near_silent: float) -> list[str]:
        """What is odd about it; nothing mostly."""
        odd = []
        if self.rms < near_silent:
            odd.append(f"near-silent: {self.rms:.1f} dBFS")
        if self.clipped >= CLIPPED:
            odd.append(f"clipped: {100 * self.clipped:.1f} % of it at full scale")
        return odd


def _decibel(size: float) -> float:
    return round(max(20 * np.log10(max(size, 1e-9)), FLOOR), 1)


def report(
    language: str,
    levels: Mapping[str, Level],
    notes: Mapping[str, str],
    *,
    near_silent: float,
) -> tuple[list[str], dict[str, object]]:
    """Lines for the screen, and the same for stage.json.

    levels, notes on channels ("" is none): by utterance id, of one language.
    """
    if not levels:
        return [], {}
    silent = {u: x for u, x in levels.items() if x.rms < near_silent}
    clipped = {u: x for u, x in levels.items() if x.clipped >= CLIPPED}
    differing = sorted(u for u, note in notes.items() if note)
    quietest = sorted(silent, key=lambda u: (silent[u].rms, u))[:NUM_NAMED]
    hardest = sorted(clipped, key=lambda u: (-clipped[u].clipped, u))[:NUM_NAMED]
    median = round(float(np.median([x.rms for x in levels.values()])), 1)
    facts: dict[str, object] = {
        "median_dbfs": median,
        "num_near_silent": len(silent),
        "near_silent": quietest,
        "num_clipped": len(clipped),
        "clipped": hardest,
        "num_channels_differ": len(differing),
        "channels_differ": differing[:NUM_NAMED],
    }
    total = len(levels)
    lines = [f"{language}: {total} utterances at {median} dBFS in the median"]
    if silent:
        named = ", ".join(f"{u} ({silent[u].rms})" for u in quietest)
        lines.append(
            f"{language}: {len(silent)} of {total} utterances are near-silent, below "
            f"{near_silent:g} dBFS: {named}"
        )
    if clipped:
        named = ", ".join(f"{u} ({100 * clipped[u].clipped:.1f} %)" for u in hardest)
        lines.append(
            f"{language}: {len(clipped)} of {total} utterances are clipped, at full "
            f"scale for {100 * CLIPPED:g} % or more: {named}"
        )
    if differing:
        named = ", ".join(f"{u} ({notes[u]})" for u in differing[:NUM_NAMED])
        lines.append(
            f"{language}: {len(differing)} of {total} utterances have channels that "
            f"differ: {named}; --src_channels and --tgt_channels choose"
        )
    return lines, facts
