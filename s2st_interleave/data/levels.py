"""How loud each utterance is: near-silent and clipped ones are counted and named.

Measured on the mini corpus: of speech whose peak is full scale at most 0.006 % of the
samples lie there, of speech 3 dB louder than that at least 1.2 %.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from s2st_interleave.data.audio import Recording

NEAR_SILENT = -60.0  # dBFS: in 16 bits 6 are left, and speech is at -50 to -10
FLOOR = -120.0  # dBFS: below what 24 bits hold; stands for minus infinity
FULL, CLIPPED = 0.999, 0.001  # of full scale; share of the samples
NUM_NAMED = 10


@dataclass(frozen=True)
class Level:
    """dBFS, where a constant 1 is 0: root mean square about the mean, and peak."""

    rms: float
    peak: float
    clipped: float  # share of samples at full scale or beyond
    note: str = ""  # on channels that differ

    @classmethod
    def of(cls, recording: Recording) -> "Level":
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
        """What is odd about how loud it is; nothing mostly."""
        odd = []
        if self.rms < near_silent:
            odd.append(f"near-silent: {self.rms:.1f} dBFS")
        if self.clipped >= CLIPPED:
            odd.append(f"clipped: {100 * self.clipped:.1f} % of it at full scale")
        return odd


def _decibel(size: float) -> float:
    return round(max(20 * np.log10(max(size, 1e-9)), FLOOR), 1)


def report(
    split: str, levels: Mapping[str, Mapping[str, Level]], near_silent: float
) -> dict[str, dict[str, object]]:
    """Say what is odd about levels, by role and utterance id; facts for stage.json.

    `near_silent`: dBFS of the root mean square below which an utterance is.
    """
    facts = {}
    for role, of_role in levels.items():
        total = len(of_role)
        median = _median([level.rms for level in of_role.values()])
        where = f"data: {split}: {role}"
        print(f"{where}: {total} utterances at {median} dBFS in the median", flush=True)
        facts[role] = {"median_dbfs": median}
        for kind, what, named in _odd(of_role, near_silent):
            facts[role][f"num_{kind}"] = len(named)
            facts[role][kind] = list(named)[:NUM_NAMED]
            if named:
                worst = [f"{u} ({why})" for u, why in list(named.items())[:NUM_NAMED]]
                print(
                    f"{where}: {len(named)} of {total} {what}: {', '.join(worst)}",
                    flush=True,
                )
    return facts


def _odd(
    levels: Mapping[str, Level], near_silent: float
) -> list[tuple[str, str, dict[str, str]]]:
    """Of each kind its name, what it is, and its utterances, the worst first."""
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
