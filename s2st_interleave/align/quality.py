"""How well an encoder has aligned a split: the mean word score of each utterance.

egs/mini_cvss/local/check_scores.py measured which scores are usual: an encoder of the mini
recipe (600 pairs of Spanish and English, 2000 steps) aligned 60 dev utterances of each
language, right ones and ones that are wrong on purpose. The columns are the lowest and the
median score of the right ones, and the highest score of three kinds of wrong ones:

| steps | right | median | swapped text | silence | noise |
|-------|-------|--------|--------------|---------|-------|
| 100   | -4.6  | -3.7   | -3.3         | -4.5    | -3.9  |
| 300   | -2.9  | -1.2   | -2.9         | -6.0    | -4.0  |
| 800   | -1.6  | -0.4   | -4.3         | -11.3   | -4.6  |
| 2000  | -1.7  | -0.15  | -4.4         | -15.3   | -6.5  |

The lowest of all 1,440 right utterances of train, dev and test is at -2.0 after the last
step. After 100 steps the encoder hears nothing yet (dev loss 3.6 a piece, 0.4 in the end).
A trained encoder was at -6 on voices unlike any that it had heard. Hence MIN_SCORE lies
between right and wrong utterances, and MIN_MEDIAN between encoders that hear something and
encoders that do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

MIN_SCORE, MIN_MEDIAN = -4.0, -3.0
USUAL = "usual: -0.1 to -1; -4 and less where nothing is heard"
NUM_WORST = 10


@dataclass(frozen=True)
class Quality:
    """The measured utterances of one split: mean word scores by role and id."""

    split: str
    scores: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(
        cls, split: str, means: Mapping[str, Mapping[str, float | None]]
    ) -> "Quality":
        """Take mean word scores by role and utterance id.

        None stands for words at equal intervals, which stand in where nothing was aligned;
        they are left out.
        """
        measured = {
            role: {k: v for k, v in scores.items() if v is not None}
            for role, scores in means.items()
        }
        return cls(split, measured)

    def median(self, role: str) -> float | None:
        """Median of a side's mean word scores; None where nothing was measured."""
        scores = self.scores[role].values()
        return round(median(scores), 3) if scores else None

    def below(self, least: float) -> dict[str, str]:
        """Reasons not to trust utterances, by id: "src score is low: -12.30"."""
        return {
            name: f"{role} score is low: {score:.2f}"
            for role, scores in self.scores.items()
            for name, score in scores.items()
            if score < least
        }

    def worst(self, count: int = NUM_WORST) -> list[tuple[str, str, float]]:
        """(utterance id, role, score) of the `count` lowest scores, the lowest first."""
        rows = [
            (name, role, round(score, 3))
            for role, scores in self.scores.items()
            for name, score in scores.items()
        ]
        return sorted(rows, key=lambda row: (row[2], row[0], row[1]))[:count]

    def report(self) -> str:
        """Lines for the screen: medians beside what is usual, and the worst by name."""
        lines = []
        for role, scores in self.scores.items():
            middle = self.median(role)
            value = "nothing was measured" if middle is None else f"{middle:.2f}"
            lines.append(
                f"align: {self.split} {role}: median of {len(scores)} mean word "
                f"scores {value} ({USUAL})"
            )
        lines.append(f"align: {self.split}: the lowest mean word scores:")
        lines += [f"  {name} {role} {score:.2f}" for name, role, score in self.worst()]
        return "\n".join(lines)

    def notes(self) -> dict[str, Any]:
        """The same for the notes of stage.json."""
        return {
            "median_score": {role: self.median(role) for role in self.scores},
            "num_measured": {role: len(each) for role, each in self.scores.items()},
            "worst": [list(row) for row in self.worst()],
        }
