"""The tables of the page, each from what was found; pure text."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from s2st_interleave.replicate.claims import Comparison
from s2st_interleave.replicate.figures import SIMILARITIES
from s2st_interleave.replicate.findings import Findings
from s2st_interleave.replicate.grid import APART
from s2st_interleave.replicate.printed import printed
from s2st_interleave.replicate.statistics import Difference
from s2st_interleave.score.published import PAPER_PAIRS
from s2st_interleave.score.results import markdown_table

SYSTEMS = ("baseline", "scheduled", "constant")


def pairs_by_size(found: Findings) -> list[str]:
    """All pairs of the grid, the one with most training data first."""
    pairs = {cell.pair for cell in found.grid.cells}
    return sorted(pairs, key=lambda pair: -found.sizes[pair.partition("_")[0]])


def table_2(found: Findings) -> str:
    header = ["pair", "train", *SYSTEMS, "gain"]
    header += [f"paper: {name}" for name in ("hours", *SYSTEMS, "gain")]
    rows = []
    for pair in pairs_by_size(found):
        src = pair.partition("_")[0]
        rows.append(
            [
                found.grid.name(pair),
                f"{found.sizes[src]:,}",
                *(mean_score(found, pair, system) for system in SYSTEMS),
                with_interval(found.gains.get(pair)),
                *_theirs(src),
            ]
        )
    return markdown_table(header, rows)


def _theirs(src: str) -> list[str]:
    """The paper's hours, scores and gain; empty where it does not have the language."""
    if src not in PAPER_PAIRS:
        return [""] * (len(SYSTEMS) + 2)
    paper = PAPER_PAIRS[src]
    scores = [getattr(paper, system).asr_bleu for system in SYSTEMS]
    gain = f"{scores[1] - scores[0]:+.1f}"
    return [f"{paper.hours}", *(f"{score:.1f}" for score in scores), gain]


MEASURES = ("ASR-BLEU", "transcript WER", "translation BLEU", "MOS")


def _measures(found: Findings, pair: str, variant: str, *tables: str) -> list[str]:
    keys = ("asr_bleu", "src_wer", "text_bleu")
    means = [mean_score(found, pair, variant, *tables, key=key) for key in keys]
    return [*means, mean_score(found, pair, variant, *tables, key="mos", digits=2)]


def chain(found: Findings) -> str:
    """What each step of the chain of thought gives: heard, translated, said."""
    there = {(c.pair, c.variant) for c in found.grid.compared()}
    rows = [
        [pair, system, *_measures(found, pair, system)]
        for pair in pairs_by_size(found)
        for system in SYSTEMS
        if (pair, system) in there
    ]
    return markdown_table(["pair", "system", *MEASURES], rows)


def system_table(
    found: Findings, pair: str, variants: Sequence[str], *tables: str
) -> str:
    rows = []
    for variant in variants:
        paper = printed(pair, variant)
        theirs = f"{paper.asr_bleu:.1f} / {paper.utmos:.2f}" if paper else ""
        rows.append([variant, *_measures(found, pair, variant, *tables), theirs])
    return markdown_table(["system", *MEASURES, "paper: ASR-BLEU / UTMOS"], rows)


DIFFERENCE = ("pair", "system", "against", "build", "by seed", "difference")
DIFFERENCE += ("95% interval", "p")


def difference_row(one: Comparison, digits: int = 1) -> list[str]:
    return [
        one.pair,
        one.system,
        one.other,
        "same" if one.same_build else "differs",
        " ".join(f"{gap:+.{digits}f}" for gap in one.difference.by_seed),
        f"{one.difference.delta:+.2f}",
        f"[{one.difference.ci95[0]:+.2f}, {one.difference.ci95[1]:+.2f}]",
        p_value(one.adjusted_p),
    ]


def differences(found: Findings) -> str:
    rows = []
    for claim, other in zip(found.claims, found.claims_unlooped, strict=True):
        digits = 2 if claim.measure == "MOS" else 1
        for one, unlooped in zip(claim.comparisons, other.comparisons, strict=True):
            without = f"{unlooped.difference.delta:+.2f}", p_value(unlooped.adjusted_p)
            row = [f"{claim.id}", claim.measure, *difference_row(one, digits), *without]
            rows.append(row)
    names = ["claim", "measure", *DIFFERENCE[:-1], "p, Holm"]
    return markdown_table([*names, "without loops", "p, Holm"], rows)


def sensitivity(found: Findings) -> str:
    return markdown_table(
        DIFFERENCE, [difference_row(one) for one in found.sensitivity]
    )


