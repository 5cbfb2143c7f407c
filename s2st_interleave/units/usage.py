"""How many units of a codebook speech uses, and the doubt where these are few."""

import math

import numpy as np

LEAST_SHARE = 0.1  # of the codebook; mini recipes are at 0.58 to 0.68
MIN_FRAMES = 10  # for each unit of the codebook: fewer cannot show all of them


def perplexity(counts: np.ndarray) -> float:
    """The number of equally frequent units that would be as hard to predict; 0 for none."""
    if not counts.sum():
        return 0.0
    shares = counts[counts > 0] / counts.sum()
    return math.exp(-float((shares * np.log(shares)).sum()))


def doubt(counts: np.ndarray) -> str:
    """A line with the evidence where units have collapsed to few; "" where not.

    `counts`, int (num_units,), says how often each unit occurs.
    """
    total, used = int(counts.sum()), int(np.count_nonzero(counts))
    even = perplexity(counts)
    if total < MIN_FRAMES * len(counts) or even >= LEAST_SHARE * len(counts):
        return ""
    return (
        f"units have collapsed: {used} of {len(counts)} are used, as evenly as {even:.1f}, "
        f"and unit {int(counts.argmax())} makes up {counts.max() / total:.0%} of {total} "
        "frames; look at the recordings (silence?), and at the encoder and --layer of kmeans"
    )
