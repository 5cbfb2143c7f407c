"""How evenly eight ranks share a step, for lengths such as those of French to English."""

from collections.abc import Iterator, Sequence
from statistics import mean

import numpy as np

from benchmarks.measure import Row, figure
from s2st_interleave import keyed
from s2st_interleave.interleave.segments import uniform_spans
from s2st_interleave.interleave.spans import choose_spans
from s2st_interleave.train.batches import deal, split

NUM_RANKS, BUDGET, NUM_STEPS = 8, 12_000, 50
UNITS_A_SEC, WORDS_A_SEC, TOKENS_A_WORD = 50, 2.4, 1.4


def rows() -> Iterator[Row]:
    for batch_size in (64, 256):
        for ratio in (0.9, 0.5, 0.0):
            batches = [
                drawn_lengths(batch_size, ratio, step) for step in range(NUM_STEPS)
            ]
            ways = (lambda lengths: deal(lengths, BUDGET, NUM_RANKS), in_turn)
            costs = [[cost(each, way(each)) for each in batches] for way in ways]
            about = f"batch {batch_size}, p = {ratio:g}"
            for place, unit, aim in (
                (0, "slowest/mean rank", "1.05"),
                (1, "slowest/ideal", ""),
            ):
                ours, other = (mean(pair[place] for pair in way) for way in costs)
                yield figure(
                    f"balance of {NUM_RANKS} ranks, {about}",
                    "16 sorted pieces, dealt in turn",
                    ours,
                    other,
                    unit,
                    aim,
                )


def drawn_lengths(count: int, ratio: float, step: int) -> np.ndarray:
    """Tokens of simulated utterances at a text ratio, by Algorithm 1 itself."""
    rng = keyed.generator("balance", step)
    source = rng.lognormal(np.log(4.7), 0.4, count)
    target = 0.8 * source * rng.lognormal(0.0, 0.2, count)
    lengths = []
    for number in range(count):
        length = 5.0
        for sec in (source[number], target[number]):
            num_words = max(1, int(WORDS_A_SEC * sec * rng.lognormal(0.0, 0.2)))
            num_units = max(int(UNITS_A_SEC * sec), num_words)
            replaced = choose_spans(num_words, ratio, 1.0, "literal", rng)
            spans = uniform_spans(num_words, num_units)
            shown = (spans[:, 1] - spans[:, 0])[replaced].sum()
            length += num_units - shown
            length += TOKENS_A_WORD * (num_words + replaced.sum())
        lengths.append(round(length))
    return np.array(lengths)


def in_turn(lengths: np.ndarray) -> list[Sequence[Sequence[int]]]:
    """What `accum_grad: 16` does."""
    pieces = split(np.argsort(lengths, kind="stable").tolist(), 16)
    return [pieces[rank::NUM_RANKS] for rank in range(NUM_RANKS)]


def cost(
    lengths: np.ndarray, shares: Sequence[Sequence[Sequence[int]]]
) -> tuple[float, float]:
    """The slowest rank's padded tokens by the mean rank's, and by an equal part of all."""
    costs = [
        sum(len(piece) * max(lengths[list(piece)]) for piece in pieces)
        for pieces in shares
    ]
    return max(costs) / mean(costs), max(costs) * NUM_RANKS / lengths.sum()
