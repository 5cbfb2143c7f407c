"""An utterance as a dump holds it, and the codebook of its units."""

from collections.abc import Mapping
from dataclasses import dataclass

from s2st_interleave.interleave.segments import Side


@dataclass(frozen=True)
class Utterance:
    """The units and words of each side, by its role, such as src and tgt."""

    id: str
    sides: Mapping[str, Side]
    pair: str = ""  # the language pair, in the prompt of a model that serves several


@dataclass(frozen=True)
class UnitVocabulary:
    """The number of units and a unit's seconds, which the codebook alone decides."""

    num_units: int
    unit_sec: float
