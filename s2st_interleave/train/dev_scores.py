"""Scores on dev of all tokens, and the losses of texts and of units by themselves.

Units are many, and overfit first where data is small: the loss of all tokens then says
little of the texts, by which a translation is right.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from s2st_interleave import parallel

Part = TypeVar("Part")
# Over targets: cross-entropy, right ones, their number; cross-entropy and number of texts'.
SUMS = ("loss", "right", "targets", "text_loss", "texts")


def means(
    parts: Sequence[Part], sums_of: Callable[[Part], Mapping[str, float]]
) -> dict[str, float]:
    """`loss` and `accuracy` per target over the parts of all ranks.

    `sums_of` gives SUMS of a part, where a target that is no unit counts as text.
    `loss_text` and `loss_units` are there where targets are of both kinds.
    """
    total = dict.fromkeys(SUMS, 0.0)
    for number in range(max(parallel.gathered(len(parts)))):
        # Sharded weights are gathered for all ranks, or for none: a rank with fewer parts
        # takes its last one again, which counts nothing.
        sums = sums_of(parts[min(number, len(parts) - 1)])
        if number < len(parts):
            total = {name: total[name] + sums[name] for name in SUMS}
    loss, right, targets, text_loss, texts = parallel.sums(total).values()
    scores = {"loss": loss / targets, "accuracy": right / targets}
    if texts and texts < targets:
        scores["loss_text"] = text_loss / texts
        scores["loss_units"] = (loss - text_loss) / (targets - texts)
    return scores
