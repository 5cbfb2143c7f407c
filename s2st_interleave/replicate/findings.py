"""What the page of a grid is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from s2st_interleave.replicate.claims import Claim, Comparison
from s2st_interleave.replicate.grid import Grid
from s2st_interleave.replicate.search import LENGTHS
from s2st_interleave.replicate.statistics import Difference


@dataclass(frozen=True)
class Findings:
    """All that it shows. `results` and `toplines` are the stored JSON objects."""

    grid: Grid
    results: Mapping[str, Mapping[str, Any]]  # cell name -> cells/<name>.json
    toplines: Mapping[str, Mapping[str, Any]]  # pair -> toplines/<pair>.json
    sizes: Mapping[str, int]  # source language -> training utterances
    claims: Sequence[Claim]  # by the last checkpoint
    claims_best: Sequence[Claim]  # by the one that was best on dev
    claims_unlooped: Sequence[Claim]  # by the last one, without `loops`
    beyond: Sequence[Comparison]  # as claim 1, on pairs that the paper does not have
    loops: Mapping[str, frozenset[str]]  # pair -> utterances heard as a loop
    tuned: Sequence[tuple[str, Comparison]]  # winners of the search, by which rule
    longer: Sequence[Comparison]  # scheduled against baseline, each trained as long
    longer_unlooped: Sequence[Comparison]  # the same without loops of these cells
    constant: Sequence[Comparison]  # constant p against the baseline
    sensitivity: Sequence[Comparison]  # what is changed against scheduled as it is
    notes: str
    figures: Mapping[str, str]  # name -> file, as seen from the page

    @property
    def gains(self) -> dict[str, Difference]:
        """Pair -> scheduled minus baseline, of Table 2."""
        both = (*self.claims[0].comparisons, *self.beyond)
        return {one.pair: one.difference for one in both}

    @property
    def gains_of_twice(self) -> dict[str, Difference]:
        """The same with twice the steps for both."""
        return _of_twice(self.longer)

    @property
    def gains_of_twice_unlooped(self) -> dict[str, Difference]:
        return _of_twice(self.longer_unlooped)


def _of_twice(longer: Sequence[Comparison]) -> dict[str, Difference]:
    other = f"baseline{dict(LENGTHS)[2]}"
    return {one.pair: one.difference for one in longer if one.other == other}
