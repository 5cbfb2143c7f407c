"""The paper's eight claims, each "holds", "does not hold" or "not decided" by rule.

A claim that compares systems holds when every comparison it names is significant at 0.05
after Holm's correction over them; it does not hold when the opposite of one of them is;
else, or where cells are missing, it is not decided. Main figure: the last checkpoint.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from s2st_interleave.paper.statistics import (
    Difference,
    Scorer,
    holm,
    paired_difference,
    spearman_permutation,
)

LEVEL = 0.05
MOS_MARGIN = -0.1
Verdict = Literal["holds", "does not hold", "not decided"]


@dataclass(frozen=True)
class Run:
    """One scored cell: what a corpus score is made of, by utterance.

    bleu_counts: int64 (num_utterances, 10), as score.bleu has them; mos: float
    (num_utterances,), NaN where there was no audio.
    """

    bleu_counts: np.ndarray
    mos: np.ndarray


# (pair, system as in Cell.name without pair and seed) -> runs in order of seeds
Runs = Mapping[tuple[str, str], Sequence[Run]]


@dataclass(frozen=True)
class Comparison:
    """One system against another on one pair."""

    pair: str
    system: str
    other: str
    num_seeds: int
    difference: Difference
    adjusted_p: float


@dataclass(frozen=True)
class Claim:
    """`statistic` is the smallest difference, `p_value` the largest adjusted one."""

    id: int
    text: str
    rule: str
    statistic: float | None
    p_value: float | None
    verdict: Verdict
    comparisons: tuple[Comparison, ...] = ()
    missing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"comparisons": [asdict(c) for c in self.comparisons]}


def judge(
    runs: Runs,
    pairs: Sequence[str],
    hours: Sequence[int],
    bleu: Callable[..., float],
    num_resamples: int = 2000,
) -> list[Claim]:
    """All claims from whatever runs there are. `bleu` turns summed counts into BLEU.

    `pairs` go from the largest to the smallest, with the paper's hours each.
    """
    large, small = pairs[0], pairs[-1]
    judged = partial(_compared, runs=runs, num_resamples=num_resamples)
    compare = partial(judged, score=partial(_bleu_scorer, bleu=bleu))
    versus = "scheduled", "baseline"
    beats = compare(
        1,
        "scheduled interleaving beats the baseline in every pair",
        [(pair, *versus) for pair in pairs],
    )
    return [
        beats,
        _larger_where_smaller(beats, pairs, hours),
        compare(
            3,
            "scheduled interleaving beats a constant p = 0.3 in every pair",
            [(pair, "scheduled", "constant") for pair in pairs],
        ),
        compare(
            4,
            "both sides beat the input side or the output side alone",
            [(small, "scheduled", one) for one in ("src_only", "tgt_only")],
            want_seeds=3,
        ),
        compare(
            5,
            "text beats a mask in its place",
            [(small, "scheduled", "mask")],
            want_seeds=3,
        ),
        compare(
            6,
            "alignment beats equal intervals",
            [(small, "scheduled", "uniform")],
            want_seeds=3,
        ),
        compare(
            7,
            "ASR fine-tuning of the encoder helps, and so does CoT",
            [(large, "baseline", "baseline.untrained"), (large, "baseline", "no_cot")],
        ),
        judged(
            8,
            "speech quality does not suffer",
            [(pair, *versus) for pair in pairs],
            score=_mos_scorer,
            margin=MOS_MARGIN,
        ),
    ]


def _bleu_scorer(run: Run, bleu: Callable[..., float]) -> Scorer:
    return lambda times: bleu(times @ run.bleu_counts)


def _mos_scorer(run: Run) -> Scorer:
    known = np.isfinite(run.mos)
    values = np.where(known, run.mos, 0.0)
    return lambda times: float(times @ values / max(1, times @ known))


def _compared(
    number: int,
    text: str,
    wanted: Sequence[tuple[str, str, str]],
    *,
    runs: Runs,
    score: Callable[[Run], Scorer],
    num_resamples: int,
    margin: float = 0.0,
    want_seeds: int = 1,
) -> Claim:
    """A claim that `system` beats `other` (by more than `margin`) wherever wanted."""
    found: dict[str, tuple[tuple[str, str, str], int, Difference]] = {}
    missing = []
    for pair, system, other in wanted:
        both = [runs.get((pair, name), ()) for name in (system, other)]
        num_seeds = min(map(len, both))
        if num_seeds < want_seeds:
            missing.append(f"{pair}: {system} or {other}, seed {num_seeds + 1}")
        if num_seeds:
            a, b = ([score(run) for run in side[:num_seeds]] for side in both)
            size = len(both[0][0].mos)
            found[f"{pair} {system} {other}"] = (
                (pair, system, other),
                num_seeds,
                paired_difference(
                    a, b, size, margin=margin, num_resamples=num_resamples
                ),
            )
    adjusted = holm({key: one[2].p_better for key, one in found.items()})
    opposite = holm({key: one[2].p_worse for key, one in found.items()})
    comparisons = tuple(
        Comparison(*names, num_seeds, difference, adjusted[key])
        for key, (names, num_seeds, difference) in found.items()
    )
    verdict: Verdict = "not decided"
    if any(p < LEVEL for p in opposite.values()):
        verdict = "does not hold"
    elif not missing and max(adjusted.values()) < LEVEL:
        verdict = "holds"
    what = "ASR-BLEU" if not margin else f"MOS, non-inferior by {-margin}"
    return Claim(
        id=number,
        text=text,
        rule=f"{what}: paired bootstrap over utterances and seeds, one-sided, Holm over "
        f"{len(wanted)}, p < {LEVEL}"
        + (f", {want_seeds} seeds" if want_seeds > 1 else ""),
        statistic=min((c.difference.delta for c in comparisons), default=None),
        p_value=max(adjusted.values(), default=None),
        verdict=verdict,
        comparisons=comparisons,
        missing=tuple(missing),
    )


def _larger_where_smaller(
    beats: Claim, pairs: Sequence[str], hours: Sequence[int]
) -> Claim:
    gains = {c.pair: c.difference.delta for c in beats.comparisons}
    size = dict(zip(pairs, hours, strict=True))
    missing = tuple(pair for pair in pairs if pair not in gains)
    rho = p_below = None
    verdict: Verdict = "not decided"
    if len(gains) >= 3:
        rho, p_below, p_above = spearman_permutation(
            [size[pair] for pair in gains], list(gains.values())
        )
        if p_above < LEVEL:
            verdict = "does not hold"
        elif p_below < LEVEL and not missing:
            verdict = "holds"
    return Claim(
        id=2,
        text="the gain over the baseline is larger where data is smaller",
        rule=f"Spearman's rho of gain and size below 0, exact permutation test, p < {LEVEL}",
        statistic=rho,
        p_value=p_below,
        verdict=verdict,
        missing=missing,
    )
