"""The paper's eight claims, each "holds", "does not hold" or "not decided" by rule.

A claim that compares systems holds when every comparison it names is significant at 0.05
after Holm's correction over them; it does not hold when the opposite of one of them is;
else, or where cells are missing, it is not decided. Main figure: the last checkpoint.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from s2st_interleave.replicate.statistics import (
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

    bleu_counts: int64 (num_utterances, 10), as metrics.bleu has them; mos: float
    (num_utterances,), NaN where there was no audio; build: of the shared models.
    """

    bleu_counts: np.ndarray
    mos: np.ndarray
    build: str = ""


# (pair, system as in Cell.name without pair and seed) -> runs by seed
Runs = Mapping[tuple[str, str], Mapping[int, Run]]


@dataclass(frozen=True)
class Comparison:
    """One system against another on one pair.

    `same_build`: each seed's two runs had the same encoder, codebook, vocoder and LLM.
    """

    pair: str
    system: str
    other: str
    same_build: bool
    difference: Difference
    adjusted_p: float

    @property
    def num_seeds(self) -> int:
        return len(self.difference.by_seed)


@dataclass(frozen=True)
class Claim:
    """`statistic` is the smallest difference, `p_value` the largest adjusted one."""

    id: int
    text: str
    rule: str
    statistic: float | None
    p_value: float | None
    verdict: Verdict
    measure: str = "ASR-BLEU"
    comparisons: tuple[Comparison, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def num_seeds(self) -> int:
        """Of the comparison that has fewest."""
        return min((one.num_seeds for one in self.comparisons), default=0)


def judge(
    runs: Runs,
    pairs: Sequence[str],
    hours: Sequence[int],
    bleu: Callable[..., float],
    num_resamples: int,
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
        want_seeds=3,
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
            "ASR fine-tuning of the encoder (against random weights) helps, and so does CoT",
            [(large, "baseline", "baseline.untrained"), (large, "baseline", "no_cot")],
            want_seeds=3,
        ),
        judged(
            8,
            "speech quality does not suffer",
            [(pair, *versus) for pair in pairs],
            score=_mos_scorer,
            margin=MOS_MARGIN,
            want_seeds=3,
        ),
    ]


def compare_two(
    runs: Runs,
    pair: str,
    system: str,
    other: str,
    bleu: Callable[..., float],
    num_resamples: int,
) -> Comparison | None:
    """One comparison outside of the claims, with the p-value as it is."""
    claim = _compared(
        0,
        "",
        [(pair, system, other)],
        runs=runs,
        score=partial(_bleu_scorer, bleu=bleu),
        num_resamples=num_resamples,
    )
    return claim.comparisons[0] if claim.comparisons else None


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
    found: dict[str, Comparison] = {}
    # What is missing counts among the tests that Holm corrects for.
    p_better, p_worse = ({" ".join(names): 1.0 for names in wanted} for _ in range(2))
    missing = []
    for pair, system, other in wanted:
        both = [runs.get((pair, name), {}) for name in (system, other)]
        seeds = sorted(both[0].keys() & both[1].keys())
        num_seeds = len(seeds)
        if num_seeds < want_seeds:
            missing.append(f"{pair}: {system} or {other}, a seed besides {seeds}")
        if num_seeds:
            a, b = ([score(side[seed]) for seed in seeds] for side in both)
            size = len(both[0][seeds[0]].mos)
            difference = paired_difference(
                a, b, size, margin=margin, num_resamples=num_resamples
            )
            key = f"{pair} {system} {other}"
            p_better[key], p_worse[key] = difference.p_better, difference.p_worse
            alike = all(both[0][s].build == both[1][s].build for s in seeds)
            found[key] = Comparison(pair, system, other, alike, difference, 1.0)
    adjusted, opposite = holm(p_better), holm(p_worse)
    comparisons = tuple(
        replace(one, adjusted_p=adjusted[key]) for key, one in found.items()
    )
    verdict: Verdict = "not decided"
    if min(opposite.values()) < LEVEL:
        verdict = "does not hold"
    elif not missing and max(adjusted.values()) < LEVEL:
        verdict = "holds"
    what = "ASR-BLEU" if not margin else f"MOS, non-inferior by {-margin}"
    drawn = "utterances and seeds" if want_seeds > 1 else "utterances"
    seeds_seen = sorted({one.num_seeds for one in comparisons}) or [0]
    num_seeds = "-".join(map(str, dict.fromkeys((seeds_seen[0], seeds_seen[-1]))))
    return Claim(
        id=number,
        text=text,
        rule=f"{what}: paired test over {drawn}, one-sided, Holm over "
        f"{len(wanted)}, p < {LEVEL}; seeds: {num_seeds}"
        + (f" of {want_seeds} wanted" if want_seeds > 1 else ""),
        statistic=min((c.difference.delta for c in comparisons), default=None),
        p_value=max((c.adjusted_p for c in comparisons), default=None),
        verdict=verdict,
        measure="MOS" if margin else "ASR-BLEU",
        comparisons=comparisons,
        missing=tuple(missing),
    )


def _larger_where_smaller(
    beats: Claim, pairs: Sequence[str], hours: Sequence[int]
) -> Claim:
    gains = {c.pair: c.difference.delta for c in beats.comparisons}
    size = dict(zip(pairs, hours, strict=True))
    rho = p_below = None
    verdict: Verdict = "not decided"
    if len(gains) >= 3:
        rho, p_below, p_above = spearman_permutation(
            [size[pair] for pair in gains], list(gains.values())
        )
        if not beats.missing and p_above < LEVEL:
            verdict = "does not hold"
        elif not beats.missing and p_below < LEVEL:
            verdict = "holds"
    return Claim(
        id=2,
        text="the gain over the baseline is larger where data is smaller",
        rule=f"Spearman's rho of gain and size below 0, exact permutation test, p < {LEVEL}",
        statistic=rho,
        p_value=p_below,
        verdict=verdict,
        missing=beats.missing,
    )
