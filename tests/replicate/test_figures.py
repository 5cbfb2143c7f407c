"""What the figures say can be read: one legend, panels of a width, axes with a name."""

import re

import pytest

from s2st_interleave.replicate.cell import PROBES
from s2st_interleave.replicate.figures import (
    LINES,
    WIDTH,
    draw_curves,
    draw_figure_3,
    draw_gains,
    seeds_of,
)
from s2st_interleave.replicate.statistics import Difference

STEPS = [100.0, 200.0, 300.0]
CELL = {
    "curve": {k: STEPS for k in ("step", "dev_loss", "dev_accuracy", "sec")},
    "probes": {k: STEPS for k in ("step", *PROBES)},
}
RUNS = dict.fromkeys(LINES, CELL)


def difference(*by_seed: float) -> Difference:
    return Difference(by_seed, by_seed[0], (by_seed[0] - 1, by_seed[0] + 1), 0.5, 0.5)


def texts(path) -> list[str]:
    return re.findall(r">([^<>]+)</text>", path.read_text())


@pytest.mark.parametrize(
    ("seeds", "words"),
    [((1, 1), "one seed"), ((3, 3), "3 seeds"), ((3, 1), "1 to 3 seeds")],
)
def test_a_legend_says_how_many_seeds_there_are(seeds, words):
    assert seeds_of([difference(*[2.0] * num) for num in seeds]) == words


def test_gains_of_one_seed_are_hollow_and_those_of_three_are_not(tmp_path):
    """Orange and green circles were alike to some, and one seed looked like three."""
    path, names = tmp_path / "gains.svg", {"pt_en": "Portuguese"}
    ours = {
        "ours": {"pt_en": difference(4, 5, 6)},
        "ours, twice the steps": {"pt_en": difference(8)},
    }
    draw_gains(ours, {"pt_en": 9.0}, names, path)
    assert {"Portuguese", "ours (3 seeds)", "ours, twice the steps (one seed)"} < {
        *texts(path)
    }
    drawn = path.read_text()
    assert "fill: #d55e00; stroke: #d55e00" in drawn
    assert "fill: #ffffff; stroke: #0072b2" in drawn
    assert drawn.count("stroke-dasharray") == 1


def test_curves_of_many_pairs_have_one_legend_and_rows_of_three(tmp_path):
    """Seven panels stood in a row, each with the same legend, in letters of five pixels."""
    path = tmp_path / "curves.svg"
    pairs = [f"language {number}" for number in range(7)]
    draw_curves(dict.fromkeys(pairs, RUNS), path)
    said = texts(path)
    assert [said.count(name) for name in (*pairs, *LINES)] == [1] * 9
    assert "dev loss, log scale" in said
    assert f'width="{72 * WIDTH:.0f}pt"' in path.read_text()  # however many there are


def test_figure_3_names_its_axes(tmp_path):
    """Its similarities read as differences, "source speech - source text", of nothing."""
    path = tmp_path / "figure3.svg"
    draw_figure_3(RUNS, path)
    said = texts(path)
    assert {"cosine similarity", "source speech vs source text"} < {*said}
    assert "for each token of text" in said
    assert [said.count(name) for name in LINES] == [1, 1]