def constant(found: Findings) -> str:
    """Constant p against the baseline, beside the paper's difference."""
    rows = []
    for one in found.constant:
        paper = PAPER_PAIRS.get(one.pair.partition("_")[0])
        gain = (
            f"{paper.constant.asr_bleu - paper.baseline.asr_bleu:+.1f}" if paper else ""
        )
        rows.append([*difference_row(one), gain])
    return markdown_table([*DIFFERENCE, "paper"], rows)


def similarities(found: Findings) -> str:
    """Where the curves of Figure 3 end, of all pairs."""
    ends = {
        (c.pair, c.system): found.results[c.name]["probes"]
        for c in found.grid.cells
        if c.table == "2" and c.seed == 1 and c.name in found.results
    }
    rows = [
        [pair, system, f"{ends[pair, system]['text_ratio'][-1]:.1f}"]
        + [f"{ends[pair, system][key][-1]:.2f}" for key, _ in SIMILARITIES]
        for pair in pairs_by_size(found)
        for system in SYSTEMS
        if (pair, system) in ends
    ]
    return markdown_table(
        ["pair", "system", "text ratio", *(title for _, title in SIMILARITIES)], rows
    )


def toplines(found: Findings) -> str:
    keys = ("reference_asr_bleu", "resynthesis_asr_bleu", "cascade_text_bleu")
    rows = [
        [pair, *(number(one["score"][key]) for key in keys)]
        + [number(one["cascade_asr_bleu"])]
        + [number(one["score"][key], 2) for key in ("reference_mos", "resynthesis_mos")]
        for pair, one in sorted(found.toplines.items())
    ]
    names = ["pair", "reference", "resynthesis", "cascade, text", "cascade, spoken"]
    return markdown_table([*names, "reference MOS", "resynthesis MOS"], rows)


def sizes(found: Findings) -> str:
    """The same pairs trained on fewer of their own sentences, then on all of them."""
    there = {(c.pair, c.num_train) for c in found.grid.cells if c.table == "size"}
    rows = []
    for pair in sorted({pair for pair, _ in there}):
        whole = found.sizes[pair.partition("_")[0]]
        for size in sorted(size for name, size in there if name == pair) + [whole]:
            end = "" if size == whole else f".n{size}"
            scores = (mean_score(found, pair, f"{name}{end}") for name in SYSTEMS[:2])
            heard = mean_score(found, pair, f"scheduled{end}", key="src_wer")
            rows.append([pair, f"{size:,}", *scores, heard])
    names = ["pair", "train", *SYSTEMS[:2], "transcript WER of scheduled"]
    return markdown_table(names, rows)


def compute(found: Findings) -> str:
    kinds: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for cell in found.grid.cells:
        if cell.name in found.results:
            trained = found.results[cell.name]["train"]
            apart = f" ({cell.table})" if cell.table in APART else ""
            kinds.setdefault((cell.pair, cell.variant + apart), []).append(trained)
    rows = [
        [
            pair,
            variant,
            f"{len(trained)}",
            f"{np.mean([one['tokens_seen'] for one in trained]):,.0f}",
            f"{np.mean([one['train_sec'] for one in trained]):.0f}",
        ]
        for (pair, variant), trained in sorted(kinds.items())
    ]
    note = "Means over seeds; seconds of training on one core, other cells beside it."
    names = ["pair", "system", "cells", "tokens", "seconds"]
    return markdown_table(names, rows) + "\n\n" + note


def stored(
    found: Findings, pair: str, variant: str, *tables: str
) -> list[Mapping[str, Any]]:
    """The cells that are there, one a seed."""
    return [
        result
        for cell in found.grid.compared(*tables)
        if (cell.pair, cell.variant) == (pair, variant)
        and (result := found.results.get(cell.name))
    ]


def mean_score(
    found: Findings,
    pair: str,
    variant: str,
    *tables: str,
    key: str = "asr_bleu",
    digits: int = 1,
) -> str:
    kept = stored(found, pair, variant, *tables)
    values = [result["scores"]["last"][key] for result in kept]
    if not values or None in values:
        return "n/a"
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread} ({len(values)})"


def with_interval(gain: Difference | None) -> str:
    if gain is None:
        return "n/a"
    return f"{gain.delta:+.1f} [{gain.ci95[0]:.1f}, {gain.ci95[1]:.1f}]"


def p_value(value: float | None) -> str:
    if value is None:
        return "n/a"
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def number(value: float | None, digits: int = 1) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"
