"""Joining by id, BLEU with its interval, the paired test and the word error rate."""

import time

import numpy as np
import pytest

from s2st_interleave.score.bleu import (
    corpus_scores,
    join,
    paired_bootstrap,
    word_error_rate,
)

SENTENCE = "the a black dog cat reads sees under over house garden old new book"
WORDS = SENTENCE.split()


def identity(text: str) -> str:
    return text


def references(num_utterances: int = 80) -> dict[str, str]:
    rng = np.random.default_rng(7)
    return {
        f"utt{index:04d}": " ".join(rng.choice(WORDS, size=rng.integers(5, 12)))
        for index in range(num_utterances)
    }


def corrupted(texts: dict[str, str], share: float, seed: int) -> dict[str, str]:
    rng = np.random.default_rng(seed)
    return {
        key: " ".join(
            "wrong" if rng.random() < share else word for word in text.split()
        )
        for key, text in texts.items()
    }


def reversed_order(texts: dict[str, str]) -> dict[str, str]:
    return dict(reversed(texts.items()))


def test_identity_scores_100() -> None:
    refs = references()
    scores = corpus_scores(refs, refs, normalize=identity, num_resamples=50)
    assert scores.asr_bleu == pytest.approx(100)
    assert scores.ci95 == pytest.approx((100, 100))
    assert scores.chrf == pytest.approx(100)
    assert scores.num_missing == 0
    assert all(u.sentence_bleu == pytest.approx(100) for u in scores.utterances)
    assert word_error_rate(refs, refs, normalize=identity) == 0


def test_missing_hypothesis_is_counted_and_shifts_no_other() -> None:
    refs = references()
    hyps = corrupted(refs, 0.2, seed=1)
    whole = corpus_scores(refs, hyps, normalize=identity, num_resamples=10)
    dropped_id = "utt0003"
    del hyps[dropped_id]
    partial = corpus_scores(refs, hyps, normalize=identity, num_resamples=10)
    assert (whole.num_missing, partial.num_missing) == (0, 1)
    assert partial.num_utterances == whole.num_utterances
    for before, after in zip(whole.utterances, partial.utterances, strict=True):
        if after.utterance_id == dropped_id:
            assert after.missing and after.hypothesis == ""
            assert after.sentence_bleu == 0
        else:
            assert before == after


def test_all_hypotheses_missing_scores_0() -> None:
    refs = references(5)
    scores = corpus_scores(refs, {}, normalize=identity, num_resamples=10)
    assert (scores.asr_bleu, scores.num_missing) == (0, 5)
    assert word_error_rate(refs, {}, normalize=identity) == 100


def test_unknown_id_is_named() -> None:
    with pytest.raises(ValueError, match="stranger"):
        join({"utt1": "a"}, {"utt1": "a", "stranger": "b"})
    with pytest.raises(ValueError, match="no references"):
        join({}, {})


def test_order_of_the_input_changes_nothing() -> None:
    refs = references()
    one, two = corrupted(refs, 0.2, seed=1), corrupted(refs, 0.3, seed=2)
    shuffled = [reversed_order(texts) for texts in (refs, one, two)]
    arguments = {"normalize": identity, "num_resamples": 50, "seed": 3}
    assert corpus_scores(refs, one, **arguments) == corpus_scores(
        shuffled[0], one, **arguments
    )
    assert paired_bootstrap(refs, one, two, **arguments) == paired_bootstrap(
        *shuffled, **arguments
    )


def test_seed_decides_the_interval() -> None:
    refs = references()
    hyps = corrupted(refs, 0.2, seed=1)
    intervals = [
        corpus_scores(refs, hyps, normalize=identity, num_resamples=50, seed=seed).ci95
        for seed in (1, 1, 2)
    ]
    assert intervals[0] == intervals[1] != intervals[2]


def test_scores_are_those_of_sacrebleu() -> None:
    import sacrebleu

    refs = references()
    hyps = corrupted(refs, 0.2, seed=1)
    scores = corpus_scores(refs, hyps, normalize=identity, num_resamples=300)
    theirs = sacrebleu.corpus_bleu(list(hyps.values()), [list(refs.values())])
    assert scores.asr_bleu == theirs.score
    assert scores.ci95[0] < scores.asr_bleu < scores.ci95[1]
    assert "tok:13a" in scores.signature


def test_1000_utterances_take_a_moment() -> None:
    refs = references(1000)
    hyps = corrupted(refs, 0.2, seed=1)
    start_sec = time.perf_counter()
    corpus_scores(refs, hyps, normalize=identity, num_resamples=1000)
    # 0.5 s on an idle core; re-scoring text for each resample would take minutes.
    assert time.perf_counter() - start_sec < 5


def test_system_against_itself_is_no_difference() -> None:
    refs = references()
    hyps = corrupted(refs, 0.2, seed=1)
    result = paired_bootstrap(refs, hyps, hyps, normalize=identity, num_resamples=100)
    assert result.delta == 0
    assert result.ci95 == (0, 0)
    assert result.p_value == 1


def test_clear_winner_is_significant_in_both_directions() -> None:
    refs = references()
    good, bad = corrupted(refs, 0.1, seed=1), corrupted(refs, 0.4, seed=2)
    won = paired_bootstrap(refs, good, bad, normalize=identity, num_resamples=200)
    lost = paired_bootstrap(refs, bad, good, normalize=identity, num_resamples=200)
    assert won.p_value == lost.p_value < 0.05
    assert 0 < won.ci95[0] < won.delta < won.ci95[1]
    assert lost.delta == -won.delta
    assert lost.ci95 == pytest.approx((-won.ci95[1], -won.ci95[0]))


def test_p_value_agrees_with_sacrebleu() -> None:
    from sacrebleu.metrics import BLEU
    from sacrebleu.significance import PairedTest

    refs = references(150)
    one, two = corrupted(refs, 0.2, seed=1), corrupted(refs, 0.2, seed=4)
    ours = paired_bootstrap(refs, one, two, normalize=identity, num_resamples=2000)
    named = [("baseline", list(two.values())), ("system", list(one.values()))]
    test = PairedTest(
        named,
        {"BLEU": BLEU(references=[list(refs.values())])},
        references=None,
        test_type="bs",
        n_samples=2000,
    )
    theirs = test()[1]["BLEU"]
    assert ours.delta == pytest.approx(theirs[1].score - theirs[0].score)
    assert 0.01 < ours.p_value < 0.5, "the example should not be a clear case"
    noise = np.sqrt(ours.p_value * (1 - ours.p_value) * 2 / 2000)
    assert abs(ours.p_value - theirs[1].p_value) < 4 * noise


@pytest.mark.parametrize(
    ("reference", "hypothesis", "rate"),
    [
        ("a b c d", "a b c d", 0),
        ("a b c d", "a x c d", 25),
        ("a b c d", "b c d", 25),
        ("a b c d", "a a b c d", 25),
        ("a b c d", "", 100),
        ("a", "b c d", 300),
        ("a b c d", "d c b a", 100),
    ],
)
def test_word_error_rate(reference: str, hypothesis: str, rate: float) -> None:
    assert (
        word_error_rate({"u": reference}, {"u": hypothesis}, normalize=identity) == rate
    )


def test_word_error_rate_weighs_words_not_utterances() -> None:
    refs = {"short": "a", "long": "a b c d e f g h i"}
    hyps = {"short": "b", "long": "a b c d e f g h i"}
    assert word_error_rate(refs, hyps, normalize=identity) == 10
    with pytest.raises(ValueError, match="no word"):
        word_error_rate({"u": " "}, {}, normalize=identity)
