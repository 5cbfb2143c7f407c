"""How well an encoder has aligned a split: the mean word score of each utterance.

What is usual was measured with egs/mini_cvss/local/check_scores.py: an encoder of the
mini recipe (600 pairs of Spanish and English, 2000 steps) on 60 dev utterances of each
language, right ones and ones that are wrong on purpose. Of the right ones the lowest and
the median, of the wrong ones the highest:

| steps | right | median | swapped text | silence | noise |
|-------|-------|--------|--------------|---------|-------|
| 100   | -4.6  | -3.7   | -3.3         | -4.5    | -3.9  |
| 300   | -2.9  | -1.2   | -2.9         | -6.0    | -4.0  |
| 800   | -1.6  | -0.4   | -4.3         | -11.3   | -4.6  |
| 2000  | -1.7  | -0.15  | -4.4         | -15.3   | -6.5  |

Of all 1,440 right ones of train, dev and test the lowest is at -2.0 in the end. After 100
steps the encoder hears nothing yet (dev loss 3.6 a piece, 0.4 in the end); a trained one
that was given voices it had never heard the like of was at -6. Hence MIN_SCORE lies
between right and wrong, MIN_MEDIAN between who hears something and who does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from s2st_interleave.align.words import Word, mean_score

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
        cls, split: str, words: Mapping[str, Mapping[str, Sequence[Word]]]
    ) -> "Quality":
        """From words by role and id; stand-ins were not measured and are left out."""
        found: dict[str, dict[str, float]] = {}
        for role, utterances in words.items():
            means = {name: mean_score(one) for name, one in utterances.items()}
            found[role] = {k: v for k, v in means.items() if v is not None}
        return cls(split, found)

    def median(self, role: str) -> float | None:
        """None where nothing was measured."""
        known = self.scores[role].values()
        return round(median(known), 3) if known else None

    def below(self, least: float) -> dict[str, str]:
        """Why an utterance is not to be trusted, by id: "src score is low: -12.30"."""
        return {
            name: f"{role} score is low: {score:.2f}"
            for role, scores in self.scores.items()
            for name, score in scores.items()
            if score < least
        }

    def worst(self, count: int = NUM_WORST) -> list[tuple[str, str, float]]:
        """Id, role and score of the lowest of all sides, the lowest first."""
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
            said = "nothing was measured" if middle is None else f"{middle:.2f}"
            lines.append(
                f"align: {self.split} {role}: median of {len(scores)} mean word "
                f"scores {said} ({USUAL})"
            )
        lines.append(f"align: {self.split}: the lowest mean word scores:")
        lines += [f"  {name} {role} {score:.2f}" for name, role, score in self.worst()]
        return "\n".join(lines)

    def facts(self) -> dict[str, object]:
        """For stage.json."""
        return {
            "median_score": {role: self.median(role) for role in self.scores},
            "num_measured": {role: len(one) for role, one in self.scores.items()},
            "worst": [list(row) for row in self.worst()],
        }
