"""What a block of the answers is scored on: everything that metrics are given, by id."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from s2st_interleave.interleave.layout import Block, Layout
from s2st_interleave.score.asr import AsrOptions
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.pairs import Pair, normalized

if TYPE_CHECKING:
    from s2st_interleave.score.metrics.mos import MosOptions

# What a block is to its task: speech; text that says what a given recording says; or
# text that is the model's own, such as a translation.
Role = Literal["speech", "transcript", "text"]
# What a metric wants beside references and hypotheses: the text, or the recording, of
# another side that was given; the recording of the reference; seconds of computing; or
# weights of its own in `--metric_weights`.
Need = Literal["source", "source_audio", "reference_audio", "computing", "weights"]


@dataclass(frozen=True)
class Tools:
    """How speech is heard and rated, and where metrics that are models find weights.

    `asr` is None for a task that answers in text alone, `mos`, the predictor of speech
    quality with its options, where none is chosen. `weights` holds a folder for each
    metric that is a model, by the metric's name.
    """

    asr: AsrOptions | None
    cache: Path
    mos: "MosOptions | None" = None
    weights: Path | None = None
    device: str = "cpu"


@dataclass(frozen=True)
class Evidence:
    """One block of a system's answers, and what it is held against, by utterance id.

    `references` define the utterances; one without a hypothesis is missing. Hypotheses
    are what the model wrote or, of speech, what was heard. `sources` are texts of the
    side that is translated or answered. Durations are in seconds; `computing_sec` is the
    wall time of stage 7 and of vocoding for the whole split, NaN if unknown. What no
    metric needs is left empty.
    """

    references: Mapping[str, str]
    hypotheses: Mapping[str, str]
    language: str = "en"
    sources: Mapping[str, str] = field(default_factory=dict)
    source_language: str = ""
    wavs: Mapping[str, Path] = field(default_factory=dict)
    source_wavs: Mapping[str, Path] = field(default_factory=dict)
    reference_sec: Mapping[str, float] = field(default_factory=dict)
    source_sec: Mapping[str, float] = field(default_factory=dict)
    computing_sec: float = 0.0
    tools: Tools | None = None

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Normalised references and hypotheses, sorted by utterance id.

        Raises UserError as `pairs.join` does.
        """
        normalize = Normalizer(self.language).normalize
        return normalized(self.references, self.hypotheses, normalize)

    @property
    def ids(self) -> list[str]:
        return sorted(self.references)


def role(block: Block, layout: Layout) -> Role:
    """What a wanted block is to its task.

    >>> layout = Layout.parse("src_speech -> src_text tgt_text tgt_speech")
    >>> [role(block, layout) for block in layout.wanted]
    ['transcript', 'text', 'speech']
    """
    if block.kind == "speech":
        return "speech"
    return "transcript" if Block(block.side, "speech") in layout.given else "text"


def source_of(block: Block, layout: Layout) -> str:
    """The side that a block translates or answers; "" where it says what is given."""
    given = [b.side for b in layout.given]
    return "" if block.side in given else given[0]
