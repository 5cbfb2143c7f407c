"""Lines on one axis as SVG, within a page that has the style of look.py."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from s2st_interleave.report.curves import Chart, Points
from s2st_interleave.show.glyphs import legal

WIDTH, HEIGHT = 350.0, 210.0
LEFT, TOP, RIGHT, BOTTOM = 40.0, 10.0, 332.0, 172.0
NUM_COLOURS, NUM_DASHES = 7, 4  # have no common divisor: 28 looks, told apart in grey
NUM_TICKS = 5
NEAR = 0.99  # an axis that almost reaches a round number, such as 1499, ends there


def look(index: int) -> str:
    """Classes of the line of the index-th system, the same in all charts."""
    return f"line c{index % NUM_COLOURS} d{index % NUM_DASHES}"


def legend(systems: Sequence[str]) -> str:
    """A list of the systems, each with its line."""
    items = "".join(
        f'<li><svg width="34" height="10" aria-hidden="true"><path class="{look(index)}" '
        f'd="M1 5H33"/></svg> {escape(legal(name))}</li>'
        for index, name in enumerate(systems)
    )
    return f'<ul class="legend">{items}</ul>'


def svg(
    chart: Chart,
    systems: Sequence[str],
    x_name: str,
    y_name: str = "",
    top: float = 0.0,
) -> str:
    """The chart, with its title as a caption; the y axis ends at `top`, if that is not 0.

    `y_name` is "" where the title says what is drawn.
    """
    drawn = [(curve.system, curve.points) for curve in chart.curves]
    xs = [x for _, points in drawn for x, _ in points]
    ys = [y for _, points in drawn for _, y in points]
    x_ticks, y_ticks = ticks(0.0, max(xs)), ticks(min(0.0, *ys), top or _high(ys))
    x_span = (0.0, _end(max(xs), x_ticks))
    y_span = (y_ticks[0], y_ticks[-1])
    parts = [*_axes(x_ticks, y_ticks, x_span, y_span), *_names(x_name, y_name)]
    for name, points in drawn:
        classes = look(systems.index(name))
        d = _path(points, x_span, y_span)
        parts.append(f'<path class="{classes}" d="{d}"/>')
        if len(points) == 1:
            x, y = _place(points[0], x_span, y_span)
            parts.append(f'<circle class="{classes}" cx="{x:.1f}" cy="{y:.1f}" r="2"/>')
    ends = "; ".join(f"{name} ends at {points[-1][1]:.3g}" for name, points in drawn)
    about = escape(legal(f"{chart.title}: {ends}"))
    return (
        f'<figure class="chart"><figcaption>{escape(legal(chart.title))}</figcaption>'
        f'<svg role="img" aria-label="{about}" viewBox="0 0 {WIDTH:g} {HEIGHT:g}">'
        f"{''.join(parts)}</svg></figure>"
    )


def ticks(low: float, high: float) -> list[float]:
    """Round numbers, equally far apart, from at most `low` to at least `high`.

    >>> ticks(0, 1499)
    [0.0, 500.0, 1000.0, 1500.0]
    """
    span = high - low or abs(high) or 1.0
    size = 10.0 ** math.floor(math.log10(span / NUM_TICKS))
    step = next(k * size for k in (1, 2, 5, 10) if span / (k * size) <= NUM_TICKS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 10) for k in range(first, max(last, first + 1) + 1)]


def _end(highest: float, ticks_: Sequence[float]) -> float:
    near = [tick for tick in ticks_ if NEAR * tick <= highest <= tick]
    return near[0] if near and near[0] > 0 else highest or 1.0


def _high(values: Sequence[float]) -> float:
    """The top of an axis: a few high values, such as first losses, may lie above it."""
    ordered = sorted(values)
    usual = ordered[int(0.98 * (len(ordered) - 1))]
    return ordered[-1] if ordered[-1] <= 1.5 * usual else usual


def _place(
    point: tuple[float, float], x_span: tuple[float, float], y_span: tuple[float, float]
) -> tuple[float, float]:
    """Where a point is drawn; one above the axis lies on its upper edge."""
    x = (point[0] - x_span[0]) / (x_span[1] - x_span[0])
    y = min(1.0, (point[1] - y_span[0]) / (y_span[1] - y_span[0]))
    return LEFT + (RIGHT - LEFT) * x, BOTTOM - (BOTTOM - TOP) * y


def _path(
    points: Points, x_span: tuple[float, float], y_span: tuple[float, float]
) -> str:
    corners = (_place(point, x_span, y_span) for point in points)
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)


def _axes(
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
    x_span: tuple[float, float],
    y_span: tuple[float, float],
) -> Iterator[str]:
    for tick in y_ticks:
        _, y = _place((x_span[0], tick), x_span, y_span)
        yield f'<path class="grid" d="M{LEFT:g} {y:.1f}H{RIGHT:g}"/>'
        yield f'<text x="{LEFT - 5:g}" y="{y + 4:.1f}" class="end">{tick:g}</text>'
    for tick in x_ticks:
        if tick > x_span[1]:
            continue
        x, _ = _place((tick, 0), x_span, y_span)
        yield f'<text x="{x:.1f}" y="{BOTTOM + 16:g}" class="middle">{tick:g}</text>'


def _names(x_name: str, y_name: str) -> Iterator[str]:
    """What the axes are of; the name of y runs upwards, left of its numbers."""
    middle = (LEFT + RIGHT) / 2
    yield f'<text x="{middle:g}" y="{BOTTOM + 33:g}" class="middle">{escape(x_name)}</text>'
    if y_name:
        place = f'x="{-(TOP + BOTTOM) / 2:g}" y="10" transform="rotate(-90)"'
        yield f'<text {place} class="middle">{escape(y_name)}</text>'
