"""References and hypotheses, joined by utterance id.

Line order never decides which hypothesis meets which reference: in other toolkits one
missing file shifts every score after it.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from s2st_interleave.errors import UserError

Normalize = Callable[[str], str]


class Pair(NamedTuple):
    """One utterance's reference and hypothesis; a missing hypothesis is ""."""

    utterance_id: str
    reference: str
    hypothesis: str
    missing: bool


def join(
    references: Mapping[str, str], hypotheses: Mapping[str, str]
) -> tuple[Pair, ...]:
    """Pair texts by utterance id, sorted by id; the references define the set.

    Raises UserError for an id that has no reference, and where there is no reference.

    >>> join({"b": "two", "a": "one"}, {"b": "too"})[0]
    Pair(utterance_id='a', reference='one', hypothesis='', missing=True)
    """
    if not references:
        raise UserError("no references: there is nothing to score against")
    unknown = sorted(hypotheses.keys() - references.keys())
    if unknown:
        raise UserError(
            f"{len(unknown)} hypotheses without a reference: {', '.join(unknown[:5])}"
        )
    return tuple(
        Pair(key, references[key], hypotheses.get(key, ""), key not in hypotheses)
        for key in sorted(references)
    )


def normalized(
    references: Mapping[str, str],
    hypotheses: Mapping[str, str],
    normalize: Normalize,
) -> tuple[Pair, ...]:
    """`join`, with the same rules for the text of both sides; raises as `join` does."""
    return tuple(
        pair._replace(
            reference=normalize(pair.reference), hypothesis=normalize(pair.hypothesis)
        )
        for pair in join(references, hypotheses)
    )
