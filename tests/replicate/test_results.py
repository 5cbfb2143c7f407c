"""results.json says what was found, and nothing that only a processor found."""

from dataclasses import replace
from types import SimpleNamespace

from s2st_interleave.replicate.claims import Claim, Comparison
from s2st_interleave.replicate.results import results_json
from s2st_interleave.replicate.statistics import Difference


def content(delta: float, p_value: float) -> SimpleNamespace:
    difference = Difference((delta,), delta, (delta - 1, delta + 1), p_value, 1.0)
    compared = Comparison(
        "pt_en", "scheduled", "baseline", True, 1, difference, p_value
    )
    claim = Claim(8, "speech quality", "rule", delta, p_value, "holds")
    claim = replace(claim, comparisons=(compared,))
    return SimpleNamespace(
        grid=SimpleNamespace(cells=[], is_of_schedules=False),
        results={},
        verdicts=[(claim, claim, claim)],
    )


def test_another_processor_gives_the_same_file():
    """Figures from two processors; the committed page looked old on one of them."""
    first = results_json(content(-0.02651500000000029, 8.536905381770787e-06))
    other = results_json(content(-0.02651500000000028, 8.536905381770524e-06))
    assert first == other
    (claim,) = first["claims"]
    assert (claim["statistic"], claim["p_value"]) == (-0.026515, 8.53691e-06)
    assert claim["comparisons"][0]["difference"]["delta"] == -0.026515


def test_what_differs_stays_apart():
    assert results_json(content(0.1, 1e-12)) != results_json(content(0.1, 2e-12))
    assert results_json(content(0.10001, 0.5)) != results_json(content(0.10002, 0.5))
