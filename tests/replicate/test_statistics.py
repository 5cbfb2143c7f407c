"""The tests behind the verdicts: what they must find, and what they must not."""

import numpy as np
import pytest

from s2st_interleave.replicate.statistics import (
    mean_difference,
    paired_difference,
    resampled,
    spearman_permutation,
)
from s2st_interleave.score.bootstrap import holm


def scores(values, num_resamples=200):
    return resampled(
        lambda times: float(times @ values / times.sum()), len(values), num_resamples
    )


def runs(rng, mean, num_seeds=3, num_utterances=200):
    return [scores(rng.normal(mean, 1, num_utterances)) for _ in range(num_seeds)]


def test_a_clear_difference_is_found_and_a_system_is_not_better_than_itself():
    rng = np.random.default_rng(0)
    better, worse = runs(rng, 1.0), runs(rng, 0.0)
    difference = paired_difference(better, worse)
    assert difference.delta == pytest.approx(1.0, abs=0.2)
    assert difference.p_better < 0.01 and difference.p_worse > 0.99
    assert difference.ci95[0] > 0
    same = paired_difference(worse, worse)
    assert same.delta == 0 and same.p_better == 1 == same.p_worse


def test_one_lucky_seed_of_three_decides_nothing():
    rng = np.random.default_rng(1)
    flat = [scores(rng.normal(0, 0.1, 200)) for _ in range(3)]
    lucky = [scores(rng.normal(mean, 0.1, 200)) for mean in (9.0, -1.0, -1.0)]
    assert paired_difference(lucky, flat).p_better > 0.05


def test_three_seeds_of_one_sign_were_significant_once_in_eight():
    """Resampling three seeds never crosses 0 where all of them happen to agree."""
    rng = np.random.default_rng(3)
    flat = [scores(np.zeros(20), 20)] * 3
    p_values = []
    for _ in range(400):
        means = rng.normal(0, 1, 3)
        noisy = [scores(rng.normal(mean, 0.1, 20), 20) for mean in means]
        p_values.append(paired_difference(noisy, flat).p_better)
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.08


def test_seeds_of_two_pairs_that_cancelled_made_their_mean_sure():
    """Two seeds of +3.7 and +3.5 in the mean, from -0.7 to +8.1 by pair, had p 0.004."""
    noise = np.random.default_rng(0).normal(0, 0.1, 1000)

    def drawn(value):
        return np.concatenate([[value], value + noise])

    zero = [np.zeros(1001)] * 2
    pairs = [[drawn(-0.7), drawn(1.7)], [drawn(8.1), drawn(5.2)]]
    mean = mean_difference([(pair, zero) for pair in pairs])
    assert mean.by_seed == pytest.approx((3.7, 3.45)) and mean.p_better > 0.01
    assert mean.ci95[0] < 1
    alike = [[drawn(3.7), drawn(3.45)]] * 2
    assert mean_difference([(pair, zero) for pair in alike]).p_better < 0.001
    one = paired_difference(pairs[0], zero)
    assert one == mean_difference([(pairs[0], zero)])


def test_non_inferiority_is_a_margin():
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1, 200)
    a, b = [scores(noise - 0.05)], [scores(noise)]
    assert paired_difference(a, b).p_better > 0.99
    shifted = paired_difference(a, b, margin=-0.1)
    assert shifted.p_better < 0.05


def test_equal_systems_seldom_differ_at_the_spread_of_the_grids():
    """Variances are those of the grid schedules: of sentences that all seeds share, of
    sentences by seed, and of seeds (0.35, 4.9 and 1.3 points squared)."""
    rng = np.random.default_rng(0)
    zero = [np.zeros(301)] * 3

    def p_value(gain: float) -> float:
        common, own = (
            rng.normal(0, v**0.5, s) for v, s in ((0.35, 301), (4.9, (3, 301)))
        )
        seeds = rng.normal(0, 1.3**0.5, (3, 1))
        return paired_difference(list(gain + common + own + seeds), zero).p_better

    equal = np.array([p_value(0.0) for _ in range(3000)])
    ahead = np.array([p_value(6.0) for _ in range(1000)])
    assert 0.015 < np.mean(equal < 0.05) < 0.035
    assert 0.25 < np.mean(ahead < 0.05 / 46) < 0.4  # the least that Holm wants there


def test_numbers_of_seeds_must_agree():
    with pytest.raises(ValueError, match="3 and 2 seeds"):
        paired_difference([np.ones(5)] * 3, [np.ones(5)] * 2)


def test_holm_is_monotone_and_never_below_the_plain_value():
    plain = {"a": 0.001, "b": 0.02, "c": 0.021, "d": 0.9}
    adjusted = holm(plain)
    assert adjusted == pytest.approx({"a": 0.004, "b": 0.06, "c": 0.06, "d": 0.9})


def test_spearman_over_all_orders():
    size = [180, 119, 97, 81, 28, 16, 7]
    rho, below, above = spearman_permutation(size, [1, 2, 3, 4, 5, 6, 7])
    assert rho == pytest.approx(-1)
    assert below == pytest.approx(1 / 5040) and above == 1
    # Where all gains are the same, as of systems that say nothing, none is larger.
    assert spearman_permutation(size, [0.0] * 7) == (0, 1, 1)
    # The paper's own gains.
    rho, below, _ = spearman_permutation(size, [0.7, 1.9, 0.4, 2.1, 6.7, 8.1, 9.2])
    assert rho == pytest.approx(-25 / 28) and below < 0.01
