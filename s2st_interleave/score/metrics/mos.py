"""Speech quality without listeners: UTMOS, the paper's, or DNSMOS P.808.

DNSMOS comes with its package, weights and all, and stands in where those of UTMOS, a
file of 411 MB, cannot be had; the two scales are not comparable.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from s2st_interleave.data import audio
from s2st_interleave.errors import UserError
from s2st_interleave.progress import progress
from s2st_interleave.score.asr_cache import Keep, kept
from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.metrics.metric import Metric, ratio, rows

Predictor = Literal["dnsmos", "utmos"]


@dataclass(frozen=True)
class MosOptions:
    """Raises UserError for UTMOS without its weights; `num_workers` is DNSMOS'."""

    predictor: Predictor = "dnsmos"
    weights: Path | None = None  # of UTMOS; its hash is pinned, so only their place
    device: str = "cpu"
    num_workers: int = 1  # changes the time only

    def __post_init__(self) -> None:
        if self.predictor == "utmos" and self.weights is None:
            raise UserError("--mos utmos wants --mos_weights; see score/utmos.py")


def describe(options: MosOptions) -> dict[str, str]:
    """All that can change a score."""
    if options.predictor == "utmos":
        from s2st_interleave.score.utmos import SHA256

        return {"predictor": "utmos22-strong", "sha256": SHA256}
    return {"predictor": "dnsmos-p808", "speechmos": version("speechmos")}


def rate(
    wavs: Mapping[str, Path], options: MosOptions, cache: Path
) -> dict[str, float]:
    """Predicted MOS, 1 to 5, by utterance id; of audio rated before from `cache`."""

    def compute(unrated: Mapping[str, Path], keep: Keep) -> None:
        predict(unrated, options, on_score=lambda u, score: keep(u, repr(score)))

    made_by = describe(options)
    texts = kept(wavs, lambda _: made_by, cache, compute)
    return {utterance: float(text) for utterance, text in texts.items()}


def predict(
    wavs: Mapping[str, Path],
    options: MosOptions,
    *,
    on_score: Callable[[str, float], None],
) -> None:
    """Call `on_score(utterance id, predicted MOS)` for each; 16 kHz audio."""
    if not wavs:
        return
    utmos = options.predictor == "utmos"
    rate = _utmos(options) if utmos else _dnsmos()
    order = sorted(wavs)
    with ThreadPoolExecutor(1 if utmos else options.num_workers) as pool:
        scores = pool.map(lambda u: rate(audio.read(wavs[u], of=u)), order)
        for utterance in progress(
            order, f"speech quality of {Path(wavs[order[0]]).parent}"
        ):
            on_score(utterance, next(scores))


def _dnsmos() -> Callable[[np.ndarray], float]:
    """The P.808 half of speechmos' DNSMOS: `run` computes three others as well."""
    import onnxruntime
    from speechmos import dnsmos

    weights = Path(dnsmos.__file__).parent / "dnsmos_models" / "model_v8.onnx"
    # One thread: several spin while they wait, and starve whatever runs beside them.
    session_options = onnxruntime.SessionOptions()
    session_options.intra_op_num_threads = session_options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(weights), session_options)

    def rate(samples: np.ndarray) -> float:
        clipped = np.clip(samples, -1, 1)
        length = int(dnsmos.INPUT_LENGTH * audio.SAMPLE_RATE)
        while len(clipped) < length:
            clipped = np.concatenate([clipped, clipped])
        num_hops = int(len(clipped) // audio.SAMPLE_RATE - dnsmos.INPUT_LENGTH) + 1
        scores = []
        for start in range(0, num_hops * audio.SAMPLE_RATE, audio.SAMPLE_RATE):
            part = clipped[start : start + length - 160]
            mels = dnsmos.DNSMOS.audio_melspec(cast(Any, None), audio=part)
            batch = mels.astype(np.float32)[np.newaxis]
            (score,) = session.run(None, {"input_1": batch})
            scores.append(np.asarray(score).item())
        return float(np.mean(scores))

    return rate


def _utmos(options: MosOptions) -> Callable[[np.ndarray], float]:
    from s2st_interleave.device import resolve_device
    from s2st_interleave.score.utmos import Utmos

    assert options.weights is not None  # MosOptions wants them for utmos
    return Utmos.load(options.weights, resolve_device(options.device)).rate


def _options(evidence: Evidence) -> tuple[MosOptions, Path]:
    """The predictor and its cache.

    Raises UserError where no predictor is chosen: their scales are not comparable.
    """
    if evidence.tools is None or evidence.tools.mos is None:
        raise UserError("metric mos wants a predictor: --mos dnsmos, or --mos utmos")
    return evidence.tools.mos, evidence.tools.cache


def _count(evidence: Evidence) -> np.ndarray:
    options, cache = _options(evidence)
    ratings = rate(evidence.wavs, options, cache)
    return rows(evidence, {u: (rating, 1) for u, rating in ratings.items()})


def _signature(evidence: Evidence) -> str:
    return " ".join(f"{k}:{v}" for k, v in describe(_options(evidence)[0]).items())


MOS = Metric(
    name="mos",
    title="MOS",
    roles=("speech",),
    count=_count,
    score=ratio,
    signature=_signature,
    digits=2,
)
