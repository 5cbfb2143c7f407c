"""Tables of the page, from stored scores; pure functions that return Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from s2st_interleave.replicate.comparison import Comparison
from s2st_interleave.replicate.content import PageContent
from s2st_interleave.replicate.figures import SIMILARITIES
from s2st_interleave.replicate.statistics import Difference
from s2st_interleave.score.columns import number
from s2st_interleave.score.published import PaperPair
from s2st_interleave.score.results import markdown_table

SYSTEMS = ("baseline", "scheduled", "constant")


def table_2(content: PageContent) -> str:
    """Scores and gains of all pairs, beside the paper's."""
    header = ["pair", "train", *SYSTEMS, "gain"]
    header += [f"paper: {name}" for name in ("hours", *SYSTEMS, "gain")]
    rows = []
    for pair in content.pairs_by_size:
        rows.append(
            [
                content.names[pair],
                content.size(pair),
                *(mean_score(content, pair, system) for system in SYSTEMS),
                with_interval(content.gains.get(pair)),
                *_theirs(content.published_pair(pair)),
            ]
        )
    return markdown_table(header, rows)


def _theirs(paper: PaperPair | None) -> list[str]:
    """The paper's hours, scores and gain; empty where it does not have the language."""
    if paper is None:
        return [""] * (len(SYSTEMS) + 2)
    scores = [getattr(paper, system).asr_bleu for system in SYSTEMS]
    gain = f"{scores[1] - scores[0]:+.1f}"
    return [f"{paper.hours}", *(f"{score:.1f}" for score in scores), gain]


MEASURES = ("ASR-BLEU", "transcript WER", "translation BLEU", "MOS")


def measures(content: PageContent, pair: str, variant: str, *tables: str) -> list[str]:
    """Scores with the columns MEASURES: of speech, transcript, translation and sound."""
    return measures_of(stored(content, pair, variant, *tables))


def measures_of(kept: Sequence[Mapping[str, Any]]) -> list[str]:
    """`measures` of stored results."""
    means = [mean_of(kept, key) for key in ("asr_bleu", "src_wer", "text_bleu")]
    return [*means, mean_of(kept, "mos", 2)]


def chain(content: PageContent) -> str:
    """Scores of each step of the chain of thought: transcript, translation, speech."""
    there = {(c.pair, c.variant) for c in content.grid.compared()}
    rows = [
        [pair, system, *measures(content, pair, system)]
        for pair in content.pairs_by_size
        for system in SYSTEMS
        if (pair, system) in there
    ]
    return markdown_table(["pair", "system", *MEASURES], rows)


def system_table(
    content: PageContent, pair: str, variants: Sequence[str], *tables: str
) -> str:
    """Scores of a pair's systems, beside the paper's."""
    rows = []
    for variant in variants:
        paper = content.published_score(pair, variant)
        theirs = f"{paper.asr_bleu:.1f} / {paper.utmos:.2f}" if paper else ""
        rows.append([variant, *measures(content, pair, variant, *tables), theirs])
    return markdown_table(["system", *MEASURES, "paper: ASR-BLEU / UTMOS"], rows)


DIFFERENCE = ("pair", "system", "against", "build", "by seed", "difference")
DIFFERENCE += ("95% interval", "p of better")


def difference_row(comparison: Comparison, digits: int = 1) -> list[str]:
    """The cells of a row with the columns DIFFERENCE."""
    difference = comparison.difference
    return [
        comparison.pair,
        comparison.system,
        comparison.other,
        _build(comparison),
        " ".join(f"{gap:+.{digits}f}" for gap in difference.by_seed),
        f"{difference.delta:+.2f}",
        f"[{difference.ci95[0]:+.2f}, {difference.ci95[1]:+.2f}]",
        p_value(comparison.adjusted_p),
    ]


def _build(comparison: Comparison) -> str:
    if not comparison.same_build:
        return "differs"
    several = comparison.num_builds > 1
    return f"same, {comparison.num_builds} of them" if several else "same"


def the_same_of(
    comparisons: Sequence[Comparison], comparison: Comparison
) -> Comparison | None:
    """That of `comparisons` which compares the same systems of the same pair.

    None where there is none: without loops a test set can be too small for a test.
    """
    names = comparison.pair, comparison.system, comparison.other
    for each in comparisons:
        if (each.pair, each.system, each.other) == names:
            return each
    return None


def differences(content: PageContent) -> str:
    """All comparisons of the claims, with and without loops."""
    rows = []
    for claim, _, other in content.verdicts:
        digits = 2 if claim.measure == "MOS" else 1
        for each in claim.comparisons:
            row = difference_row(each, digits)
            without = ["n/a", "n/a"]
            if unlooped := the_same_of(other.comparisons, each):
                delta = f"{unlooped.difference.delta:+.2f}"
                without = [delta, p_value(unlooped.adjusted_p)]
            rows.append([f"{claim.id}", claim.measure, *row, *without])
    names = ["claim", "measure", *DIFFERENCE[:-1], "p of better, Holm"]
    return markdown_table([*names, "without loops", "p, Holm"], rows)


