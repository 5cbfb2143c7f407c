"""Which utterances a report plays: the worst, the best and the ones in the middle."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, zip_longest
from math import isfinite

from s2st_interleave.report.systems import System


@dataclass(frozen=True)
class Choice:
    """An utterance, and the reasons for which it is shown."""

    id: str
    reasons: tuple[str, ...]


def choose(
    systems: Sequence[System], baseline: str, ids: Sequence[str], num_examples: int
) -> list[Choice]:
    """`ids`, then up to `num_examples` others, taken in turn from all rankings.

    A ranking is by a system's own sentence scores, or by its difference to the baseline's.
    An utterance that several rankings give is chosen once, with all reasons.
    """
    reasons: dict[str, list[str]] = {utterance: ["asked for"] for utterance in ids}
    taken = 0
    turns = [_turns(ranking) for ranking in _rankings(systems, baseline)]
    for turn in zip_longest(*turns):
        for utterance, reason in filter(None, turn):
            if utterance not in reasons:
                if taken == num_examples:
                    continue
                taken += 1
            reasons.setdefault(utterance, []).append(reason)
        if taken == num_examples:
            break
    return [Choice(utterance, tuple(why)) for utterance, why in reasons.items()]


@dataclass(frozen=True)
class _Ranking:
    """Values by utterance id, the more the better, and names of its two ends and middle."""

    values: Mapping[str, float]
    names: tuple[str, str, str]  # lowest, middle, highest


def _rankings(systems: Sequence[System], baseline: str) -> Iterator[_Ranking]:
    """Differences to the baseline first: they are what a report is opened for."""
    first = next((each for each in systems if each.name == baseline), None)
    for system in systems:
        if first is None or system is first:
            continue
        if system.score.primary != first.score.primary:
            continue
        pairs = {
            utterance: system.goodness(utterance) - first.goodness(utterance)
            for utterance in system.rows.keys() & first.rows.keys()
        }
        finite = {
            utterance: gain for utterance, gain in pairs.items() if isfinite(gain)
        }
        lowest, middle, highest = (
            f"{system.name}: {what} {baseline}"
            for what in ("most below", "median difference to", "most above")
        )
        yield _Ranking(finite, (lowest, middle, highest))
    for system in systems:
        values = {utterance: system.goodness(utterance) for utterance in system.rows}
        names = (f"{system.name}: worst", f"{system.name}: median")
        yield _Ranking(values, (*names, f"{system.name}: best"))


def _turns(ranking: _Ranking) -> Iterator[tuple[str, str]]:
    """Utterances from both ends and from the middle outwards, in turn, with reasons."""
    order = sorted(ranking.values, key=lambda u: (ranking.values[u], u))
    middle = len(order) // 2
    for rank in count():
        if rank >= len(order):
            return
        place = middle + (rank + 1) // 2 * (-1 if rank % 2 else 1)
        for index, name in zip((rank, place, -rank - 1), ranking.names, strict=True):
            ordinal = name if rank == 0 else f"{name} ({rank + 1})"
            yield order[index % len(order)], ordinal
