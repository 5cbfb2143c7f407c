"""BLASER 2.0 QE (Dale and Costa-jussa 2024): does speech mean what the source's speech does?

No text is read, neither transcripts nor references: SONAR's speech encoders turn both
recordings into vectors, a small network rates the two from 1 to 5. `--metric_weights DIR`
holds the files as they are published: `DIR/blaser/qe.pt` (blaser_2_0_qe) and an encoder
for each language, `DIR/blaser/<code>.pt`, such as es.pt and en.pt. Nothing is fetched. Tried
with sonar-space 0.5.0 and fairseq2 0.5.2, which want another torch than all else here:
an environment of its own scores again what was heard, from the same cache.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.data import audio
from s2st_interleave.errors import UserError
from s2st_interleave.files import file_digest
from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.metrics.metric import Metric, ratio, rows, weights


def _files(evidence: Evidence) -> list[Path]:
    """Weights of the rating network, the source's encoder and the target's."""
    folder = weights(evidence, "blaser")
    names = ("qe", evidence.source_language, evidence.language)
    paths = [folder / f"{name}.pt" for name in names]
    for path in paths:
        if not path.is_file():
            raise UserError(f"{path}: no such file, and blaser wants it")
    return paths


def _count(evidence: Evidence) -> np.ndarray:
    """Utterances without speech have no row."""
    try:
        import torch
        from sonar.models.blaser import get_blaser_model_hub  # pyrefly: ignore[missing-import]
    except ImportError as error:
        raise UserError(
            "metric blaser wants a package: python -m pip install sonar-space "
            "fairseq2==0.5.2, which brings a torch of its own"
        ) from error
    qe, source, target = _files(evidence)
    hub = get_blaser_model_hub()
    model = hub.load_custom_model(qe, hub.get_arch_config("basic_qe")).eval()
    ids = sorted(evidence.wavs)
    if not ids:
        return rows(evidence, {})
    sources = {utterance: evidence.source_wavs[utterance] for utterance in ids}
    with torch.inference_mode():
        ratings = model(
            _vectors(sources, source, evidence.source_language),
            _vectors(evidence.wavs, target, evidence.language),
        )
    scores = ratings.flatten().tolist()
    return rows(evidence, {u: (s, 1) for u, s in zip(ids, scores, strict=True)})


def _vectors(wavs: Mapping[str, Path], weights_file: Path, language: str) -> Any:
    """SONAR's vectors of recordings, float (num_recordings, 1024), sorted by id."""
    import torch
    from sonar.inference_pipelines.speech import SpeechToEmbeddingModelPipeline  # pyrefly: ignore[missing-import]
    from sonar.models.sonar_speech import get_sonar_speech_encoder_hub  # pyrefly: ignore[missing-import]

    hub = get_sonar_speech_encoder_hub()
    arch = "english" if language.partition("-")[0] == "en" else "non_english"
    encoder = hub.load_custom_model(weights_file, hub.get_arch_config(arch))
    samples = [torch.from_numpy(audio.read(wavs[u], of=u))[None] for u in sorted(wavs)]
    return SpeechToEmbeddingModelPipeline(encoder).predict(samples)


def _signature(evidence: Evidence) -> str:
    return "sha256:" + ",".join(file_digest(path)[:12] for path in _files(evidence))


BLASER = Metric(
    name="blaser",
    title="BLASER 2.0 QE",
    roles=("speech",),
    count=_count,
    score=ratio,
    signature=_signature,
    digits=2,
    needs=("source_audio", "weights"),
)
