"""Speech quality without listeners: DNSMOS P.808, whose weights come with its package.

It stands in for the paper's UTMOS where no weights can be downloaded; the two scales
are not comparable.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from s2st_interleave.data import audio
from s2st_interleave.progress import progress

PREDICTOR = "dnsmos-p808"


def describe() -> dict[str, str]:
    """All that can change a score."""
    return {"predictor": PREDICTOR, "speechmos": version("speechmos")}


def predict(
    wavs: Mapping[str, Path], *, on_score: Callable[[str, float], None]
) -> None:
    """Call `on_score(utterance id, predicted MOS)` for each; 16 kHz audio."""
    if not wavs:
        return
    import numpy as np
    from speechmos import dnsmos

    for utterance in progress(sorted(wavs), "speech quality"):
        samples = np.clip(audio.read(wavs[utterance]), -1, 1)
        on_score(utterance, float(dnsmos.run(samples, audio.SAMPLE_RATE)["p808_mos"]))
