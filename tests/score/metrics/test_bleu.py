"""BLEU is sacrebleu's, of joined texts; what is missing counts as nothing said."""

import pytest
import sacrebleu
from made_texts import corrupted, references

from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.measure import Measured, measure
from s2st_interleave.score.metrics.bleu import ASR_BLEU


def scored(refs: dict[str, str], hyps: dict[str, str]) -> Measured:
    return measure(ASR_BLEU, Evidence(refs, hyps), num_resamples=10, seed=0)


def test_identity_scores_100() -> None:
    refs = references()
    same = scored(refs, refs)
    assert same.score.value == pytest.approx(100)
    assert same.score.ci95 == pytest.approx((100, 100))
    assert all(score == pytest.approx(100) for score in same.utterances.values())


def test_missing_hypothesis_is_counted_and_shifts_no_other() -> None:
    refs = references()
    hyps = corrupted(refs, 0.2, seed=1)
    whole = scored(refs, hyps)
    dropped_id = "utt0003"
    del hyps[dropped_id]
    partial = scored(refs, hyps)
    assert partial.score.num_utterances == whole.score.num_utterances == 80
    assert partial.utterances == whole.utterances | {dropped_id: 0}
    assert partial.score.value < whole.score.value


def test_all_hypotheses_missing_scores_0() -> None:
    nothing = scored(references(5), {})
    assert (nothing.score.value, nothing.score.num_utterances) == (0, 5)


def test_scores_are_those_of_sacrebleu() -> None:
    refs = references()
    hyps = corrupted(refs, 0.2, seed=1)
    ours = scored(refs, hyps)
    theirs = sacrebleu.corpus_bleu(list(hyps.values()), [list(refs.values())])
    assert ours.score.value == theirs.score
    assert ours.score.ci95[0] < ours.score.value < ours.score.ci95[1]
    assert "nrefs:1|case:mixed|eff:no|tok:13a" in ours.score.signature
    for utterance, score in ours.utterances.items():
        both = hyps[utterance], [refs[utterance]]
        assert score == pytest.approx(sacrebleu.sentence_bleu(*both).score)
