"""The slider stops once at each text ratio, where the utterance is read if it is."""

from dataclasses import replace

from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.show.stops import MOST_STOPS, points, stops

PAPER = Interleaving(Schedule("step", 0.9, 0.1, 300))


def ratios(interleaving: Interleaving, steps: list[int]) -> list[float]:
    return [interleaving.ratio(step) for step in steps]


def test_a_stair_has_a_stop_each_from_09_to_0():
    steps = stops(PAPER, 5000, (), 0)
    assert steps == list(range(0, 2701, 300))
    assert ratios(PAPER, steps) == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0]


def test_stops_are_where_the_training_reads_the_utterance_and_at_the_step_asked_for():
    steps = stops(PAPER, 5000, (17, 450, 451, 3000), 640)
    assert steps[:4] == [17, 450, 640, 900] and steps[-1] == 3000


def test_the_step_asked_for_is_a_stop_wherever_it_lies():
    for schedule in (
        PAPER.schedule,
        Schedule("constant", 0.3),
        Schedule("linear", 0.9, 0.1, 10),
        Schedule("step", 1.0, 0.01, 1),
        Schedule("constant", 0.0),
    ):
        for asked in (0, 1, 299, 2699, 2700, 100_000):
            steps = stops(Interleaving(schedule), 1500, (5,), asked)
            assert asked in steps and steps == sorted(set(steps))
            assert len(steps) <= MOST_STOPS + 1


def test_a_short_training_still_shows_the_whole_schedule():
    assert points(PAPER, 20)[-1] == (2700, 0.0)
    assert points(PAPER, 20)[:2] == ((0, 0.9), (299, 0.9))
    # A gate has let it fall sooner: once before the clock did, which then waits.
    gated = dict(points(replace(PAPER, falls=(50,)), 20))
    assert (gated[49], gated[50], gated[300], gated[600]) == (0.9, 0.8, 0.8, 0.7)
    assert len(stops(PAPER, 20, (), 3)) == 10


def test_stops_follow_a_gate_and_not_the_clock():
    """A fall at 50 takes the place of the clock's at 300: the next one is at 600."""
    gated = replace(PAPER, falls=(50, 400, 620))
    steps = stops(gated, 5000, (), 0)
    assert steps[:5] == [0, 50, 400, 620, 1200]
    assert ratios(gated, steps) == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0]


def test_curve_and_stops_follow_the_ramps_of_the_sides():
    """They were those of text_ratio_every, which no side of the training had."""
    both = replace(PAPER, side_every=(("src", 20), ("tgt", 30)))
    curve = dict(points(both, 400))
    assert (curve[29], curve[30], curve[269], curve[270]) == (0.9, 0.8, 0.1, 0.0)
    assert max(curve) == 399
    steps = stops(both, 400, (), 200)
    assert 200 in steps and steps[:4] == [0, 20, 30, 40] and steps[-1] == 270
    shown = [tuple(both.ratios(step).values()) for step in steps]
    assert len(set(shown)) == len(shown)
    slower = replace(PAPER, side_every=(("tgt", 600),))
    assert points(slower, 400)[-1] == (5400, 0.0)
    alone = replace(PAPER, sides="src", side_every=(("src", 20),))
    assert points(alone, 20)[-1] == (180, 0.0)
