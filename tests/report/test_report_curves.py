"""Curves are smoothed and thinned, and steps of a schedule stay steps."""

import json

import pytest

from s2st_interleave.report import charts
from s2st_interleave.report.curves import (
    MOST_POINTS,
    Chart,
    Curve,
    corners,
    read_charts,
    read_metrics,
    stairs,
    thinned,
)


def test_a_straight_line_is_the_same_after_smoothing():
    line = tuple((float(k), 3.0 * k) for k in range(5000))
    kept = thinned(line)
    assert len(kept) == MOST_POINTS and kept[0] == line[0] and kept[-1] == line[-1]
    assert all(y == pytest.approx(3 * x) for x, y in kept)


def test_noise_is_evened_out():
    noisy = tuple((float(k), float(k % 2)) for k in range(1000))
    assert all(0.4 < y < 0.6 for x, y in thinned(noisy)[5:-5])


def test_few_points_are_all_kept():
    points = ((0.0, 1.0), (10.0, 0.5))
    assert thinned(points) == points and thinned(points[:1]) == points[:1]


def test_a_step_function_keeps_its_corners_alone():
    steps = tuple((float(k), 0.9 - k // 100 / 10) for k in range(300))
    assert [x for x, _ in corners(steps)] == [0, 99, 100, 199, 200, 299]


def test_a_step_that_was_done_again_counts_once_and_nan_not_at_all(tmp_path):
    lines = [{"step": 0, "loss": 9.0}, {"step": 1, "loss": float("nan")}]
    lines += [{"step": 0, "loss": 1.0, "note": "again"}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "metrics.jsonl").write_text(text)
    assert read_metrics(tmp_path) == {"loss": ((0.0, 1.0),)}


def test_systems_without_a_training_have_no_curve(tmp_path):
    assert read_charts({"baseline": tmp_path}) == []


def test_a_histogram_is_drawn_as_stairs():
    assert stairs([10, 20], [0, 1, 2]) == ((0, 10), (1, 10), (1, 20), (2, 20))


def test_the_same_system_looks_the_same_in_all_charts_and_unlike_all_others():
    names = [f"s{k}" for k in range(28)]
    assert len({charts.look(k) for k in range(28)}) == 28
    curve = Curve("s5", ((0.0, 1.0), (9.0, 2.0)))
    assert f'class="{charts.look(5)}"' in charts.svg(
        Chart("x", (curve,)), names, "step"
    )
    assert f'class="{charts.look(5)}"' in charts.legend(names)


@pytest.mark.parametrize(
    "points", [((0.0, 0.0),), ((5.0, 2.0),), ((0.0, 1e9), (1.0, 1e9))]
)
def test_a_chart_of_hardly_anything_has_finite_places(points):
    drawn = charts.svg(Chart("x", (Curve("a", points),)), ["a"], "step")
    assert "nan" not in drawn and "inf" not in drawn


def test_a_first_loss_that_is_very_high_does_not_flatten_the_rest():
    points = ((0.0, 1000.0), *((float(k), 2.0) for k in range(1, 100)))
    drawn = charts.svg(Chart("x", (Curve("a", points),)), ["a"], "step")
    assert ">1000<" not in drawn and ">2<" in drawn
