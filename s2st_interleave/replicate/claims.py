"""Judges the paper's eight claims: each "holds", "does not hold" or is "not decided".

A claim that compares systems holds when each of its comparisons is significant at 0.05
after Holm's correction over them. It does not hold when the opposite of one of them is
significant. Otherwise, or where some of the wanted seeds are missing, it is not decided.
The verdict of the page is that of the last checkpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from s2st_interleave.replicate.comparison import (
    ASR_BLEU,
    MOS,
    Comparison,
    Runs,
    Wanted,
    compare,
)
from s2st_interleave.replicate.statistics import spearman_permutation

LEVEL = 0.05
MOS_MARGIN = -0.1
Verdict = Literal["holds", "does not hold", "not decided"]


@dataclass(frozen=True)
class Claim:
    """A judged claim: its smallest difference, and its largest adjusted p-value.

    Where it does not hold, the p-value is that of the opposite, which decided.
    """

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
        """Number of seeds of the comparison that has fewest."""
        return min((each.num_seeds for each in self.comparisons), default=0)

    @property
    def caveat(self) -> str:
        """What the verdict is to be taken with; "" where it is nothing.

        Stand-ins (`baseline.untrained`) have other models on purpose.
        """
        remarks = ["one seed"] if self.num_seeds == 1 else []
        pure = [c for c in self.comparisons if "." not in c.system + c.other]
        if not all(comparison.same_build for comparison in pure):
            remarks.append("not of one build")
        elif any(each.num_builds > 1 for each in pure):
            remarks.append("seeds of several builds")
        return "".join(f", {remark}" for remark in remarks)


def judge(
    runs: Runs,
    pairs: Sequence[str],
    sizes: Sequence[int],
    num_resamples: int,
    encoder: str = "",
    loops: bool = True,
) -> list[Claim]:
    """Judge all claims by the runs that are there.

    `pairs` go from the paper's largest to its smallest, each with the size of its training
    data in any unit.
    `encoder` describes the stand-in encoder of claim 7. Without `loops` a comparison leaves
    out the utterances that are a loop in its own runs.
    """
    large, small = pairs[0], pairs[-1]
    bracket = f" ({encoder})" if encoder else ""

    def claim(
        number: int, text: str, wanted: Sequence[Wanted], want_seeds: int = 3
    ) -> Claim:
        margin = MOS_MARGIN if number == 8 else 0.0
        return _compared(
            number, text, wanted, runs, num_resamples, margin, want_seeds, loops
        )

    beats = claim(
        1,
        "scheduled interleaving beats the baseline in every pair",
        [(pair, "scheduled", "baseline") for pair in pairs],
    )
    return [
        beats,
        _larger_where_smaller(beats, pairs, sizes),
        claim(
            3,
            "scheduled interleaving beats a constant p = 0.3 in every pair",
            [(pair, "scheduled", "constant") for pair in pairs],
            want_seeds=1,
        ),
        claim(
            4,
            "both sides beat the input side or the output side alone",
            [(small, "scheduled", side) for side in ("src_only", "tgt_only")],
        ),
        claim(5, "text beats a mask in its place", [(small, "scheduled", "mask")]),
        claim(6, "alignment beats equal intervals", [(small, "scheduled", "uniform")]),
        claim(
            7,
            f"ASR fine-tuning of the encoder{bracket} helps, and so does CoT",
            [(large, "baseline", "baseline.untrained"), (large, "baseline", "no_cot")],
        ),
        claim(
            8,
            "speech quality does not suffer",
            [(pair, "scheduled", "baseline") for pair in pairs],
        ),
    ]


def _compared(
    number: int,
    text: str,
    wanted: Sequence[Wanted],
    runs: Runs,
    num_resamples: int,
    margin: float,
    want_seeds: int,
    loops: bool,
) -> Claim:
    """A claim that systems beat others in the wanted comparisons; with a margin, in MOS."""
    measure = MOS if margin else ASR_BLEU
    family = compare(
        runs,
        wanted,
        measure,
        num_resamples=num_resamples,
        margin=margin,
        want_seeds=want_seeds,
        loops=loops,
    )
    verdict: Verdict = "not decided"
    p_value = max((c.adjusted_p for c in family.comparisons), default=None)
    if not family.missing and family.p_worse < LEVEL:
        verdict, p_value = "does not hold", family.p_worse
    elif not family.missing and family.p_better < LEVEL:
        verdict = "holds"
    score = "ASR-BLEU" if not margin else f"MOS, non-inferior by {-margin}"
    drawn = "utterances and seeds" if want_seeds > 1 else "utterances"
    counts = sorted({each.num_seeds for each in family.comparisons}) or [0]
    num_seeds = "-".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
    return Claim(
        id=number,
        text=text,
        rule=f"{score}: paired test over {drawn}, one-sided, Holm over "
        f"{len(wanted)}, p < {LEVEL}; seeds: {num_seeds}"
        + (f" of {want_seeds} wanted" if want_seeds > 1 else ""),
        statistic=min((c.difference.delta for c in family.comparisons), default=None),
        p_value=p_value,
        verdict=verdict,
        measure=measure.name,
        comparisons=family.comparisons,
        missing=family.missing,
    )


def _larger_where_smaller(
    beats: Claim, pairs: Sequence[str], sizes: Sequence[int]
) -> Claim:
    gains = {c.pair: c.difference.delta for c in beats.comparisons}
    size = dict(zip(pairs, sizes, strict=True))
    rho = p_value = None
    verdict: Verdict = "not decided"
    if len(gains) >= 3:
        rho, p_below, p_above = spearman_permutation(
            [size[pair] for pair in gains], list(gains.values())
        )
        p_value = p_below
        if not beats.missing and p_above < LEVEL:
            verdict, p_value = "does not hold", p_above
        elif not beats.missing and p_below < LEVEL:
            verdict = "holds"
    return Claim(
        id=2,
        text="the gain over the baseline is larger where data is smaller",
        rule=f"Spearman's rho of gain and size below 0, exact permutation test, p < {LEVEL}",
        statistic=rho,
        p_value=p_value,
        verdict=verdict,
        missing=beats.missing,
    )
