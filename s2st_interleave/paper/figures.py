"""The paper's Figure 3 from the metrics of stored cells, and dev scores against effort."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2st_interleave.artifact import atomic_write

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


def draw_figure_3(runs: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Length ratios and cosine similarities over steps, one line a system."""
    axes, save = _axes((1, len(PANELS)), path)
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
    """How well dev is predicted at text ratio 0, a column for each pair: pair -> system
    -> stored cell.
    """
    axes, save = _axes((len(CURVES), max(1, len(pairs))), path)
    for column, (pair, runs) in enumerate(pairs.items()):
        for row, (x, x_label, y, y_label) in enumerate(CURVES):
            axis = axes[row, column]
            for name, result in runs.items():
                curve = result["curve"]
                axis.plot(curve[x], curve[y], COLOURS[name], label=name)
            axis.set(title=pair, xlabel=x_label, ylabel=y_label)
    save()


def _axes(shape: tuple[int, int], path: Path) -> tuple[Any, Any]:
    """Axes in rows and columns, and what writes them to `path` as SVG."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "s2st_interleave"  # the same bytes each time
    matplotlib.rcParams["svg.fonttype"] = "none"  # text, not outlines of each letter
    from matplotlib import pyplot

    num_rows, num_columns = shape
    size = (3.2 * num_columns, 2.8 * num_rows)
    figure, axes = pyplot.subplots(*shape, figsize=size, squeeze=False)

    def save() -> None:
        for axis in axes.flat:
            if axis.lines:
                axis.legend(fontsize=7)
        figure.tight_layout()
        with atomic_write(path, "wb") as stream:
            figure.savefig(stream, format="svg", metadata={"Date": None})
        pyplot.close(figure)

    return axes, save
