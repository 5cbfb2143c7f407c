"""How much speech there is to learn from, and a warning where it is little.

    python -m s2st_interleave.data.amount data/train

Recipes print it after stage 1, before anything is trained: the page of a run with too
little has numbers like any other's.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.data.kaldi import DataDir
from s2st_interleave.errors import UserError, script

FEW_PAIRS, FEW_MINUTES = 200, 10


@dataclass(frozen=True)
class Amount:
    """Pairs of utterances, and the minutes of each side's speech by its name."""

    num_pairs: int
    minutes: dict[str, float]

    @staticmethod
    def of(data: DataDir) -> "Amount":
        """The amount in `data/<split>`; UserError where a table is not valid."""
        durations = {side: data.durations(side) for side in data.sides}
        num = min(map(len, durations.values()), default=0)
        minutes = {side: sum(d.values()) / 60 for side, d in durations.items()}
        return Amount(num, minutes)

    @property
    def is_little(self) -> bool:
        """Can models that start from nothing learn no more than these sentences?"""
        least = min(self.minutes.values(), default=0.0)
        return self.num_pairs < FEW_PAIRS or least < FEW_MINUTES

    def __str__(self) -> str:
        sides = [f"{num:.1f} minutes of {side}" for side, num in self.minutes.items()]
        return f"{self.num_pairs} pairs, {', '.join(sides)}"


WARNING = (
    f"warning: that is less than {FEW_PAIRS} pairs or {FEW_MINUTES} minutes of a side: "
    "models that start from nothing will learn these sentences at best, and translate no "
    "others"
)


def main(argv: Sequence[str]) -> int:
    if len(argv) != 1:
        raise UserError("which data directory? for example data/train")
    amount = Amount.of(DataDir(Path(argv[0])))
    print(f"{argv[0]}: {amount}")
    if amount.is_little:
        print(WARNING)
    return 0


if __name__ == "__main__":
    sys.exit(script("amount", lambda: main(sys.argv[1:])))
