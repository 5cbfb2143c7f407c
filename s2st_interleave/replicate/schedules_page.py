"""Renders the page of a grid of schedules: which one should be used?"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.files import GENERATED
from s2st_interleave.replicate import tables
from s2st_interleave.replicate.cell import LOSSES
from s2st_interleave.replicate.comparison import Comparison
from s2st_interleave.replicate.content import PageContent
from s2st_interleave.replicate.figures import DASHES, axes_of
from s2st_interleave.replicate.grid import SCHEDULES
from s2st_interleave.replicate.provenance import provenance
from s2st_interleave.replicate.schedules import Candidate, conclusion
from s2st_interleave.replicate.search import dev_loss
from s2st_interleave.report.look import LIGHT
from s2st_interleave.score.results import markdown_table

FIGURE = "schedules.svg"
COLOUR = LIGHT[0]
RULE = (
    "Differences are of ASR-BLEU at the last checkpoint, to the paper's schedule with the "
    "same seed, batches and shared models, at equal steps unless the system's options say "
    "otherwise (`max_steps`). `better`: p < 0.05 in every pair, one-sided, paired over "
    "utterances (and seeds, where there are several), with Holm's correction over all "
    "candidates and pairs that the grid names, run or not, as a difference in bold has in its "
    "pair; beside it stands its number of seeds. `better on average`: that in the mean of all "
    "pairs of the grid (of the seeds that all have, each pair with the error of its own), "
    "corrected over candidates; `worse`: the "
    "opposite of better in some pair. Fewer than three seeds decide nothing: of "
    "one the error is that of utterances alone, and two may agree by chance; their p-value, "
    "shown as if they were enough, makes no other easier. Tokens are "
    "those that the LLM has read, the paper's schedule being 1: a candidate with more has "
    "read the same utterances as longer sequences, or twice, for more compute. Without "
    "loops: the recogniser, greedy as it is, hears some words over and over, and one such "
    "utterance can cost a system points; one that it hears so for one of the two systems "
    "compared, with any seed, is left out for both, and of a mean for all pairs"
)


def render(content: PageContent) -> str:
    """The page as Markdown."""
    grid = content.grid
    remarks = grid.folder / "notes.md"  # written by hand
    sections = [
        f"{GENERATED}{grid.command.partition(' ')[0]}; do not edit -->",
        f"# {grid.title}",
        "Schedules, mixtures and losses that the paper does not have, against its own: an "
        f"extension. {grid.recipe.notes.corpus}",
        provenance(content),
        *conclusion(content.schedules),
        _answers(content),
        f"![Differences to the paper's schedule, with 95% intervals]"
        f"({content.figure_folder}/{FIGURE})",
        "Hollow and dashed: one seed, whose interval is that of utterances alone. The highest "
        "mean, over the pairs that a system has, is on top.",
        f"{RULE}.",
        remarks.read_text("utf-8").strip() if remarks.is_file() else "",
        "## Every comparison",
        markdown_table(
            [
                *tables.DIFFERENCE[:-1],
                "p of better",
                "p of worse",
                "without loops",
                "p of better",
            ],
            list(_differences(content)),
        ),
        *_beside_baseline(content),
        "## Along the chain of thought",
        _scores(content),
        "## Compute",
        tables.compute(content),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def draw(content: PageContent) -> None:
    """Draw the differences that are there, a panel for each pair that has one.

    One seed is hollow and dashed: its interval leaves out that seeds differ.
    """
    there = [each for each in content.schedules if each.comparisons]
    there.sort(key=_mean_of_what_is_there)  # the best is on top
    known = {each.pair for candidate in there for each in candidate.comparisons}
    pairs = [pair for pair in content.pairs_by_size if pair in known]
    pairs = pairs or content.pairs_by_size[:1]  # an empty panel says that none is there
    num_rows, path = max(1, len(there)), Path(content.grid.figures) / FIGURE
    shape, height = (1, len(pairs)), 0.24 * num_rows + 1
    axes, save = axes_of(shape, path, height, sharex=True, sharey=True)
    for axis, pair in zip(axes[0], pairs, strict=True):
        for y, candidate in enumerate(there):
            for comparison in candidate.comparisons:
                if comparison.pair == pair:
                    _draw_difference(axis, y, comparison)
        axis.axvline(0, color="gray", linewidth=0.5, zorder=0.5)
        axis.set_title(content.names[pair], fontsize="medium")
        axis.grid(axis="y", linewidth=0.3)
        axis.set_axisbelow(True)
    axes[0, 0].set_ylim(-0.5, num_rows - 0.5)
    axes[0, 0].set_yticks(range(len(there)), [each.system for each in there])
    axes[0, 0].figure.supxlabel(
        "ASR-BLEU beside the paper's schedule", fontsize="medium"
    )
    save()


def _mean_of_what_is_there(candidate: Candidate) -> float:
    """The mean difference over the pairs that a candidate has, be they all or not."""
    return float(np.mean([each.difference.delta for each in candidate.comparisons]))


def _draw_difference(axis: Any, y: int, comparison: Comparison) -> None:
    single = comparison.num_seeds == 1
    style: Any = {"color": COLOUR, "linestyles": DASHES if single else "solid"}
    axis.hlines(y, *comparison.difference.ci95, **style)
    face = "white" if single else COLOUR
    axis.plot(comparison.difference.delta, y, "o", color=COLOUR, mfc=face)


def _answers(content: PageContent) -> str:
    pairs = content.pairs_by_size
    rows = []
    for candidate, unlooped in _with_and_without_loops(content):
        gaps = {
            c.pair: f"{tables.with_interval(c.difference)} ({c.num_seeds})"
            for c in candidate.comparisons
        }
        gaps |= {each.pair: f"**{gaps[each.pair]}**" for each in candidate.confirmed}
        rows.append(
            [
                f"`{candidate.system}`",
                _options(content, candidate),
                "n/a" if candidate.tokens is None else f"{candidate.tokens:.2f}",
                *(gaps.get(pair, "n/a") for pair in pairs),
                tables.with_interval(candidate.mean),
                _verdict(candidate),
                tables.with_interval(unlooped.mean),
                unlooped.verdict,
            ]
        )
    languages = [content.names[pair] for pair in pairs]
    names = ["system", "options", "tokens", *languages, "mean", "verdict"]
    return markdown_table([*names, "mean without loops", "verdict"], rows)


def _verdict(candidate: Candidate) -> str:
    """In bold, but where a system was not run, of which nothing can be said."""
    verdict = candidate.verdict
    return verdict if verdict == "not run" else f"**{verdict}**{candidate.caveat}"


def _options(content: PageContent, candidate: Candidate) -> str:
    """The values of a system's file, in which it differs from the paper's schedule."""
    recipe = content.grid.recipe
    values = recipe.read(recipe.system.format(system=candidate.system.split(".")[0]))
    return "; ".join(f"{key}: {value}" for key, value in values.items())


def _differences(content: PageContent) -> Iterator[list[str]]:
    for candidate, other in _with_and_without_loops(content):
        for comparison, worse in zip(
            candidate.comparisons, candidate.p_worse, strict=True
        ):
            unlooped = tables.the_same_of(other.comparisons, comparison)
            yield [
                *tables.difference_row(comparison),
                tables.p_value(worse),
                tables.with_interval(unlooped.difference if unlooped else None),
                tables.p_value(unlooped.adjusted_p if unlooped else None),
            ]


def _beside_baseline(content: PageContent) -> Iterator[str]:
    if content.beside_baseline:
        yield "## Does a schedule pay at all?"
        yield (
            "Systems with text against the baseline of as many steps, which reads more tokens. "
            "Each stands alone: p-values are not corrected, and nothing here is a verdict."
        )
        yield markdown_table(
            tables.DIFFERENCE,
            [
                tables.difference_row(each)
                for pair in content.pairs_by_size
                for each in content.beside_baseline
                if each.pair == pair
            ],
        )


def _with_and_without_loops(
    content: PageContent,
) -> Iterator[tuple[Candidate, Candidate]]:
    return zip(content.schedules, content.schedules_unlooped, strict=True)


def _scores(content: PageContent) -> str:
    """Scores of all systems, with the loss by which checkpoints are chosen.

    Those of other shared models stand in lines of their own: other encoders move scores by
    more than schedules do.
    """
    variants = dict.fromkeys(c.variant for c in content.grid.compared(SCHEDULES))
    rows = []
    for pair in content.pairs_by_size:
        for variant in variants:
            every = tables.stored(content, pair, variant, SCHEDULES)
            for build in dict.fromkeys(result["build"] for result in every):
                kept = [result for result in every if result["build"] == build]
                lowest = float(np.mean([dev_loss(result) for result in kept]))
                last = (_last(kept, name) for name in LOSSES)
                scores = tables.measures_of(kept)
                rows.append([pair, variant, build[:8], *scores, f"{lowest:.3f}", *last])
    losses = ("lowest dev loss", "last, of texts", "last, of units")
    return markdown_table(["pair", "system", "build", *tables.MEASURES, *losses], rows)


def _last(kept: Sequence[Mapping[str, Any]], name: str) -> str:
    """The mean over cells of a curve's last point; "n/a" where one of them has no such."""
    curves = [result["curve"].get(name) for result in kept]
    if not all(curves):
        return "n/a"
    return f"{np.mean([curve[-1] for curve in curves if curve]):.3f}"
