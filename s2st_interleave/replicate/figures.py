"""Draws the page's figures: gains of Table 2, Figure 3, dev scores against effort."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.files import atomic_write
from s2st_interleave.replicate.content import PageContent
from s2st_interleave.replicate.statistics import Difference
from s2st_interleave.score.published import PAPER_PAIRS, TABLE_3_SOURCE

FIGURES = ("gains", "figure3", "curves")  # <name>.svg each

SIMILARITIES = (
    ("similarity_src", "source speech - source text"),
    ("similarity_text", "source text - target text"),
    ("similarity_tgt", "target text - target speech"),
)
PANELS = (
    ("probe_length_ratio_src", "|I_p| / |T|, source"),
    ("probe_length_ratio_tgt", "|I_p| / |T|, target"),
    *SIMILARITIES,
)


def draw(content: PageContent) -> None:
    """Draw the FIGURES of the page into the grid's folder."""
    recipe = content.grid.recipe
    theirs = {
        recipe.pair_of(src): pair.scheduled.asr_bleu - pair.baseline.asr_bleu
        for src, pair in PAPER_PAIRS.items()
    }
    runs = {
        pair: {
            name: content.results[key]
            for name in COLOURS
            if (key := f"{pair}.{name}.s1") in content.results
        }
        for pair in dict.fromkeys((*theirs, *content.grid.pairs))
    }
    ours = {"ours": content.gains, "ours, twice the steps": content.gains_of_twice}
    gains, figure_3, curves = (content.grid.figures / f"{name}.svg" for name in FIGURES)
    if content.asks_for_gains:
        draw_gains(ours, theirs, gains)
    draw_figure_3(runs[recipe.pair_of(TABLE_3_SOURCE)], figure_3)
    scored = {pair: by_system for pair, by_system in runs.items() if by_system}
    draw_curves(scored, curves)


def draw_gains(
    ours: Mapping[str, Mapping[str, Difference]], paper: Mapping[str, float], path: Path
) -> None:
    """Draw scheduled minus baseline by pair.

    `ours` is label -> pair -> gain, drawn with its 95% interval. `paper` is pair -> gain;
    its order is that of the pairs, and other pairs follow.
    """
    axes, save = axes_of((1, 1), path, width=8)
    pairs = dict.fromkeys(
        (*paper, *(pair for gains in ours.values() for pair in gains))
    )
    axis, places = axes[0, 0], {pair: place for place, pair in enumerate(pairs)}
    axis.plot(range(len(paper)), paper.values(), "kx", label="the paper's")
    for number, (label, gains) in enumerate(ours.items(), 1):
        for pair, gain in gains.items():
            x = places[pair] + 0.12 * number
            axis.vlines(x, *gain.ci95, color=f"C{number}")
            axis.plot(x, gain.delta, f"C{number}o", label=label)
            label = "_"  # further points are not named in the legend
    axis.axhline(0, color="gray", linewidth=0.5)
    axis.set(ylabel="gain, ASR-BLEU", xlabel="most training data to least")
    axis.set_xticks([*places.values()], [*places])
    save()


def draw_figure_3(runs: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Draw length ratios and cosine similarities over steps, one line a system.

    `runs` are stored cells by system.
    """
    axes, save = axes_of((1, len(PANELS)), path)
    for axis, (key, title) in zip(axes[0], PANELS, strict=True):
        for name, result in runs.items():
            probes = result["probes"]
            axis.plot(probes["step"], probes[key], COLOURS[name], label=name)
        axis.set(title=title, xlabel="step")
    save()


COLOURS = {"baseline": "C0", "scheduled": "C1"}
CURVES = (
    ("step", "steps", "dev_loss", "dev loss"),
    ("step", "steps", "dev_accuracy", "dev accuracy"),
    ("sec", "seconds", "dev_accuracy", "dev accuracy"),
)


def draw_curves(
    pairs: Mapping[str, Mapping[str, Mapping[str, Any]]], path: Path
) -> None:
    """Draw dev loss and accuracy at text ratio 0, a column for each pair.

    `pairs` is pair -> system -> stored cell.
    """
    axes, save = axes_of((len(CURVES), max(1, len(pairs))), path)
    for column, (pair, runs) in enumerate(pairs.items()):
        for row, (x, x_label, y, y_label) in enumerate(CURVES):
            axis = axes[row, column]
            for name, result in runs.items():
                curve = result["curve"]
                axis.plot(curve[x], curve[y], COLOURS[name], label=name)
            axis.set(title=pair, xlabel=x_label, ylabel=y_label)
    save()


def axes_of(
    shape: tuple[int, int], path: Path, width: float = 3.2
) -> tuple[np.ndarray, Callable[[], None]]:
    """Axes (num_rows, num_columns), and a function that writes them to `path` as SVG."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "s2st_interleave"  # the same bytes each time
    matplotlib.rcParams["svg.fonttype"] = "none"  # text, not outlines of each letter
    from matplotlib import pyplot

    num_rows, num_columns = shape
    size = (width * num_columns, 2.8 * num_rows)
    figure, axes = pyplot.subplots(*shape, figsize=size, squeeze=False)

    def save() -> None:
        for axis in axes.flat:
            if axis.get_legend_handles_labels()[0]:
                axis.legend(fontsize=7)
        figure.tight_layout()
        with atomic_write(path, "wb") as stream:
            figure.savefig(stream, format="svg", metadata={"Date": None})
        pyplot.close(figure)

    return axes, save
