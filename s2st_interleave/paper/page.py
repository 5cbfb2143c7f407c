"""RESULTS.md of the whole grid, rendered from stored scores; pure text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from s2st_interleave.paper.claims import Claim, Comparison
from s2st_interleave.paper.grid import Grid
from s2st_interleave.paper.printed import printed
from s2st_interleave.score.paper import CITATION, PAPER_PAIRS
from s2st_interleave.score.results import HEADER, MINI_CORPUS_NOTE, markdown_table

SYSTEMS = ("baseline", "scheduled", "constant")


@dataclass(frozen=True)
class Findings:
    """All that the page shows. `results` and `toplines` are the stored JSON objects."""

    grid: Grid
    results: Mapping[str, Mapping[str, Any]]  # cell name -> cells/<name>.json
    toplines: Mapping[str, Mapping[str, Any]]  # pair -> toplines/<pair>.json
    sizes: Mapping[str, int]  # source language -> training utterances
    claims: Sequence[Claim]
    notes: str
    figures: Sequence[tuple[str, str]]  # file, caption


def render(found: Findings) -> str:
    sections = [
        HEADER,
        "# The paper in miniature",
        MINI_CORPUS_NOTE.strip(),
        _how(found),
        "## Do the paper's claims hold, in miniature?",
        _claims(found.claims),
        *([found.notes.strip()] if found.notes.strip() else []),
        "## Table 2: all pairs",
        _table_2(found),
        "Ours: ASR-BLEU of the last checkpoint, mean ± standard deviation over seeds (their "
        "number in brackets); the gain's interval is a paired bootstrap over utterances and "
        "seeds. On the right the paper's ASR-BLEU, as printed.",
        "### Differences",
        _differences([c for claim in found.claims for c in claim.comparisons]),
        "### Toplines",
        _toplines(found),
        "## Table 1: encoder and chain of thought (French)",
        _system_table(found, "fr_en", ("baseline", "baseline.untrained", "no_cot")),
        "`baseline.untrained`: units of an encoder with random weights, never fine-tuned; "
        "the paper's is w2v-BERT 2.0 without ASR fine-tuning.",
        "## Table 3: what the interleaving is made of (Portuguese)",
        _system_table(
            found, "pt_en", ("scheduled", "src_only", "tgt_only", "mask", "uniform")
        ),
        "## Figure 3",
        *(f"![{caption}]({file})\n\n{caption}" for file, caption in found.figures),
        "## Is it fair to the baseline?",
        "Last and best-dev checkpoint, seed 1 (the best is the one with the lowest dev "
        "loss, the same rule for all):",
        _checkpoints(found),
        "The same search for both on Portuguese, by dev loss:",
        _search(found),
        "Other text LLMs to start from: `mono` saw each sentence by itself and no "
        "translation, `random` is not trained at all.",
        _controls(found),
        "## Sensitivity (not in the paper; linear, cosine, inverse_sigmoid are extensions)",
        _system_table(found, "pt_en", _systems_of(found.grid, "sensitivity")),
        "## Compute",
        _compute(found),
        f"The paper's figures are those printed in {CITATION}.",
    ]
    return "\n\n".join(sections) + "\n"


def cells_json(found: Findings) -> list[dict[str, Any]]:
    """The `cells` of results.json: one a cell and checkpoint."""
    rows = []
    for cell in found.grid.cells:
        result = found.results.get(cell.name)
        for checkpoint, score in (result["scores"] if result else {}).items():
            paper = printed(cell.pair, cell.variant)
            rows.append(
                {
                    "table": cell.table,
                    "pair": cell.pair,
                    "system": cell.variant,
                    "seed": cell.seed,
                    "checkpoint": checkpoint,
                    "asr_bleu": round(score["asr_bleu"], 3),
                    "ci95": [round(bound, 3) for bound in score["ci95"]],
                    "mos": score["mos"] and round(score["mos"], 3),
                    "tokens": score["tokens_seen"],
                    "seconds": score["train_sec"],
                    "paper": paper and {"asr_bleu": paper.asr_bleu, "mos": paper.utmos},
                }
            )
    return rows


def _how(found: Findings) -> str:
    cells = found.grid.cells
    done = [found.results[c.name] for c in cells if c.name in found.results]
    builds: dict[tuple[str, str], set[str]] = {}
    for cell in cells:
        if cell.name in found.results:
            build = found.results[cell.name]["inputs"]["train"]
            builds.setdefault((cell.pair, cell.units), set()).add(build)
    num_builds = max(map(len, builds.values()), default=0)
    hashes = sorted({one["git"]["hash"][:9] for one in done if one["git"]["hash"]})
    hours = sum(one["wall_sec"] for one in done) / 3600
    lines = (
        f"{len(done)} of {len(cells)} cells are there: {hours:.1f} hours in all, one by one",
        "command: `egs/mini_cvss/paper.sh`; `--page true` makes this page from the stored "
        "scores in `paper/cells`",
        f"git of the cells: {', '.join(hashes) or 'none'}",
        f"seeds and configs: `paper/grid.yaml`, `conf`; {num_builds} builds of training data "
        "(a fresh machine trains encoder and codebook again)",
    )
    return "\n".join(f"- {line}" for line in lines)


def _claims(claims: Iterable[Claim]) -> str:
    rows = [
        [
            f"{claim.id}",
            claim.text,
            f"**{claim.verdict}**",
            _number(claim.statistic, 2),
            "n/a" if claim.p_value is None else f"{claim.p_value:.4f}",
            claim.rule + (f"; missing: {len(claim.missing)}" if claim.missing else ""),
        ]
        for claim in claims
    ]
    return markdown_table(["", "claim", "verdict", "statistic", "p", "rule"], rows)


def _table_2(found: Findings) -> str:
    header = ["pair", "train", *SYSTEMS, "gain", "paper, hours", *SYSTEMS, "gain "]
    gains = {c.pair: c.difference for c in found.claims[0].comparisons}
    rows = []
    for pair in dict.fromkeys(cell.pair for cell in found.grid.cells):
        src = pair.partition("_")[0]
        paper = PAPER_PAIRS[src]
        gain = gains.get(pair)
        theirs = [getattr(paper, system).asr_bleu for system in SYSTEMS]
        rows.append(
            [
                paper.name,
                f"{found.sizes[src]:,}",
                *(_mean(found, pair, system) for system in SYSTEMS),
                f"{gain.delta:+.1f} {_interval(gain.ci95)}" if gain else "n/a",
                f"{paper.hours}",
                *(f"{score:.1f}" for score in theirs),
                f"{theirs[1] - theirs[0]:+.1f}",
            ]
        )
    order = {PAPER_PAIRS[src].name: -size for src, size in found.sizes.items()}
    rows.sort(key=lambda row: order[row[0]])
    return markdown_table(header, rows)


def _differences(comparisons: Iterable[Comparison]) -> str:
    rows = [
        [
            one.pair,
            one.system,
            one.other,
            f"{one.num_seeds}",
            f"{one.difference.delta:+.2f}",
            f"[{one.difference.ci95[0]:+.2f}, {one.difference.ci95[1]:+.2f}]",
            f"{one.adjusted_p:.4f}",
        ]
        for one in comparisons
    ]
    names = [
        "pair",
        "system",
        "against",
        "seeds",
        "difference",
        "95% interval",
        "p, Holm",
    ]
    return markdown_table(names, rows)


def _toplines(found: Findings) -> str:
    keys = ("reference_asr_bleu", "resynthesis_asr_bleu", "cascade_text_bleu")
    rows = [
        [pair, *(_number(one["score"][key]) for key in keys)]
        + [
            _number(one["score"][key], 2)
            for key in ("reference_mos", "resynthesis_mos")
        ]
        for pair, one in sorted(found.toplines.items())
    ]
    names = ["pair", "reference", "resynthesis", "text LLM on the transcript"]
    return markdown_table([*names, "reference MOS", "resynthesis MOS"], rows)


def _system_table(found: Findings, pair: str, variants: Sequence[str]) -> str:
    rows = []
    for variant in variants:
        paper = printed(pair, variant)
        rows.append(
            [
                variant,
                _mean(found, pair, variant),
                _mean(found, pair, variant, "src_wer"),
                _mean(found, pair, variant, "text_bleu"),
                _mean(found, pair, variant, "mos", digits=2),
                f"{paper.asr_bleu:.1f} / {paper.utmos:.2f}" if paper else "",
            ]
        )
    names = ["system", "ASR-BLEU", "transcript WER", "translation BLEU", "MOS"]
    return markdown_table([*names, "paper: ASR-BLEU / UTMOS"], rows)


def _checkpoints(found: Findings) -> str:
    rows = []
    for cell in found.grid.cells:
        result = found.results.get(cell.name)
        if result and result["scores"] and cell.table == "2" and cell.seed == 1:
            step = result["train"]["best"].rpartition("-")[2]
            scores = (result["scores"][name]["asr_bleu"] for name in ("last", "best"))
            rows.append([cell.pair, cell.system, *map(_number, scores), step])
    return markdown_table(
        ["pair", "system", "last", "best", "best at step"], sorted(rows)
    )


def _search(found: Findings) -> str:
    rows = []
    for cell in found.grid.cells:
        result = found.results.get(cell.name)
        in_search = cell.table == "search" or cell.variant in SYSTEMS[:2]
        if result and in_search and cell.pair == "pt_en" and cell.seed == 1:
            dev = result["curve"]["dev_loss"]
            rows.append([cell.system, f"{min(dev):.3f}", f"{dev[-1]:.3f}"])
    return markdown_table(["system", "best dev loss", "last dev loss"], sorted(rows))


def _controls(found: Findings) -> str:
    pairs = dict.fromkeys(c.pair for c in found.grid.cells if c.table == "control")
    rows = [
        [pair, llm or "parallel"]
        + [
            _mean(found, pair, f"{system}.{llm}" if llm else system)
            for system in SYSTEMS[:2]
        ]
        for pair in pairs
        for llm in ("", "mono", "random")
    ]
    return markdown_table(["pair", "text LLM", *SYSTEMS[:2]], rows)


def _compute(found: Findings) -> str:
    rows = []
    for variant in dict.fromkeys(
        c.variant for c in found.grid.cells if c.table in "123"
    ):
        trained = [
            found.results[c.name]["train"]
            for c in found.grid.cells
            if c.variant == variant and c.name in found.results
        ]
        if trained:
            tokens = np.mean([one["tokens_seen"] for one in trained])
            seconds = np.mean([one["train_sec"] for one in trained])
            rows.append(
                [variant, f"{len(trained)}", f"{tokens:,.0f}", f"{seconds:.0f}"]
            )
    note = "Means over cells; seconds on one core beside another cell."
    return (
        markdown_table(["system", "cells", "tokens", "seconds"], rows) + "\n\n" + note
    )


def _systems_of(grid: Grid, table: str) -> list[str]:
    return [
        "scheduled",
        *dict.fromkeys(c.variant for c in grid.cells if c.table == table),
    ]


def _mean(
    found: Findings, pair: str, variant: str, key: str = "asr_bleu", digits: int = 1
) -> str:
    values = [
        result["scores"]["last"][key]
        for cell in found.grid.cells
        if (cell.pair, cell.variant) == (pair, variant)
        and (result := found.results.get(cell.name))
        and result["scores"]
    ]
    if not values or None in values:
        return "n/a"
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread} ({len(values)})"


def _interval(ci95: Sequence[float]) -> str:
    return f"[{ci95[0]:.1f}, {ci95[1]:.1f}]"


def _number(value: float | None, digits: int = 1) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"
