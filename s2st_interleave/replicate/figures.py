"""Draws the page's figures: gains of Table 2, Figure 3, dev scores against effort."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.files import atomic_write
from s2st_interleave.replicate.content import PageContent
from s2st_interleave.replicate.statistics import Difference
from s2st_interleave.report.look import LIGHT
from s2st_interleave.score.published import PAPER_PAIRS, TABLE_3_SOURCE

FIGURES = ("gains", "figure3", "curves")  # <name>.svg each
WIDTH = 9.0  # inches: letters of ten points can be read in a page of 900 pixels

SIMILARITIES = (
    ("similarity_src", "source speech vs source text"),
    ("similarity_text", "source text vs target text"),
    ("similarity_tgt", "target text vs target speech"),
)
LENGTHS = (
    ("probe_length_ratio_src", "length of the source side"),
    ("probe_length_ratio_tgt", "length of the target side"),
)

# Told apart without colours too: by dashes and markers.
LINES: Mapping[str, Mapping[str, Any]] = {
    "baseline": {"color": LIGHT[0], "linestyle": "--"},
    "scheduled": {"color": LIGHT[1], "linestyle": "-"},
}
DASHES = (0, (2, 1))  # of intervals; so short that their ends are seen
GAINS = ((LIGHT[1], "o"), (LIGHT[0], "s"))  # colour and marker of each kind of ours


def draw(content: PageContent) -> None:
    """Draw the FIGURES of the page into the grid's folder."""
    recipe = content.grid.recipe
    published = {recipe.pair_of(src): each for src, each in PAPER_PAIRS.items()}
    theirs = {
        pair: each.scheduled.asr_bleu - each.baseline.asr_bleu
        for pair, each in published.items()
    }
    names = {pair: each.name for pair, each in published.items()} | dict(content.names)
    runs = {
        pair: {
            name: content.results[key]
            for name in LINES
            if (key := f"{pair}.{name}.s1") in content.results
        }
        for pair in dict.fromkeys((*theirs, *content.grid.pairs))
    }
    ours = {"ours": content.gains, "ours, twice the steps": content.gains_of_twice}
    gains, figure_3, curves = (content.grid.figures / f"{name}.svg" for name in FIGURES)
    if content.asks_for_gains:
        draw_gains(ours, theirs, names, gains)
    draw_figure_3(runs[recipe.pair_of(TABLE_3_SOURCE)], figure_3)
    scored = {names[pair]: by_system for pair, by_system in runs.items() if by_system}
    draw_curves(scored, curves)


def draw_gains(
    ours: Mapping[str, Mapping[str, Difference]],
    paper: Mapping[str, float],
    names: Mapping[str, str],
    path: Path,
) -> None:
    """Draw scheduled minus baseline by pair.

    `ours` is label -> pair -> gain, drawn with its 95% interval, hollow and dashed where it
    is of one seed. `paper` is pair -> gain; its order is that of the pairs, and other pairs
    follow. `names` are the pairs' languages.
    """
    axes, save = axes_of((1, 1), path, 3.6)
    pairs = dict.fromkeys(
        (*paper, *(pair for gains in ours.values() for pair in gains))
    )
    axis, places = axes[0, 0], {pair: place for place, pair in enumerate(pairs)}
    axis.plot(range(len(paper)), paper.values(), "kx", label="the paper's")
    kinds = zip(ours.items(), GAINS, strict=True)
    for number, ((label, gains), (colour, marker)) in enumerate(kinds, 1):
        label = f"{label} ({seeds_of(gains.values())})"
        for pair, gain in gains.items():
            x, few = places[pair] + 0.15 * number, len(gain.by_seed) == 1
            dashes: Any = DASHES if few else "solid"
            axis.vlines(x, *gain.ci95, color=colour, linestyles=dashes)
            face = "white" if few else colour
            axis.plot(x, gain.delta, marker, color=colour, mfc=face, label=label)
    axis.axhline(0, color="gray", linewidth=0.5)
    axis.set(ylabel="gain in ASR-BLEU", xlabel="most training data to least")
    axis.set_xticks([*places.values()], [names[pair] for pair in places])
    save()


