"""Word and character errors (WER, CER) per 100 of the reference, over the whole corpus."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from s2st_interleave.data.text import characters
from s2st_interleave.errors import UserError
from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.metrics.metric import Metric, percentage
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.pairs import Normalize, Pair, normalized

Cut = Callable[[str], list[str]]


def word_error_rate(
    references: Mapping[str, str],
    hypotheses: Mapping[str, str],
    *,
    normalize: Normalize,
) -> float:
    """Return word errors per 100 reference words over the whole corpus.

    A missing hypothesis counts as deleted words; the rate exceeds 100 where insertions
    abound. Raises UserError as `pairs.join` does, and if the references hold no word.
    """
    pairs = normalized(references, hypotheses, normalize)
    return percentage(_counts(pairs, str.split, "word").sum(0))


def character_error_rate(
    references: Mapping[str, str],
    hypotheses: Mapping[str, str],
    *,
    normalize: Normalize,
) -> float:
    """Return errors per 100 reference characters, each with its marks; spaces are none.

    As `word_error_rate` in all else.
    """
    pairs = normalized(references, hypotheses, normalize)
    return percentage(_counts(pairs, characters, "character").sum(0))


def _counts(pairs: Iterable[Pair], cut: Cut, unit: str) -> np.ndarray:
    """Errors and units of each reference, int64 [num_utterances, 2]."""
    rows = []
    for pair in pairs:
        units = cut(pair.reference)
        rows.append((_edit_distance(units, cut(pair.hypothesis)), len(units)))
    if not any(num_units for _, num_units in rows):
        raise UserError(
            f"the references hold no {unit} after normalisation, and errors are counted in "
            "these: look at the texts of --data_dir, or leave this metric out"
        )
    return np.array(rows, dtype=np.int64)


def _edit_distance(reference: list[str], hypothesis: list[str]) -> int:
    """Levenshtein distance: ten lines are less to trust than a dependency."""
    previous = list(range(len(hypothesis) + 1))
    for row, word in enumerate(reference, 1):
        current = [row]
        for column, other in enumerate(hypothesis, 1):
            substituted = previous[column - 1] + (word != other)
            current.append(min(substituted, previous[column] + 1, current[-1] + 1))
        previous = current
    return previous[-1]


def _rules(evidence: Evidence) -> str:
    return Normalizer(evidence.language).name


WER = Metric(
    name="wer",
    title="WER",
    roles=("speech", "transcript"),
    count=lambda evidence: _counts(evidence.pairs, str.split, "word"),
    score=percentage,
    signature=_rules,
    higher_is_better=False,
)
CER = replace(
    WER,
    name="cer",
    title="CER",
    count=lambda evidence: _counts(evidence.pairs, characters, "character"),
)
