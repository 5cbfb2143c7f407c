"""What is planned for: a corpus, an LLM, and the examples of stage 6."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.plan.sizes import NO_HEADS, Heads


@dataclass(frozen=True)
class Corpus:
    """Utterances of each split, and the mean seconds of a recording; a side is a recording."""

    train: int
    dev: int
    test: int
    seconds: float
    num_sides: int = 2
    frame_sec: float = 0.02  # of a unit

    @property
    def num_utterances(self) -> int:
        """Utterances of all splits together."""
        return self.train + self.dev + self.test

    @property
    def num_units(self) -> int:
        """Units of a recording."""
        return max(1, round(self.seconds / self.frame_sec))


@dataclass(frozen=True)
class Llm:
    """What a plan needs of the LLM: where its configuration is, its rows and weights."""

    source: Path
    vocabulary: int
    num_weights: int
    heads: Heads = NO_HEADS  # of its training


@dataclass(frozen=True)
class Phase:
    """Steps of one text ratio, and the tokens of each example of some of them."""

    num_steps: float
    lengths: Sequence[Sequence[int]]
    target_share: float  # positions that have a loss