def seeds_of(differences: Iterable[Difference]) -> str:
    """How many seeds differences are of, in words of a legend."""
    counts = sorted({len(each.by_seed) for each in differences}) or [0]
    if counts == [1]:
        return "one seed"
    least, most = counts[0], counts[-1]
    return f"{most} seeds" if least == most else f"{least} to {most} seeds"


def draw_figure_3(runs: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Draw length ratios above cosine similarities over steps, one line a system.

    `runs` are stored cells by system.
    """
    shape = (2, len(SIMILARITIES))
    axes, save = axes_of(shape, path, 5.2, sharex=True, sharey="row")
    for row, panels in zip(axes, (LENGTHS, SIMILARITIES), strict=True):
        for axis, (key, title) in zip(row, panels, strict=False):
            for name, result in runs.items():
                probes = result["probes"]
                axis.plot(probes["step"], probes[key], **LINES[name], label=name)
            axis.set_title(title, fontsize="medium")
        for axis in row[len(panels) :]:
            axis.set_visible(False)
    axes[0, 0].set_ylabel("tokens as interleaved\nfor each token of text")
    axes[1, 0].set_ylabel("cosine similarity")
    for axis in (*axes[0, len(LENGTHS) :], *axes[1]):
        axis.set_xlabel("step")
    save()


CURVES = (
    ("step", "steps", "dev_loss", "dev loss, log scale"),
    ("step", "steps", "dev_accuracy", "dev accuracy"),
    ("sec", "seconds", "dev_accuracy", "dev accuracy"),
)


def draw_curves(
    pairs: Mapping[str, Mapping[str, Mapping[str, Any]]], path: Path
) -> None:
    """Draw dev loss and accuracy at text ratio 0, a row for each pair.

    `pairs` is language -> system -> stored cell. Losses have a log scale, on which those
    of the first steps leave room for the rest.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    num_rows = max(1, len(pairs))
    shape, height = (num_rows, len(CURVES)), 1.4 * num_rows + 1
    axes, save = axes_of(shape, path, height, sharex="col", sharey="col")
    for row, (language, runs) in zip(axes, pairs.items(), strict=False):
        row[0].set_ylabel(language, fontweight="bold")
        for axis, (x, _, y, _) in zip(row, CURVES, strict=True):
            for name, result in runs.items():
                curve = result["curve"]
                axis.plot(curve[x], curve[y], **LINES[name], label=name)
    for column, (_, x_label, _, title) in enumerate(CURVES):
        axes[0, column].set_title(title, fontsize="medium")
        axes[-1, column].set_xlabel(x_label)
    loss = axes[0, 0]  # the others of its column follow
    loss.set_yscale("log")
    loss.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    loss.yaxis.set_major_formatter("{x:g}")
    loss.yaxis.set_minor_formatter(NullFormatter())
    save()


def axes_of(
    shape: tuple[int, int], path: Path, height: float, **shared: Any
) -> tuple[np.ndarray, Callable[[], None]]:
    """Axes (num_rows, num_columns), and a function that writes them to `path` as SVG.

    `height` is the figure's, in inches. `shared` says which axes are, as pyplot's `subplots`
    takes it. What has a label in any of the axes is in one legend above all of them.
    """
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "s2st_interleave"  # the same bytes each time
    matplotlib.rcParams["svg.fonttype"] = "none"  # text, not outlines of each letter
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        *shape,
        figsize=(WIDTH, height),
        squeeze=False,
        layout="constrained",
        **shared,
    )

    def save() -> None:
        named = {
            label: handle
            for axis in axes.flat
            for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        place: Any = {"loc": "outside upper center", "ncols": 3, "frameon": False}
        if named:
            figure.legend(named.values(), named.keys(), **place)
        with atomic_write(path, "wb") as stream:
            figure.savefig(stream, format="svg", metadata={"Date": None})
        pyplot.close(figure)

    return axes, save
