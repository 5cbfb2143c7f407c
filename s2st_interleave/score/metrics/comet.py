"""COMET and xCOMET (Rei et al. 2020, Guerreiro et al. 2023): a model reads translations.

It is given the source's text, what was written or heard, and the reference, as they are
written. `--metric_weights DIR` holds the model as `DIR/comet`: a folder with hparams.yaml
and checkpoints/model.ckpt, as the hub has it. Nothing is fetched: the configuration and
tokeniser of its encoder have to be in Hugging Face's cache, or beside it where
hparams.yaml says.
"""

from pathlib import Path

import numpy as np

from s2st_interleave.errors import UserError
from s2st_interleave.files import file_digest
from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.metrics.metric import Metric, ratio, rows, weights

CHECKPOINT = Path("checkpoints") / "model.ckpt"
BATCH_SIZE = 16


def _checkpoint(evidence: Evidence) -> Path:
    path = weights(evidence, "comet") / CHECKPOINT
    if not path.is_file():
        raise UserError(f"{path}: no such file; comet wants the folder of a model")
    return path


def _count(evidence: Evidence) -> np.ndarray:
    """A missing answer is an empty one, which the model rates as well."""
    from s2st_interleave.device import resolve_device  # brings torch

    try:
        from comet import load_from_checkpoint  # pyrefly: ignore[missing-import]
    except ImportError as error:
        raise UserError(
            "metric comet wants a package: python -m pip install unbabel-comet"
        ) from error
    try:
        model = load_from_checkpoint(str(_checkpoint(evidence)), local_files_only=True)
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{_checkpoint(evidence)}: its encoder's tokeniser and configuration are not "
            f"on this machine, and nothing is fetched ({reason})"
        ) from error
    samples = [
        {
            "src": evidence.sources[utterance],
            "mt": evidence.hypotheses.get(utterance, ""),
            "ref": evidence.references[utterance],
        }
        for utterance in evidence.ids
    ]
    device = evidence.tools.device if evidence.tools else "cpu"
    on_gpu = resolve_device(device).type == "cuda"
    predicted = model.predict(
        samples,
        batch_size=BATCH_SIZE,
        gpus=int(on_gpu),
        num_workers=0,
        progress_bar=False,
    )
    scores = dict(zip(evidence.ids, predicted.scores, strict=True))
    return rows(evidence, {u: (100 * score, 1) for u, score in scores.items()})


def _signature(evidence: Evidence) -> str:
    return f"sha256:{file_digest(_checkpoint(evidence))[:12]}"


COMET = Metric(
    name="comet",
    title="COMET",
    roles=("speech", "text"),
    count=_count,
    score=ratio,
    signature=_signature,
    needs=("source", "weights"),
)
