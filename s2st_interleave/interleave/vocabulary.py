"""Token ids: the LLM's own text, a few marks, then the units (paper Sec. 3.1)."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Vocabulary:
    """Ids are a function of the text vocabulary's size and the number of units alone.

    Never of the training data: no unit can be unknown. Unit k never passes through
    tokenizer text.
    """

    num_text: int  # of the LLM as it comes, its own special tokens included
    num_units: int
    bos: int
    eos: int

    @property
    def sep(self) -> int:
        return self.num_text

    @property
    def mask(self) -> int:
        return self.num_text + 1

    @property
    def pad(self) -> int:
        return self.num_text + 2

    @property
    def offset(self) -> int:
        return self.num_text + 3

    @property
    def size(self) -> int:
        return self.offset + self.num_units

    def unit_ids(self, units: np.ndarray) -> list[int]:
        return (np.asarray(units, dtype=np.int64) + self.offset).tolist()

    def units(self, ids: list[int]) -> np.ndarray:
        """The int32 units of token ids that are all units."""
        return np.array(ids, dtype=np.int32) - self.offset
