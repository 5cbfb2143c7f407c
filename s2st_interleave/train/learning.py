"""Is it learning? Doubts about a training that runs, a line each with what was measured.

Two rules, which no committed training of the mini recipes meets:

- *dev loss*: half of the steps are done, dev was scored three times or more, no score is
  lower than the first by 1 %, and the first is no lower than the loss of the first step by
  5 %, where both are of the same terms. (A training that had learned all before its first
  evaluation meets only the first.)
- *realised ratio*: between two evaluations of 50 steps or more the mean share of words
  shown as text differs from what the schedule and Algorithm 1 make of the corpus's
  sentence lengths by more than 0.02, and by more than five standard errors.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from s2st_interleave.interleave.spans import SpanRule, mean_share

Line = Mapping[str, float]  # of metrics.jsonl
Expected = Callable[[float], Mapping[str, float]]  # of a text ratio: shares by side

MIN_SCORES, LEAST_GAIN, LEAST_FALL = 3, 0.01, 0.05
MIN_STEPS, MOST_APART, MOST_ERRORS = 50, 0.02, 5.0


class Watch:
    """Takes the lines of metrics.jsonl in their order; `add` returns new doubts.

    `plain_loss` says that the loss of a step has the terms of dev loss alone.
    """

    def __init__(
        self,
        max_steps: int,
        expected: Expected | None = None,
        *,
        plain_loss: bool = True,
    ) -> None:
        self._max_steps, self._expected = max_steps, expected
        self._plain_loss = plain_loss
        self._first_loss: float | None = None
        self._dev: list[float] = []
        self._apart: dict[str, list[tuple[float, float]]] = {}
        self._doubted: set[str] = set()

    def add(self, line: Line) -> list[str]:
        """Doubts that this line gives rise to; each kind is told once."""
        if self._first_loss is None and self._plain_loss:
            self._first_loss = line.get("loss")
        self._note_ratio(line)
        if "dev_loss" not in line:
            return []
        self._dev.append(line["dev_loss"])
        doubts = {"dev": self._of_dev(line), "ratio": self._of_ratio()}
        self._apart.clear()
        new = [k for k, text in doubts.items() if text and k not in self._doubted]
        self._doubted |= set(new)
        return [doubts[kind] for kind in new]

    def _note_ratio(self, line: Line) -> None:
        if self._expected is None or "text_ratio" not in line:
            return
        for side, share in self._expected(line["text_ratio"]).items():
            if (seen := line.get(f"realised_{side}")) is not None:
                self._apart.setdefault(side, []).append((seen, share))

    def _of_dev(self, line: Line) -> str:
        first, best = self._dev[0], min(self._dev)
        early = 2 * (line["step"] + 1) < self._max_steps
        if early or len(self._dev) < MIN_SCORES or best < (1 - LEAST_GAIN) * first:
            return ""
        start = self._first_loss
        if start is not None and first < (1 - LEAST_FALL) * start:
            return ""
        begin = (
            "" if start is None else f", and the loss of the first step was {start:.3f}"
        )
        return (
            f"dev_loss has not moved: {first:.3f} at first, {best:.3f} at best, "
            f"{self._dev[-1]:.3f} now, over {len(self._dev)} evaluations{begin}; look at "
            "--lr, --warmup_steps, and whether units and texts belong together"
        )

    def _of_ratio(self) -> str:
        for side, pairs in self._apart.items():
            if len(pairs) < MIN_STEPS:
                continue
            seen, wanted = np.array(pairs).T
            apart = seen - wanted
            mean, error = apart.mean(), apart.std(ddof=1) / math.sqrt(len(apart))
            if abs(mean) > max(MOST_APART, MOST_ERRORS * error):
                return (
                    f"realised_{side} departs from the schedule: {seen.mean():.3f} over "
                    f"{len(pairs)} steps, {wanted.mean():.3f} +- {MOST_ERRORS * error:.3f}"
                    " was to be expected; look at text_ratio in metrics.jsonl, and at the "
                    "dump: were other utterances read than it holds?"
                )
        return ""


class MeanShares:
    """The mean share of words that Algorithm 1 shows as text, of sentences of a corpus.

    `num_words` are those of each sentence, int (num_utterances,), by side; a side that is
    not interleaved has none as text.
    """

    def __init__(
        self,
        num_words: Mapping[str, np.ndarray],
        span_lambda: float,
        rule: SpanRule,
        interleaved: str = "both",
    ) -> None:
        self._lengths = {
            k: np.unique(v, return_counts=True) for k, v in num_words.items()
        }
        self._lambda, self._rule, self._interleaved = span_lambda, rule, interleaved
        self._last: tuple[float, dict[str, float]] = (-1.0, {})  # of many steps

    def __call__(self, ratio: float) -> dict[str, float]:
        """Expected shares by side at a text ratio."""
        if ratio != self._last[0]:
            shown = {k for k in self._lengths if self._interleaved in ("both", k)}
            shares = {
                k: self._of_side(k, ratio) if k in shown else 0.0 for k in self._lengths
            }
            self._last = ratio, shares
        return self._last[1]

    def _of_side(self, side: str, ratio: float) -> float:
        lengths, counts = self._lengths[side]
        shares = [
            mean_share(int(length), ratio, self._lambda, self._rule)
            for length in lengths
        ]
        return float(np.average(shares, weights=counts))
