"""Makes results.json, the content of the page for programs."""

from dataclasses import asdict
from typing import Any

from s2st_interleave.replicate.content import PageContent
from s2st_interleave.replicate.statistics import significant

NUM_DIGITS = 6  # significant digits; processors differ in the last of sixteen


def results_json(content: PageContent) -> dict[str, list[dict[str, Any]]]:
    """`cells`, and `claims` or `schedules`, the same on every processor by rounding."""
    if content.grid.is_of_schedules:
        return {"cells": _cells(content), "schedules": _schedules(content)}
    return {"cells": _cells(content), "claims": _claims(content)}


def _cells(content: PageContent) -> list[dict[str, Any]]:
    """An object for each cell and checkpoint."""
    rows = []
    for cell in content.grid.cells:
        result = content.results.get(cell.name)
        for checkpoint, score in (result["scores"] if result else {}).items():
            paper = content.published_score(cell.pair, cell.variant)
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


def _schedules(content: PageContent) -> list[dict[str, Any]]:
    return [
        _rounded(asdict(candidate))
        | {"verdict": candidate.verdict, "verdict_without_loops": unlooped.verdict}
        for candidate, unlooped in zip(
            content.schedules, content.schedules_unlooped, strict=True
        )
    ]


def _claims(content: PageContent) -> list[dict[str, Any]]:
    return [
        _rounded(asdict(claim))
        | {
            "verdict_at_best_dev": best.verdict,
            "verdict_without_loops": unlooped.verdict,
        }
        for claim, best, unlooped in content.verdicts
    ]


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    return significant(value, NUM_DIGITS) if isinstance(value, float) else value
