"""Verdicts follow the stored scores by rule, and missing cells decide nothing."""

from dataclasses import replace

import numpy as np
import pytest

from s2st_interleave.replicate.claims import judge
from s2st_interleave.replicate.comparison import Run
from s2st_interleave.score.published import PAPER_PAIRS

PAIRS = [f"{src}_en" for src in PAPER_PAIRS]
HOURS = [pair.hours for pair in PAPER_PAIRS.values()]
SMALL = ("src_only", "tgt_only", "mask", "uniform")


def run(score: float, mos: float = 4.0, seed: int = 0) -> Run:
    rng = np.random.default_rng([seed, int(score * 10)])
    # Of 10,000 n-grams of each order so many match that BLEU is the score.
    counts = np.full((100, 10), 10_000, dtype=np.int64)
    counts[:, 2:6] = (100 * score + rng.integers(-50, 50, 100))[:, None]
    return Run(counts, mos + rng.normal(0, 0.1, 100), np.zeros(100, bool))


def as_in_the_paper():
    """Every printed score of the paper, as if our corpus had given it."""
    runs = {}
    for pair, paper in zip(PAIRS, PAPER_PAIRS.values(), strict=True):
        for system in ("baseline", "scheduled", "constant"):
            score = getattr(paper, system).asr_bleu
            runs[pair, system] = {seed: run(score, seed=seed) for seed in (1, 2, 3)}
    others = {"src_only": 11.1, "tgt_only": 12.6, "mask": 6.2, "uniform": 11.5}
    for system, score in others.items():
        runs["pt_en", system] = {seed: run(score, seed=seed) for seed in (1, 2, 3)}
    for system, score in {"baseline.untrained": 9.6, "no_cot": 13.7}.items():
        runs["fr_en", system] = {seed: run(score, seed=seed) for seed in (1, 2, 3)}
    return runs


def verdicts(runs) -> dict[int, str]:
    return {c.id: c.verdict for c in judge(runs, PAIRS, HOURS, 200)}


def test_the_papers_own_scores_hold_what_the_paper_claims():
    judged = verdicts(as_in_the_paper())
    assert judged == dict.fromkeys(range(1, 9), "holds")


def test_no_cells_decide_nothing():
    for claim in judge({}, PAIRS, HOURS, 200):
        assert claim.verdict == "not decided" and claim.missing
        assert claim.statistic is None and claim.p_value is None


def test_one_pair_that_is_missing_leaves_it_open():
    runs = as_in_the_paper()
    del runs["ru_en", "baseline"]
    judged = verdicts(runs)
    assert judged[1] == judged[2] == judged[8] == "not decided"
    assert judged[3] == "holds"


def test_one_seed_of_the_baseline_decides_nothing_but_claim_3():
    runs = as_in_the_paper()
    for pair in PAIRS:
        runs[pair, "baseline"] = {1: runs[pair, "baseline"][1]}
    judged = verdicts(runs)
    assert {k for k, verdict in judged.items() if verdict == "holds"} == {3, 4, 5, 6}


def test_two_seeds_of_three_leave_claims_4_to_6_open():
    runs = as_in_the_paper()
    for system in SMALL:
        del runs["pt_en", system][2]
    judged = verdicts(runs)
    assert judged[4] == judged[5] == judged[6] == "not decided"


def test_seeds_are_compared_with_themselves():
    """Seed 1 of one system was compared with seed 2 of another, whose 1 was missing."""
    runs = as_in_the_paper()
    runs["pt_en", "baseline"] = {2: run(10.0, seed=2), 4: run(90.0, seed=4)}
    (first, *_) = judge(runs, PAIRS, HOURS, 200)
    (comparison,) = [c for c in first.comparisons if c.pair == "pt_en"]
    assert comparison.num_seeds == 1 and comparison.difference.delta > 0


def test_a_baseline_that_wins_on_one_pair_is_said():
    runs = as_in_the_paper()
    runs["fr_en", "scheduled"] = {s: run(20.0, seed=s) for s in (1, 2, 3)}
    assert verdicts(runs)[1] == "does not hold"


def test_a_claim_is_not_refuted_by_fewer_seeds_than_it_wants():
    """One seed of three said "does not hold", where as clear a gain was "not decided"."""
    runs = as_in_the_paper()
    for better, worse in (("scheduled", "mask"), ("mask", "scheduled")):
        runs[PAIRS[-1], better] = {1: run(30.0, seed=1)}
        runs[PAIRS[-1], worse] = {1: run(10.0, seed=1)}
        assert verdicts(runs)[5] == "not decided"


def test_gains_that_grow_with_the_data_contradict_claim_2():
    runs = as_in_the_paper()
    for rank, pair in enumerate(PAIRS):
        runs[pair, "baseline"] = {s: run(10.0, seed=s) for s in (1, 2, 3)}
        runs[pair, "scheduled"] = {s: run(20.0 - rank, seed=s) for s in (1, 2, 3)}
    assert verdicts(runs)[2] == "does not hold"


@pytest.mark.parametrize(("loss", "verdict"), [(0.05, "holds"), (0.2, "does not hold")])
def test_quality_may_fall_by_less_than_a_tenth(loss, verdict):
    runs = as_in_the_paper()
    for pair in PAIRS:
        runs[pair, "scheduled"] = {
            s: replace(scored, mos=scored.mos - loss)
            for s, scored in runs[pair, "scheduled"].items()
        }
    assert verdicts(runs)[8] == verdict


def test_who_leaves_out_what_it_speaks_badly_is_no_better():
    """A system without its worse half was better in MOS than with it."""
    runs = as_in_the_paper()
    for (pair, system), by_seed in list(runs.items()):
        ratings = {s: np.repeat([2.0, 4.0], 50) + r.mos - 4 for s, r in by_seed.items()}
        if system == "scheduled":
            for mos in ratings.values():
                mos -= 0.2
                mos[:50] = np.nan
        runs[pair, system] = {s: replace(r, mos=ratings[s]) for s, r in by_seed.items()}
    quality = judge(runs, PAIRS, HOURS, 200)[7]
    assert quality.verdict == "does not hold"
    assert quality.statistic == pytest.approx(-0.2, abs=0.05)


def test_seeds_of_several_builds_are_said():
    """Three seeds of one encoder and one of another were "same" and no more."""
    runs = as_in_the_paper()
    for (pair, system), by_seed in list(runs.items()):
        runs[pair, system] = {s: replace(r, build=str(s)) for s, r in by_seed.items()}
    beats = judge(runs, PAIRS, HOURS, 200)[0]
    assert beats.caveat == ", seeds of several builds"
    assert {c.num_builds for c in beats.comparisons} == {3}
    assert all(c.same_build for c in beats.comparisons)


def test_without_ratings_nothing_is_said_of_quality():
    """Where UTMOS has no weights: equal systems of no rating are not alike."""
    runs = {
        names: {
            seed: replace(run, mos=np.full(100, np.nan)) for seed, run in by.items()
        }
        for names, by in as_in_the_paper().items()
    }
    quality = judge(runs, PAIRS, HOURS, 200)[7]
    assert quality.verdict == "not decided" and len(quality.missing) == len(PAIRS)
