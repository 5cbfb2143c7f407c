"""Algorithm 1: what choose_spans promises for every ratio, length and stop rule."""

import numpy as np
import plain_draws
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2st_interleave import keyed
from s2st_interleave.interleave.spans import choose_spans

words = st.integers(1, 40)
ratios = st.sampled_from([i / 10 for i in range(11)])
lambdas = st.sampled_from([0.0, 1.0, 3.0])
stops = st.sampled_from(["literal", "exact"])
seeds = st.integers(0, 10_000)


@given(words, lambdas, stops, seeds)
def test_ratio_0_replaces_nothing_and_ratio_1_everything(count, lam, stop, seed):
    rng = keyed.generator(seed)
    assert not choose_spans(count, 0.0, lam, stop, rng).any()
    assert choose_spans(count, 1.0, lam, stop, rng).all()


@given(words, ratios.filter(bool), lambdas, seeds)
def test_literal_stops_only_after_passing_the_ratio(count, ratio, lam, seed):
    replaced = choose_spans(count, ratio, lam, "literal", keyed.generator(seed))
    assert replaced.all() or replaced.sum() > ratio * count


def test_as_many_words_as_the_ratio_says_do_not_end_the_loop():
    """0.7 * 90 is 62.99999999999999: 63 of 90 words ended it, though they are not more."""
    for count, ratio in ((90, 0.7), (100, 0.29), (50, 0.58)):
        replaced = choose_spans(count, ratio, 0.0, "literal", keyed.generator(1))
        assert replaced.sum() == round(ratio * count) + 1


def test_literal_overshoots_as_footnote_5_says():
    """At p = 0.1 a third of an eight-word sentence is text already, not a tenth."""
    drawn = [
        choose_spans(8, 0.1, 1.0, "literal", keyed.generator(i)).mean()
        for i in range(2000)
    ]
    assert 0.2 < np.mean(drawn) < 0.35


@given(words, ratios, lambdas, seeds)
def test_exact_never_leaves_the_two_nearest_counts(count, ratio, lam, seed):
    replaced = choose_spans(count, ratio, lam, "exact", keyed.generator(seed))
    wanted = round(ratio * count, 9)
    assert np.floor(wanted) <= replaced.sum() <= np.ceil(wanted)


@pytest.mark.parametrize("ratio", [0.1, 0.35, 0.9])
def test_exact_tracks_the_ratio_on_average(ratio):
    drawn = [
        choose_spans(7, ratio, 1.0, "exact", keyed.generator(i)).mean()
        for i in range(3000)
    ]
    assert np.mean(drawn) == pytest.approx(ratio, abs=0.01)


@given(words, ratios, lambdas, stops, seeds)
@settings(max_examples=50)
def test_same_key_same_spans(count, ratio, lam, stop, seed):
    first, second = (
        choose_spans(count, ratio, lam, stop, keyed.generator(seed)) for _ in range(2)
    )
    assert (first == second).all()


def test_span_lambda_0_replaces_single_words():
    """With lambda 0 and a tiny ratio exactly one word is replaced by the literal loop."""
    for seed in range(100):
        drawn = choose_spans(20, 0.01, 0.0, "literal", keyed.generator(seed))
        assert drawn.sum() == 1


@given(
    words,
    st.floats(0, 1) | ratios,
    st.sampled_from([0.0, 0.3, 1.0, 3.0, 12.0]),
    stops,
    seeds,
)
@settings(max_examples=300)
def test_spans_are_those_of_the_plain_loop(count, ratio, lam, stop, seed):
    """The loop of Algorithm 1 as the paper writes it, with numpy's generator."""
    wanted = plain_draws.choose_spans(count, ratio, lam, stop, keyed.generator(seed))
    for rng in (keyed.stream(seed, mean=lam), keyed.generator(seed)):
        drawn = choose_spans(count, ratio, lam, stop, rng)
        assert drawn.dtype == bool and drawn.tolist() == wanted.tolist()
