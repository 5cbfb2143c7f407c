"""The text ratio of the paper: 0.9 - 0.1 every 300 steps, exactly 0 from step 2700."""

import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.schedule import Schedule, text_ratio

PAPER = Schedule("step", 0.9)


def test_the_papers_schedule():
    for step in range(3000):
        assert text_ratio(PAPER, step) == pytest.approx(max(0, 9 - step // 300) / 10)


def test_the_end_is_exactly_0_where_nine_subtractions_are_not():
    ratio = 0.9
    for _ in range(9):
        ratio -= 0.1
    assert ratio != 0
    assert text_ratio(PAPER, 2700) == 0.0
    assert text_ratio(PAPER, 10**6) == 0.0


def test_constant_and_baseline():
    assert text_ratio(Schedule("constant", 0.3), 10**6) == 0.3
    assert text_ratio(Schedule("constant", 0), 0) == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"start": 1.2},
        {"start": -0.1},
        {"start": 0.9, "drop": 0.2},
        {"start": 0.9, "every": 0},
    ],
)
def test_a_schedule_that_cannot_be_is_refused(bad):
    with pytest.raises(ValueError, match="text_ratio"):
        Schedule("step", **bad)


@pytest.mark.parametrize("shape", ["linear", "cosine", "inverse_sigmoid"])
def test_extensions_fall_from_the_start_to_0_where_the_steps_do(shape):
    schedule = Schedule(shape, 0.9)
    ratios = [text_ratio(schedule, step) for step in range(3000)]
    assert ratios[0] == pytest.approx(0.9, abs=0.005)
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[1350] == pytest.approx(0.45)
    assert ratios[2699] > 0 and set(ratios[2700:]) == {0.0}


def test_no_ratio_is_advised_that_would_be_refused():
    """It advised 0.9 or 1 to one who had asked for 1."""
    with pytest.raises(UserError, match=r"take 0\.9, or another text_ratio_drop"):
        Schedule("step", 1.0, 0.3)
    with pytest.raises(UserError, match=r"take 0\.8 or 0\.9, or another"):
        Schedule("step", 0.85, 0.1)
    with pytest.raises(UserError, match=r"take 0\.95 or 1, or another"):
        Schedule("step", 0.97, 0.05)
