"""Intervals and paired tests: from counts alone, and as certain as the data is."""

import numpy as np
import pytest
from made_texts import corrupted, references, reversed_order

from s2st_interleave.score.bootstrap import PairedResult, interval, paired
from s2st_interleave.score.metrics.bleu import bleu_counts, bleu_of

Texts = dict[str, str]


def counts(refs: Texts, hyps: Texts) -> np.ndarray:
    return bleu_counts(refs, hyps, normalize=str)


def bleu_interval(refs: Texts, hyps: Texts, seed: int = 0) -> tuple[float, float]:
    found = interval(counts(refs, hyps), bleu_of, num_resamples=50, seed=seed)
    assert found is not None
    return found


def compared(refs: Texts, one: Texts, two: Texts, num_resamples: int) -> PairedResult:
    both = counts(refs, one), counts(refs, two)
    found = paired(*both, bleu_of, num_resamples=num_resamples, seed=0)
    assert found is not None
    return found


def test_order_of_the_input_changes_nothing() -> None:
    refs = references()
    one, two = corrupted(refs, 0.2, seed=1), corrupted(refs, 0.3, seed=2)
    shuffled = [reversed_order(texts) for texts in (refs, one, two)]
    assert bleu_interval(refs, one) == bleu_interval(*shuffled[:2])
    assert compared(refs, one, two, 50) == compared(*shuffled, 50)


def test_seed_decides_the_interval() -> None:
    refs = references()
    hyps = corrupted(refs, 0.2, seed=1)
    intervals = [bleu_interval(refs, hyps, seed) for seed in (1, 1, 2)]
    assert intervals[0] == intervals[1] != intervals[2]


def test_what_has_no_score_has_no_interval_and_no_difference() -> None:
    nothing, something = np.zeros((4, 2)), np.ones((4, 2))
    mean = lambda sums: sums[0] / sums[1] if sums[1] else float("nan")  # noqa: E731
    assert interval(nothing, mean, num_resamples=5, seed=0) is None
    assert paired(nothing, something, mean, num_resamples=5, seed=0) is None


def test_system_against_itself_is_no_difference() -> None:
    refs = references()
    hyps = corrupted(refs, 0.2, seed=1)
    result = compared(refs, hyps, hyps, 100)
    assert result.delta == 0
    assert result.ci95 == (0, 0)
    assert result.p_value == 1


def test_one_utterance_shows_no_difference() -> None:
    """It was significant, with p 0.001 and an interval of no width."""
    mean = lambda sums: sums[0] / sums[1]  # noqa: E731
    one, other = np.array([[3.0, 4.0]]), np.array([[1.0, 4.0]])
    assert interval(one, mean, num_resamples=5, seed=0) is None
    for times in (1, 2):  # two that are shifted alike tell no more
        found = paired(
            np.repeat(one, times, 0),
            np.repeat(other, times, 0),
            mean,
            num_resamples=99,
            seed=0,
        )
        assert (found.delta, found.ci95, found.p_value) == (0.5, (0.0, 0.5), 1.0)


def test_clear_winner_is_significant_in_both_directions() -> None:
    refs = references()
    good, bad = corrupted(refs, 0.1, seed=1), corrupted(refs, 0.4, seed=2)
    won = compared(refs, good, bad, 200)
    lost = compared(refs, bad, good, 200)
    assert won.p_value == lost.p_value < 0.05
    assert 0 < won.ci95[0] < won.delta < won.ci95[1]
    assert lost.delta == -won.delta
    assert lost.ci95 == pytest.approx((-won.ci95[1], -won.ci95[0]))


def test_p_value_agrees_with_sacrebleu() -> None:
    from sacrebleu.metrics import BLEU
    from sacrebleu.significance import PairedTest

    refs = references(150)
    one, two = corrupted(refs, 0.2, seed=1), corrupted(refs, 0.2, seed=4)
    ours = compared(refs, one, two, 2000)
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
