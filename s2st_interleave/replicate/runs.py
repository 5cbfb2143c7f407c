"""Runs of a grid's stored cells: what is counted of each utterance, once it is checked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from s2st_interleave.data.languages import language
from s2st_interleave.errors import UserError
from s2st_interleave.replicate.comparison import Run, Runs
from s2st_interleave.replicate.grid import Cell
from s2st_interleave.score.metrics.bleu import bleu_counts, bleu_of
from s2st_interleave.score.metrics.loops import is_loop
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.pairs import join

Score = Mapping[str, Any]  # a checkpoint's, as stored.py reads it
TOLERANCE = 0.005  # of a score: half of the last digit that a page shows of one


def counter(target: str) -> Callable[[str, str], np.ndarray]:
    """A function that returns the `bleu_counts`, (10,), of a reference and a hypothesis.

    Each text in the language `target` is normalised and counted once, as many cells give
    the same translation.
    """
    normalize, tokenize = Normalizer(target).normalize, language(target).tokenizer
    once = cache(normalize)

    @cache
    def count(reference: str, hypothesis: str) -> np.ndarray:
        texts = {"": reference}, {"": hypothesis}
        return bleu_counts(*texts, normalize=once, tokenize=tokenize)[0]

    return count


def runs_of(
    scored: Iterable[Cell],
    results: Mapping[str, Any],
    toplines: Mapping[str, Any],
    checkpoint: str,
    count: Callable[[str, str], np.ndarray],
) -> Runs:
    """Runs by pair and variant, then by seed."""
    runs: dict[tuple[str, str], dict[int, Run]] = {}
    first: dict[str, tuple[Cell, Score]] = {}  # by pair
    for cell in scored:
        if cell.pair not in toplines:
            raise UserError(
                f"{cell.name} is scored, but there are no references: the pair's "
                "toplines are missing or old; paper.sh makes them"
            )
        score = results[cell.name]["scores"][checkpoint]
        references, hypotheses = toplines[cell.pair]["references"], score["hyp"]
        try:
            joined = join(references, hypotheses)
        except UserError as error:
            raise UserError(f"{cell.name}, checkpoint {checkpoint}: {error}") from None
        counts = [count(pair.reference, pair.hypothesis) for pair in joined]
        _check(cell, checkpoint, score, counts)
        _check_protocol(cell, score, first.setdefault(cell.pair, (cell, score)))
        mos = [score["utterance_mos"].get(p.utterance_id, np.nan) for p in joined]
        loops = [is_loop(pair.hypothesis) for pair in joined]
        # Stand-ins are other models, on any machine.
        build = " ".join((results[cell.name]["build"], cell.units, cell.llm))
        runs.setdefault((cell.pair, cell.variant), {})[cell.seed] = Run(
            np.array(counts),
            np.array(mos, dtype=float),
            np.array(loops, dtype=bool),
            build,
        )
    return runs


def _check(
    cell: Cell, checkpoint: str, score: Score, counts: Sequence[np.ndarray]
) -> None:
    """UserError where a stored score is not this cell's, or not that of its hypotheses.

    `counts` are those of all references, with or without a hypothesis.
    """
    missing, bleu = len(counts) - len(score["hyp"]), bleu_of(np.sum(counts, axis=0))
    wanted = {
        "system": cell.system,
        "checkpoint": checkpoint,
        "seed": cell.seed,
        "num_utterances": len(counts),
        "num_missing": missing,
    }
    wrong = [f"{k} is {score[k]}, not {v}" for k, v in wanted.items() if score[k] != v]
    if abs(score["asr_bleu"] - bleu) > TOLERANCE:
        wrong.append(f"asr_bleu is {score['asr_bleu']:.2f}, not {bleu:.2f}")
    ratings = list(score["utterance_mos"].values())
    mos = float(np.mean(ratings)) if ratings else None
    if mos != score["mos"] and abs((mos or 0) - (score["mos"] or 0)) > TOLERANCE:
        wrong.append(f"mos is {score['mos']}, not {mos}")
    if wrong:
        raise UserError(
            f"{cell.name}: its stored score of checkpoint {checkpoint} is not that of its "
            f"hypotheses beside the references: {'; '.join(wrong)}; was it edited, or scored "
            f"on another test set? Take {cell.name}.json out of the folder cells, and it is "
            "run again"
        )


def _check_protocol(cell: Cell, score: Score, first: tuple[Cell, Score]) -> None:
    """UserError where a cell is not scored as the pair's first one is."""
    other, its_score = first
    for name in ("asr", "signature"):
        if score[name] != its_score[name]:
            raise UserError(
                f"{cell.name} and {other.name} are not scored by one recogniser and "
                f"signature: {score[name]} and {its_score[name]}; run one of them again"
            )
