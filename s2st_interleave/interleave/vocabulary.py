"""Token ids: the LLM's own text, a few marks, then the units (paper Sec. 3.1)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Vocabulary:
    """Ids depend on the text vocabulary's size and the number of units alone.

    They do not depend on training data, so that no unit can be unknown. Unit k never
    passes through tokenizer text.
    """

    num_text: int  # rows of the LLM before units are added, its special tokens included
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

    def is_unit(self, ids: "torch.Tensor") -> "torch.Tensor":
        """bool, in the shape of `ids`."""
        return ids >= self.offset

    def unit_ids(self, units: np.ndarray) -> list[int]:
        """Token ids of int units (num_units,)."""
        return (np.asarray(units, dtype=np.int64) + self.offset).tolist()

    def units(self, ids: list[int]) -> np.ndarray:
        """int32 units (num_units,) of token ids that all stand for units."""
        return np.array(ids, dtype=np.int32) - self.offset
