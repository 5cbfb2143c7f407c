"""The grammar of answers: text in text blocks, units in speech blocks, each with an end."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import torch

from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.vocabulary import Vocabulary

MOST_UNITS = 1 << 31  # without a limit; positions of an LLM are fewer


@dataclass(frozen=True)
class Limits:
    """The longest blocks of an answer, and beams; a block that reaches its limit is closed."""

    max_text_tokens: int = 100
    max_unit_ratio: float = 3.0  # units of an answer, to units that are given
    max_units_per_token: float = 40.0  # units of an answer, where only text is given
    min_max_units: int = 100  # no speech block has a lower limit
    num_beams: int = 1

    def max_units(self, num_units: int, num_text: int) -> int:
        """Units of an answer's speech block, where so much is given."""
        most = self.max_unit_ratio * num_units
        if not num_units:
            most = self.max_units_per_token * num_text
        return max(self.min_max_units, int(min(most, MOST_UNITS)))


@dataclass(frozen=True)
class Place:
    """Where answers have got to; tensors of shape (num_answers,).

    `block` is the index of the block that is being written, `length` the number of its
    tokens so far, `max_units` the limit of a speech block.
    """

    block: torch.Tensor
    length: torch.Tensor
    max_units: torch.Tensor

    def __getitem__(self, rows: torch.Tensor) -> "Place":
        return Place(self.block[rows], self.length[rows], self.max_units[rows])

    def __add__(self, more: "Place") -> "Place":
        pairs = zip(astuple(self), astuple(more), strict=True)
        return Place(*(torch.cat(pair) for pair in pairs))


@dataclass(frozen=True)
class Next:
    """What the next tokens may be; tensors of shape (num_answers,).

    An answer goes on with text or else with a unit, unless it is `full`; it may end its
    block with the token `end` where it has `begun` it.
    """

    is_text: torch.Tensor
    end: torch.Tensor
    begun: torch.Tensor
    full: torch.Tensor


@dataclass(frozen=True)
class Grammar:
    """The last wanted block ends with <eos>, the others with <sep>; none is empty."""

    vocabulary: Vocabulary
    layout: Layout
    limits: Limits

    def start(self, max_units: Sequence[int], device: torch.device) -> Place:
        """The place of answers without a token."""
        most = torch.tensor(max_units, dtype=torch.int64, device=device)
        return Place(torch.zeros_like(most), torch.zeros_like(most), most)

    def place(self, answers: torch.Tensor, max_units: torch.Tensor) -> Place:
        """The place behind int64 `answers` (num_answers, num_tokens) that have not ended."""
        seps = answers == self.vocabulary.sep
        positions = torch.arange(1, answers.shape[1] + 1, device=answers.device)
        block = seps.sum(dim=1).clamp(max=len(self.layout.wanted) - 1)
        length = torch.full_like(block, answers.shape[1])
        if answers.shape[1]:
            length -= (seps * positions).amax(dim=1)
        return Place(block, length, max_units)

    def after(self, place: Place, tokens: torch.Tensor) -> Place:
        """The place behind one more token of each answer, <eos> aside."""
        ends = tokens == self.vocabulary.sep
        length = (place.length + 1).masked_fill(ends, 0)
        return Place(place.block + ends, length, place.max_units)

    def next(self, place: Place) -> Next:
        """What may come at a place."""
        wanted, device = self.layout.wanted, place.block.device
        texts = torch.tensor([block.kind == "text" for block in wanted], device=device)
        is_text = texts[place.block]
        is_last = place.block == len(wanted) - 1
        limit = place.max_units.masked_fill(is_text, self.limits.max_text_tokens)
        sep, eos = self.vocabulary.sep, self.vocabulary.eos
        end = torch.full_like(place.block, sep).masked_fill(is_last, eos)
        return Next(is_text, end, place.length > 0, place.length >= limit)

    def forbid(self, scores: torch.Tensor, place: Place) -> torch.Tensor:
        """Put -inf into `scores` (num_answers, vocabulary) where a token may not come."""
        vocabulary, rule = self.vocabulary, self.next(place)
        allowed = torch.zeros_like(scores, dtype=torch.bool)
        allowed[:, : vocabulary.num_text] = rule.is_text[:, None]
        allowed[:, vocabulary.offset :] = ~rule.is_text[:, None]
        allowed &= ~rule.full[:, None]
        allowed[:, [vocabulary.bos, vocabulary.eos]] = False
        allowed.scatter_(1, rule.end[:, None], rule.begun[:, None])
        return scores.masked_fill(~allowed, float("-inf"))
