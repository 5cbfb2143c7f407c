"""Renders RESULTS.md of a grid from stored scores; pure functions that return text."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from s2st_interleave.config import load_yaml
from s2st_interleave.files import GENERATED
from s2st_interleave.replicate import fairness, tables
from s2st_interleave.replicate.content import PageContent
from s2st_interleave.replicate.provenance import provenance
from s2st_interleave.replicate.statistics import spearman_permutation
from s2st_interleave.score.columns import number
from s2st_interleave.score.published import (
    CITATION,
    PAPER_PAIRS,
    TABLE_1_SOURCE,
    TABLE_3_SOURCE,
)
from s2st_interleave.score.results import markdown_table
from s2st_interleave.stages.train_options import Options


def render(content: PageContent) -> str:
    """The page as Markdown, without sections for which the grid has no cell."""
    notes = content.grid.recipe.notes
    remarks = content.grid.folder / "notes.md"  # written by hand
    script = content.grid.command.partition(" ")[0] or "s2st_interleave.replicate"
    small = content.grid.recipe.pair_of(TABLE_3_SOURCE)
    sections = [
        f"{GENERATED}{script}; do not edit -->",
        f"# {content.grid.title}",
        notes.corpus,
        provenance(content),
        "## What is compared",
        _systems(content),
        f"## {notes.claims}",
        _claims(content),
        _gains(content),
        _reading(content),
        remarks.read_text("utf-8").strip() if remarks.is_file() else "",
        *_paper_tables(content),
        "## Every difference behind the verdicts",
        tables.differences(content),
        "The p-value of a MOS row is for a loss of less than 0.1. Build: whether both had the "
        "same encoder, codebook, vocoder and text LLM, or others: trained again, or stand-ins.",
        "## Toplines",
        tables.toplines(content),
        notes.toplines,
        "## Figure 3",
        _figure(
            content,
            "figure3",
            f"Lengths and similarities over steps ({small}, seed 1). A length is that of a "
            "side as it is interleaved, in tokens for each token of its text: the paper's "
            "|I_p| / |T|.",
        ),
        _figure(
            content,
            "curves",
            "Dev loss and accuracy against steps and seconds (seed 1), at text ratio 0.",
        ),
        "Where the similarities end (the last probe, seed 1), at the text ratio that training "
        "has come to. At 0.3 a part of the speech of `constant` is text: its rows are not "
        "comparable with the others.",
        tables.similarities(content),
        *_fairness(content),
        *_sensitivity(content),
        "## Compute",
        tables.compute(content),
        f"The paper's figures are those printed in {CITATION}.",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _gains(content: PageContent) -> str:
    if not content.asks_for_gains:
        return ""
    end = content.grid.recipe.notes.gains
    return _figure(
        content,
        "gains",
        "What scheduled training gains over the baseline, in points of ASR-BLEU (claims "
        "1 and 2), with 95% intervals, hollow and dashed where it is of one seed"
        + (f"; {end}." if end else "."),
    )


def _figure(content: PageContent, name: str, caption: str) -> str:
    return f"![{caption}]({content.figure_folder}/{name}.svg)\n\n{caption}"


def _systems(content: PageContent) -> str:
    recipe = content.grid.recipe
    defaults: dict[str, Any] = {field.name: field.default for field in fields(Options)}
    train = defaults | load_yaml(recipe.folder / recipe.train, Options)
    drawn = train["max_steps"] * train["batch_size"]
    epochs = [
        f"{content.names[pair]} {drawn / content.sizes[pair]:.1f}"
        for pair in content.pairs_by_size
        if pair in content.sizes
    ]
    note = recipe.notes.systems
    return (
        "A text LLM learns, from pairs of units, to write the transcript, its translation and "
        "the units of that. `baseline`: as it is. `scheduled`: text in place of units for a "
        "share of words on both sides, 0.9 at first, 0.1 less every "
        f"{train['text_ratio_every']} steps. `constant`: a share of 0.3 to the end. All are "
        f"tested on units alone. Every one sees {train['max_steps']:,} steps of "
        f"{train['batch_size']} pairs"
        + (f": epochs of {', '.join(epochs)}. " if epochs else ". ")
        + (f"{note} " if note else "")
        + f"Attention dropout is {train['attention_dropout']} for all, the paper's 0.2."
    )


def _reading(content: PageContent) -> str:
    seeds = content.grid.recipe.notes.seeds
    return (
        f"Statistic: the smallest difference of those compared{_rho(content)}. p: the largest "
        "after Holm's correction, and where a claim does not hold the smallest of the "
        "opposite; the test adds the standard error over utterances (paired "
        "bootstrap) to that over seeds, with Welch and Satterthwaite's degrees of freedom."
        + (f" {seeds}" if seeds else "")
        + "\n\n"
        "At best dev: by dev loss, whose minimum comes before a system can speak where it "
        "overfits (see: Is it fair to the baseline?). Without loops: the "
        "recogniser, greedy as it is, hears some words over and over, and one such utterance "
        "can cost a system points. One that it hears so for one of the two systems compared, "
        "with any seed, is left out for both."
    )


def _rho(content: PageContent) -> str:
    if 2 not in content.grid.claims:
        return ""
    theirs = PAPER_PAIRS.values()
    gains = [pair.scheduled.asr_bleu - pair.baseline.asr_bleu for pair in theirs]
    rho, p_value, _ = spearman_permutation([pair.hours for pair in theirs], gains)
    return (
        ", for claim 2 Spearman's rho (of the paper's own gains: "
        f"{rho:.2f}, p {p_value:.4f})"
    )


def _paper_tables(content: PageContent) -> Iterator[str]:
    recipe = content.grid.recipe
    yield "## Table 2: all pairs"
    yield tables.table_2(content)
    yield (
        "Ours: ASR-BLEU of the last checkpoint, mean ± standard deviation over seeds (their "
        "number in brackets); the gain's interval is over utterances and seeds. On the right "
        "the paper's ASR-BLEU, as printed."
    )
    yield "The same runs along the chain of thought; where is the gain made?"
    yield tables.chain(content)
    if content.constant:
        yield "A constant p = 0.3 against the baseline, beside the paper's difference:"
        yield tables.constant(content)
    if _variants(content, "size"):
        yield (
            "Pairs with fewer of their own training sentences, not in the paper: claim 2 "
            "within a language. Only the size differs and, as steps are the same, the epochs."
        )
        yield tables.sizes(content)
    if _variants(content, "1"):
        yield "## Table 1: encoder and chain of thought (French)"
        yield tables.system_table(
            content,
            recipe.pair_of(TABLE_1_SOURCE),
            ("baseline", "baseline.untrained", "no_cot"),
        )
        yield recipe.notes.table_1
    if _variants(content, "3"):
        yield "## Table 3: what the interleaving is made of (Portuguese)"
        yield tables.system_table(
            content,
            recipe.pair_of(TABLE_3_SOURCE),
            (*tables.SYSTEMS[:2], *_variants(content, "3")),
        )


def _fairness(content: PageContent) -> Iterator[str]:
    yield "## Is it fair to the baseline?"
    yield (
        "Last and best-dev checkpoint, seed 1 (the best is the one with the lowest dev "
        "loss, the same rule for all). Where a system overfits early, that one may not "
        "speak yet: verdicts at best dev say little there."
    )
    yield fairness.checkpoints(content)
    if _variants(content, "search"):
        yield (
            "The same search for both, with a seed of its own. Winners are chosen on dev by "
            "loss, and by accuracy: a baseline that overfits has its best loss early, its best "
            "accuracy late. A third rule favours the baseline: it takes the one that scores "
            "best on test:"
        )
        yield fairness.search(content)
        yield fairness.winners(content)
        yield (
            "More training for both, not in the paper (schedule and decay of the learning rate "
            "are stretched alike). Does the baseline lack steps, not data?"
        )
        yield fairness.longer(content)
    if _variants(content, "steps"):
        yield (
            "Twice the steps for both in every pair, one seed: would claim 2 hold there? Asked "
            "after Table 2 was known; no verdict rests on it."
        )
        yield fairness.twice(content)
    if _variants(content, "control"):
        yield (
            "Other text LLMs to start from than that of all other cells: "
            + content.grid.recipe.notes.llms
        )
        yield fairness.controls(content)


def _sensitivity(content: PageContent) -> Iterator[str]:
    if variants := _variants(content, "sensitivity"):
        yield "## Sensitivity: not in the paper; linear, cosine, inverse_sigmoid are extensions"
        yield "One seed, another than above, and a scheduled system of its own."
        pair = next(c.pair for c in content.grid.compared("sensitivity"))
        yield tables.system_table(content, pair, variants, "sensitivity")
        if content.sensitivity:
            yield tables.sensitivity(content)


def _variants(content: PageContent, table: str) -> list[str]:
    """The systems that the grid has for a table, in its order."""
    cells = [cell for cell in content.grid.cells if cell.table == table]
    return list(dict.fromkeys(cell.variant for cell in cells))


def _claims(content: PageContent) -> str:
    rows = [
        [
            f"{claim.id}",
            claim.text,
            f"**{claim.verdict}**{claim.caveat}",
            best.verdict,
            unlooped.verdict,
            number(claim.statistic, 2),
            tables.p_value(claim.p_value),
            claim.rule + (f"; missing: {len(claim.missing)}" if claim.missing else ""),
        ]
        for claim, best, unlooped in content.verdicts
    ]
    names = ["", "claim", "verdict", "at best dev", "without loops"]
    names += ["statistic", "p", "rule"]
    return markdown_table(names, rows)
