"""The paper's Figure 3 from the metrics of stored cells, and dev loss against effort."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2st_interleave.artifact import atomic_write

PANELS = (
    ("probe_length_ratio_src", "|I_p| / |T|, source"),
    ("probe_length_ratio_tgt", "|I_p| / |T|, target"),
    ("similarity_src", "source speech - source text"),
    ("similarity_text", "source text - target text"),
    ("similarity_tgt", "target text - target speech"),
)


def draw_figure_3(runs: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Length ratios and cosine similarities over steps, one line a system."""
    axes, save = _axes(len(PANELS), path)
    for axis, (key, title) in zip(axes, PANELS, strict=True):
        for name, result in runs.items():
            axis.plot(result["probes"]["step"], result["probes"][key], label=name)
        axis.set(title=title, xlabel="step")
    save()


def draw_curves(runs: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Dev loss at text ratio 0 against steps, tokens and seconds."""
    columns = (("step", "steps"), ("tokens_seen", "tokens"), ("sec", "seconds"))
    axes, save = _axes(len(columns), path)
    for axis, (key, label) in zip(axes, columns, strict=True):
        for name, result in runs.items():
            axis.plot(result["curve"][key], result["curve"]["dev_loss"], label=name)
        axis.set(title="dev loss", xlabel=label)
    save()


def _axes(count: int, path: Path) -> tuple[Any, Any]:
    """`count` axes side by side, and what writes them to `path` as SVG."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "s2st_interleave"  # the same bytes each time
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, count, figsize=(3.2 * count, 2.8))

    def save() -> None:
        if axes[0].lines:
            axes[0].legend(fontsize=7)
        figure.tight_layout()
        with atomic_write(path, "wb") as stream:
            figure.savefig(stream, format="svg", metadata={"Date": None})
        pyplot.close(figure)

    return axes, save