def sensitivity(content: PageContent) -> str:
    """Changed systems against the scheduled one."""
    return markdown_table(
        DIFFERENCE, [difference_row(each) for each in content.sensitivity]
    )


def constant(content: PageContent) -> str:
    """Constant p against the baseline, beside the paper's difference."""
    rows = []
    for comparison in content.constant:
        paper = content.published_pair(comparison.pair)
        gain = (
            f"{paper.constant.asr_bleu - paper.baseline.asr_bleu:+.1f}" if paper else ""
        )
        rows.append([*difference_row(comparison), gain])
    return markdown_table([*DIFFERENCE, "paper"], rows)


def similarities(content: PageContent) -> str:
    """The last points of Figure 3's curves, for all pairs."""
    ends = {
        (c.pair, c.system): content.results[c.name]["probes"]
        for c in content.grid.cells
        if c.table == "2" and c.seed == 1 and c.name in content.results
        if content.results[c.name]["probes"]["text_ratio"]
    }
    rows = [
        [pair, system, f"{ends[pair, system]['text_ratio'][-1]:.1f}"]
        + [f"{ends[pair, system][key][-1]:.2f}" for key, _ in SIMILARITIES]
        for pair in content.pairs_by_size
        for system in SYSTEMS
        if (pair, system) in ends
    ]
    return markdown_table(
        ["pair", "system", "text ratio", *(title for _, title in SIMILARITIES)], rows
    )


def toplines(content: PageContent) -> str:
    """The toplines of all pairs."""
    keys = ("reference_asr_bleu", "resynthesis_asr_bleu", "cascade_text_bleu")
    rows = [
        [pair, *(number(kept["score"][key]) for key in keys)]
        + [number(kept["cascade_asr_bleu"])]
        + [number(kept["score"][k], 2) for k in ("reference_mos", "resynthesis_mos")]
        for pair, kept in sorted(content.toplines.items())
    ]
    names = ["pair", "reference", "resynthesis", "cascade, text", "cascade, spoken"]
    return markdown_table([*names, "reference MOS", "resynthesis MOS"], rows)


def sizes(content: PageContent) -> str:
    """Pairs that are trained on fewer of their sentences, then on all of them."""
    there = {(c.pair, c.num_train) for c in content.grid.cells if c.table == "size"}
    rows = []
    for pair in sorted({pair for pair, _ in there}):
        for size in [*sorted(size for name, size in there if name == pair), 0]:
            end = f".n{size}" if size else ""
            shown = f"{size:,}" if size else content.size(pair)
            scores = (mean_score(content, pair, f"{name}{end}") for name in SYSTEMS[:2])
            error_rate = mean_score(content, pair, f"scheduled{end}", key="src_wer")
            rows.append([pair, shown, *scores, error_rate])
    names = ["pair", "train", *SYSTEMS[:2], "transcript WER of scheduled"]
    return markdown_table(names, rows)


def compute(content: PageContent) -> str:
    """Tokens and seconds of training by pair and system."""
    kinds: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for cell in content.grid.cells:
        if cell.name in content.results:
            trained = content.results[cell.name]["train"]
            apart = f" ({cell.table})" if cell.table in content.grid.apart else ""
            kinds.setdefault((cell.pair, cell.variant + apart), []).append(trained)
    rows = [
        [
            pair,
            variant,
            f"{len(trained)}",
            f"{np.mean([facts['tokens_seen'] for facts in trained]):,.0f}",
            f"{np.mean([facts['train_sec'] for facts in trained]):.0f}",
        ]
        for (pair, variant), trained in sorted(kinds.items())
    ]
    where = content.grid.recipe.notes.seconds
    note = "Means over seeds; seconds of training" + (f" {where}" if where else "")
    names = ["pair", "system", "cells", "tokens", "seconds"]
    return f"{markdown_table(names, rows)}\n\n{note}."


def stored(
    content: PageContent, pair: str, variant: str, *tables: str
) -> list[Mapping[str, Any]]:
    """The stored results of a pair's system, one a seed."""
    return [
        result
        for cell in content.grid.compared(*tables)
        if (cell.pair, cell.variant) == (pair, variant)
        and (result := content.results.get(cell.name))
    ]


def mean_score(
    content: PageContent,
    pair: str,
    variant: str,
    *tables: str,
    key: str = "asr_bleu",
) -> str:
    """The mean of a pair's score over seeds, as `mean_of` shows it."""
    return mean_of(stored(content, pair, variant, *tables), key)


def mean_of(kept: Sequence[Mapping[str, Any]], key: str, digits: int = 1) -> str:
    """The mean of results' scores, with deviation and number; "n/a" without any."""
    values = [result["scores"]["last"][key] for result in kept]
    if not values or None in values:
        return "n/a"
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread} ({len(values)})"


def with_interval(gain: Difference | None) -> str:
    """A gain with its 95 % interval; "n/a" for None."""
    if gain is None:
        return "n/a"
    return f"{gain.delta:+.1f} [{gain.ci95[0]:.1f}, {gain.ci95[1]:.1f}]"


def p_value(value: float | None) -> str:
    """A p-value in four digits; "n/a" for None."""
    if value is None:
        return "n/a"
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
