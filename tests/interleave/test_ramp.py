"""A training says when its text ends, and warns where it does not."""

import pytest

from s2st_interleave.interleave import ramp
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.schedule import Schedule, text_ratio

PAPER = Schedule("step", 0.9)


def test_the_papers_ramp_is_2700_of_our_10000_steps():
    said = ramp.describe(Interleaving(PAPER), 10_000, gate_every=0)
    assert said == "text_ratio reaches 0 after 2700 of 10000 steps (27%)"


def test_a_ramp_over_more_than_half_of_the_training_is_told_what_was_better():
    for max_steps, told in ((5400, False), (5399, True)):
        said = ramp.describe(Interleaving(PAPER), max_steps, gate_every=0)
        advice = "gained with a third of them (--text_ratio_every 199)"
        assert (advice in said) == told and "warning" not in said
    assert "third" not in ramp.describe(Interleaving(PAPER), 5399, gate_every=25)


@pytest.mark.parametrize("shape", ["step", "linear", "cosine"])
def test_the_ramp_ends_with_the_first_step_without_text(shape):
    interleaving = Interleaving(Schedule(shape, 0.9, every=7))
    num = ramp.steps_with_text(interleaving, 100)
    ratios = [text_ratio(interleaving.schedule, step) for step in range(100)]
    assert all(ratios[:num]) and not any(ratios[num:])


def test_the_side_with_text_for_longest_counts():
    interleaving = Interleaving(PAPER, side_every=(("tgt", 400),))
    assert ramp.steps_with_text(interleaving, 10_000) == 3600
    interleaving = Interleaving(PAPER, sides="tgt", side_every=(("tgt", 100),))
    assert ramp.steps_with_text(interleaving, 10_000) == 900


def test_a_training_that_ends_before_its_ramp_is_warned_with_steps_that_fit():
    said = ramp.describe(Interleaving(PAPER), 2000, gate_every=0)
    assert "warning" in said and "still 0.3 at the last step" in said
    every = int(said.split("--text_ratio_every ")[1].split(",")[0])
    fits = Interleaving(Schedule("step", 0.9, every=every))
    assert ramp.steps_with_text(fits, 2000) == pytest.approx(2000 / 3, abs=9)
    assert "warning" not in ramp.describe(fits, 2000, gate_every=0)


@pytest.mark.parametrize(
    ("sides", "advice"),
    [
        ((("src", 400), ("tgt", 500)), "--side_every src=74 tgt=74, for"),
        ((("src", 400),), "--side_every src=74 and --text_ratio_every 74, for"),
        ((("src", 50),), "or --text_ratio_every 74, for"),
    ],
)
def test_a_ramp_of_sides_is_warned_by_options_that_shorten_it(sides, advice):
    """--text_ratio_every was advised where no side followed it."""
    said = ramp.describe(Interleaving(PAPER, side_every=sides), 2000, gate_every=0)
    assert advice in said


def test_no_option_is_advised_that_no_side_follows():
    """A training of one side was to take an option that is refused there."""
    alone = Interleaving(PAPER, sides="tgt", side_every=(("tgt", 400),))
    said = ramp.describe(alone, 2000, gate_every=0)
    assert "--side_every tgt=74, for" in said and "text_ratio_every" not in said


@pytest.mark.parametrize("max_steps", [1, 9, 26])
def test_a_training_of_a_few_steps_is_advised_more_of_them_alone(max_steps):
    """The advice was "take more --max_steps, or , for a ramp over a third of them"."""
    rules = (
        Interleaving(Schedule("step", 0.9, every=1)),
        Interleaving(PAPER, side_every=(("tgt", 4),)),
    )
    for rule in rules:
        said = ramp.describe(rule, max_steps)
        assert "third of them" not in said and " , " not in said
        assert ramp.steps_with_text(rule, max_steps) < max_steps or said.endswith(
            "take more --max_steps"
        )


def test_a_gate_that_never_looks_is_told():
    said = ramp.describe(Interleaving(PAPER), 10_000, gate_every=2701)
    assert "the gate never looks" in said and "at the latest" not in said
    assert "never looks" not in ramp.describe(Interleaving(PAPER), 10_000, 2700)


def test_a_constant_share_is_called_an_ablation_and_a_baseline_says_nothing():
    constant = Interleaving(Schedule("constant", 0.3))
    assert "an ablation" in ramp.describe(constant, 100, gate_every=0)
    assert not ramp.describe(Interleaving(Schedule("constant", 0.0)), 100, gate_every=0)
    assert not ramp.describe(Interleaving(PAPER, sides="none"), 100, gate_every=0)


def test_half_of_the_utterances_without_text_are_no_reason_to_warn():
    mixed = Interleaving(Schedule("constant", 0.5), speech_only=0.5)
    said = ramp.describe(mixed, 100, gate_every=0)
    assert "50% of utterances without text" in said and "warning" not in said


def test_a_few_utterances_without_text_do_not_silence_the_warning():
    """One in ten was enough to say nothing of decoding, which has units alone."""
    few = Interleaving(Schedule("constant", 0.9), speech_only=0.1)
    said = ramp.describe(few, 100, gate_every=0)
    assert said.startswith("warning: ") and "10% of utterances without text" in said


def test_a_gate_may_be_sooner():
    assert "at the latest" in ramp.describe(Interleaving(PAPER), 10_000, gate_every=25)
    assert "unless its gate opens" in ramp.describe(
        Interleaving(PAPER), 99, gate_every=25
    )


def test_a_training_whose_utterances_are_all_without_text_has_no_ramp():
    interleaving = Interleaving(PAPER, speech_only=1.0)
    assert not ramp.describe(interleaving, 10_000, gate_every=0)
    assert interleaving.ratio(0) == 0, "its log said that 0.9 was shown"
