"""The score files of stage 9 as frozen dataclasses, read and written strictly.

`score.json` of a system is a SystemScore, that of `exp/topline/<split>` a ToplineScore,
`compare.json` a Comparison.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from s2st_interleave import typed_json
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.interleave.layout import S2ST

# Keys of metrics -> the names under which the paper's scores stand by themselves.
NAMES = {
    "asr_bleu": "asr_bleu",
    "chrf": "chrf",
    "wer:src_text": "src_wer",
    "cer:src_text": "src_cer",
    "text_bleu": "text_bleu",
    "mos": "mos",
}


@dataclass(frozen=True)
class AsrDescription:
    """Everything about the recogniser that can change a text."""

    backend: str
    version: str
    model: str
    weights_sha256: str
    compute_type: str
    language: str


@dataclass(frozen=True)
class MetricScore:
    """What one metric says of a split; `value` is None where nothing can be measured.

    `signature` is all that can change it beside the texts. `num_utterances` have a part
    in it: a missing answer has none in its duration, but an empty text in its BLEU.
    """

    value: float | None
    ci95: tuple[float, float] | None
    signature: str
    num_utterances: int


@dataclass(frozen=True)
class SystemScore:
    """Scores of one system's checkpoint on one split; all but `mos` are 0..100.

    `metrics` holds all of them by the key of their choice (see score/choice.py), and
    `primary` is the key of the first; files of before these keys had the scores that
    stand by themselves, which are still written where the task has them. `text_bleu`
    (CoT translation) and the error rate of the CoT transcript are None for a system
    without chain of thought, `asr_bleu` and `asr` for one that answers in text, `mos`
    (predicted, 1 to 5) where none was asked for. The rate is `src_wer`, or `src_cer` of
    a language that puts no space between words. `ci95` and `signature` are those of the
    primary metric. `checkpoint` is "last" or "best", `git` a hash with "-dirty" behind
    it where that was so.
    """

    system: str
    split: str
    asr_bleu: float | None
    chrf: float | None
    ci95: tuple[float, float] | None
    signature: str
    num_utterances: int
    num_missing: int
    text_bleu: float | None
    src_wer: float | None
    mos: float | None
    asr: AsrDescription | None
    normalizer: str
    checkpoint: str
    seed: int
    git: str
    tokens_seen: int
    train_sec: float
    num_too_long: int = 0  # of the missing ones: the LLM has no positions for them
    src_cer: float | None = None  # files of before this key had words alone
    layout: str = S2ST
    primary: str = "asr_bleu"
    metrics: Mapping[str, MetricScore] = field(default_factory=dict)

    @property
    def scores(self) -> Mapping[str, MetricScore]:
        """All scores by key, also of a file of before `metrics`."""
        if self.metrics:
            return self.metrics
        values = {key: getattr(self, name) for key, name in NAMES.items()}
        return {
            key: MetricScore(
                value,
                self.ci95 if key == self.primary else None,
                self.signature if key == self.primary else "",
                self.num_utterances,
            )
            for key, value in values.items()
            if value is not None
        }


@dataclass(frozen=True)
class ToplineScore:
    """What the best system could reach on a split: scores made without the S2ST model.

    ASR on the reference audio; ASR on the reference units through the vocoder; and the
    text LLM on the reference transcript (None where the recipe has none).
    """

    split: str
    reference_asr_bleu: float
    resynthesis_asr_bleu: float
    cascade_text_bleu: float | None
    reference_mos: float | None
    resynthesis_mos: float | None
    signature: str
    num_utterances: int
    asr: AsrDescription
    normalizer: str
    git: str


@dataclass(frozen=True)
class Comparison:
    """A paired bootstrap of a system against a baseline, at the same checkpoint rule.

    `delta` is system minus baseline in points of `metric`, `ci95` its interval.
    """

    system: str
    baseline: str
    checkpoint: str
    split: str
    metric: str
    delta: float
    ci95: tuple[float, float]
    p_value: float
    num_resamples: int
    seed: int


Record = TypeVar("Record", SystemScore, ToplineScore, Comparison)


def read(cls: type[Record], path: Path) -> Record:
    """Read the score file `path`; errors as of `from_json`."""
    return from_json(cls, read_json(path), str(path))


def from_json(cls: type[Record], data: Any, origin: str) -> Record:
    """Build `cls` from the JSON object of `origin`; UserError for a wrong key or type."""
    record = typed_json.read(cls, data, origin)
    if isinstance(record, SystemScore) and record.primary not in record.scores:
        raise UserError(f"{origin}: {record.primary}: expected a score, not None")
    return record
