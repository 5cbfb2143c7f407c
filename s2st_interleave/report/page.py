"""The report as one file of HTML that loads nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from s2st_interleave.report import charts
from s2st_interleave.report.curves import Chart, Curve, stairs
from s2st_interleave.report.example_html import text
from s2st_interleave.report.faults import Drop, Fault
from s2st_interleave.report.look import LOOK, POLICY, SCRIPT
from s2st_interleave.score.results import Table
from s2st_interleave.show.page import head

SECTIONS = {
    "scores": "Scores",
    "curves": "Trainings",
    "examples": "Examples",
    "ratios": "Lengths and durations",
    "faults": "Drops and faults",
}
WIDEST_RATIO, BIN = 3.0, 0.1
LONGEST_CELL = 36  # characters


@dataclass(frozen=True)
class Page:
    """What the page shows; `notes` are warnings, `articles` the HTML of the examples.

    `corpus_note` says what the corpus is, or is "".
    `remark` stands below the scores; it warns of nothing.
    `ratios` are values by system, by title of their chart.
    """

    title: str
    corpus_note: str
    about: str
    notes: Sequence[str]
    remark: str
    systems: Sequence[str]
    tables: Sequence[Table]
    charts: Sequence[Chart]
    examples_note: str
    articles: Sequence[tuple[str, str]]  # utterance id, HTML
    ratios: Mapping[str, Mapping[str, Sequence[float]]]
    drops: Sequence[Drop]
    num_directories: int
    faults: Sequence[Fault]


def render(page: Page) -> str:
    """The HTML, the same bytes for the same page."""
    bodies = (
        _scores(page),
        _curves(page),
        _examples(page),
        _ratios(page),
        _faults(page),
    )
    links = "".join(f'<li><a href="#{k}">{v}</a></li>' for k, v in SECTIONS.items())
    lines = [
        *head(POLICY, f"{text(page.title)} · report", LOOK),
        "<body>",
        '<a class="skip" href="#scores">Skip to the scores</a>',
        f"<header><h1>{text(page.title)}</h1>",
        *([f"<p>{text(page.corpus_note)}</p>"] if page.corpus_note else []),
        f'<p class="dim">{text(page.about)}</p></header>',
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>',
        "<main>",
        *(f'<p class="warn">{text(note)}</p>' for note in page.notes),
    ]
    for (name, title), body in zip(SECTIONS.items(), bodies, strict=True):
        lines.append(f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2>')
        lines += [*body, "</section>"]
    lines += ["</main>", f"<script>{SCRIPT}</script>", "</body>", "</html>"]
    return "\n".join(lines) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], caption: str) -> str:
    """A table that scrolls by itself where the screen is narrow."""
    titles = "".join(f'<th scope="col">{text(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row"{_wraps(row[0])}>{text(row[0])}</th>'
        + "".join(f"<td{_wraps(cell)}>{text(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(caption)}">'
        f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _wraps(cell: str) -> str:
    """Only sentences may be broken into lines: numbers and intervals are not."""
    return ' class="long"' if len(cell) > LONGEST_CELL else ""


def _scores(page: Page) -> list[str]:
    lines = []
    for each in page.tables:
        lines.append(f"<h3>{text(each.heading)}</h3>")
        lines.append(table(each.header, each.rows, each.heading))
        if each.note:
            lines.append(f'<p class="note">{text(each.note.replace("`", ""))}</p>')
    if page.remark:
        lines.append(f'<p class="note">{text(page.remark)}</p>')
    return lines or ["<p>No system has a score yet: stage 9 (score) makes it.</p>"]


def _curves(page: Page) -> list[str]:
    if not page.charts:
        return ["<p>No training has left a metrics.jsonl.</p>"]
    return [
        charts.legend(page.systems),
        _grid(charts.svg(chart, page.systems, "step") for chart in page.charts),
        '<p class="note">What lies above the top of an axis is drawn at its edge. The '
        "realised ratio is the share of words that were text: the paper's rule of drawing "
        "words goes a little beyond p.</p>",
    ]


def _examples(page: Page) -> list[str]:
    if not page.articles:
        return ["<p>No utterance was scored or asked for.</p>"]
    links = "".join(
        f'<li><a href="#example-{number}">{text(name)}</a></li>'
        for number, (name, _) in enumerate(page.articles, 1)
    )
    return [
        f'<p class="note">{text(page.examples_note)}</p>',
        '<p class="note">Against the reference, after the normalisation of the scores: '
        "<del>missing</del>, <ins>added</ins>, "
        '<span class="sub"><del>instead of this</del> <ins>that</ins></span>.</p>',
        f'<ul class="legend hint">{links}</ul>',
        *(html for _, html in page.articles),
    ]


def _ratios(page: Page) -> list[str]:
    shown = {
        title: values for title, values in page.ratios.items() if any(values.values())
    }
    if not shown:
        return ["<p>There is no answer whose length could be measured.</p>"]
    rows = [
        [title, name, f"{len(values)}", *_quantiles(values)]
        for title, of_systems in shown.items()
        for name, values in of_systems.items()
        if values
    ]
    header = ["ratio", "system", "utterances", "5 %", "median", "95 %", "mean"]
    top = max(y for values in shown.values() for y in _shares(values))
    return [
        charts.legend(page.systems),
        _grid(
            charts.svg(
                _histogram(title, values), page.systems, "ratio", "% of utterances", top
            )
            for title, values in shown.items()
        ),
        f'<p class="note">Utterances are counted in bins that are {BIN:g} wide; what is '
        f"above {WIDEST_RATIO:g} counts in the last one.</p>",
        table(header, rows, "Ratios"),
    ]


def _shares(of_systems: Mapping[str, Sequence[float]]) -> list[float]:
    return [y for curve in _histogram("", of_systems).curves for _, y in curve.points]


def _histogram(title: str, of_systems: Mapping[str, Sequence[float]]) -> Chart:
    middles = np.arange(round(WIDEST_RATIO / BIN) + 2) * BIN
    edges = np.maximum(middles - BIN / 2, 0)
    curves = []
    for name, values in of_systems.items():
        if values:
            within = np.minimum(values, WIDEST_RATIO)
            counts, _ = np.histogram(within, edges)
            shares = (100 * counts / len(values)).tolist()
            curves.append(Curve(name, stairs(shares, edges.tolist())))
    return Chart(title, tuple(curves))


def _quantiles(values: Sequence[float]) -> list[str]:
    marks = np.quantile(values, (0.05, 0.5, 0.95))
    return [f"{value:.2f}" for value in (*marks, np.mean(values))]


def _faults(page: Page) -> list[str]:
    lines = ["<h3>Answers</h3>"]
    rows = [
        [each.system, each.name, f"{each.count}", ", ".join(each.ids)]
        for each in page.faults
        if each.count
    ]
    if rows:
        lines.append(table(["system", "fault", "utterances", "first"], rows, "Faults"))
    names = dict.fromkeys(each.name for each in page.faults if not each.count)
    if names:
        some = "Not seen in " + ("any other system" if rows else "any system")
        lines.append(f'<p class="note">{text(some)}: {text(", ".join(names))}.</p>')
    lines.append("<h3>Dropped utterances</h3>")
    rows = [
        [x.directory, x.stage, f"{x.count} of {x.num_in}", x.reason, x.example]
        for x in page.drops
    ]
    header = ["directory", "stage", "dropped", "reason", "one of them"]
    if rows:
        lines.append(table(header, rows, "Dropped utterances"))
    clean = page.num_directories - len({x.directory for x in page.drops})
    lines.append(
        f'<p class="note">{clean} finished directories of stages dropped none.</p>'
    )
    return lines


def _grid(figures: Iterable[str]) -> str:
    return f'<div class="charts">{"".join(figures)}</div>'
