"""Units guessed ahead by the heads of a training, and kept where the LLM says the same.

An extension: the heads are those of multi-token prediction (arXiv 2510.10003,
`llm.unit_heads`). A step reads a unit and what the heads guess after it, and the LLM's own
choice at each of these places says how many guesses hold. The answer is the one that is
written unit by unit, up to rounding; there are fewer steps, each of which reads more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import torch

from s2st_interleave.decode.candidates import Candidates
from s2st_interleave.decode.grammar import Grammar, Place
from s2st_interleave.decode.rows import Rows
from s2st_interleave.llm.model import SpeechLlm
from s2st_interleave.llm.unit_heads import UnitHeads, unit_logits


@dataclass
class Drafts:
    """Guesses of `num` units a step, and how many held so far."""

    llm: SpeechLlm
    heads: UnitHeads
    num_steps: int = 0  # in which a unit was followed by guesses, by answer
    num_held: int = 0

    @property
    def num(self) -> int:
        return self.heads.num

    def __str__(self) -> str:
        share = self.num_held / max(1, self.num * self.num_steps)
        units = 1 + self.num_held / max(1, self.num_steps)
        return f"{units:.2f} units a step, {share:.0%} of the guesses held"

    @torch.inference_mode()
    def guess(self, hidden: torch.Tensor) -> torch.Tensor:
        """Tokens of the units after the next one, int64 (num_rows, num).

        `hidden` (num_rows, width) are the states that have predicted the next one.
        """
        vocabulary = self.llm.vocabulary
        units = [
            unit_logits(self.llm.model, vocabulary, states).argmax(dim=1)
            for states in self.heads(hidden)
        ]
        return torch.stack(units, dim=1) + vocabulary.offset

    @torch.inference_mode()
    def step(
        self,
        rows: Rows,
        candidates: Candidates,
        grammar: Grammar,
        state: "State",
        tokens: torch.Tensor,
        room: Sequence[float],
    ) -> tuple["State", list[list[int]]]:
        """Read a token of each row, int64 (num_rows,), and the guesses after it.

        `state` has what predicted `tokens`, and the place after them; `room` is how many
        guesses each answer may keep. Returns the state after what is kept, and the kept
        tokens of each row.
        """
        is_unit = self.llm.vocabulary.is_unit(tokens)
        num_units = sum(is_unit.tolist())
        if not num_units:
            return State(rows.step(tokens), state.place), [[] for _ in room]
        guesses = self.guess(state.hidden)
        read = rows.read(torch.cat([tokens[:, None], guesses], dim=1))
        # What the LLM chooses after the token and after each guess but the last, if
        # those before it hold.
        places = [state.place]
        for guess in guesses.T[:-1]:
            places.append(grammar.after(places[-1], guess))
        rule = grammar.next(reduce(add, places))
        behind = read[:, :-1].transpose(0, 1).flatten(0, 1)
        chosen = candidates.best(behind, rule).view(self.num, -1).T
        held = (chosen == guesses) & is_unit[:, None]
        most = torch.tensor(room, device=tokens.device).clamp(max=self.num)
        num_held = held.cumprod(dim=1).sum(dim=1).minimum(most.long())
        counts = num_held.tolist()
        rows.keep([1 + count for count in counts], 1 + self.num)
        self.num_steps += num_units
        self.num_held += sum(counts)
        kept = [row[:n] for row, n in zip(guesses.tolist(), counts, strict=True)]
        place = replace(state.place, length=state.place.length + num_held)
        last = read[torch.arange(len(read), device=read.device), num_held]
        return State(last, place), kept


@dataclass(frozen=True)
class State:
    """Answers in progress: last hidden states (num_rows, width), and places."""

    hidden: torch.Tensor
    place: Place
