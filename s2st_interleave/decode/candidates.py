"""The greedy choice of next tokens, by the part of the output layer that may come."""

import torch
from torch import nn

from s2st_interleave.decode.grammar import Next
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.backbone import logits, output_layer
from s2st_interleave.llm.model import SpeechLlm


class Candidates:
    """Text tokens, or units, with the marks that end a block.

    A step of speech needs no row of the output layer for text: of a text LLM's 128,000
    tokens and 2,048 units, 2 %.
    """

    def __init__(self, llm: SpeechLlm):
        self.llm, vocabulary = llm, llm.vocabulary
        units = [vocabulary.eos, vocabulary.sep]
        units += range(vocabulary.offset, vocabulary.size)
        self.text = _Part(llm, list(range(vocabulary.sep + 1)))
        self.units = _Part(llm, units)

    @torch.inference_mode()
    def best(self, hidden: torch.Tensor, rule: Next) -> torch.Tensor:
        """The best tokens, int64 (num_answers,), behind `hidden` (num_answers, width)."""
        tokens = rule.end.clone()
        for part, wants in ((self.text, rule.is_text), (self.units, ~rule.is_text)):
            rows = (wants & ~rule.full).nonzero()[:, 0]
            if len(rows):
                end = rule.end[rows].masked_fill(~rule.begun[rows], -1)
                tokens[rows] = part.best(self.llm, hidden[rows], end)
        return tokens


class _Part:
    """The tokens `ids`, in rising order."""

    def __init__(self, llm: SpeechLlm, ids: list[int]):
        self.ids = torch.tensor(ids, device=llm.model.device)
        self.layer = _rows_of(output_layer(llm.model), self.ids)
        self.columns = {token: column for column, token in enumerate(ids)}

    def best(
        self, llm: SpeechLlm, hidden: torch.Tensor, end: torch.Tensor
    ) -> torch.Tensor:
        """The best token of each row; of the marks only `end` may come."""
        scores = logits(llm.model, hidden, self.layer)
        if self.layer is None:
            scores = scores[:, self.ids]
        vocabulary: Vocabulary = llm.vocabulary
        for mark in (vocabulary.bos, vocabulary.eos, vocabulary.sep):
            if (column := self.columns.get(mark)) is not None:
                scores[:, column].masked_fill_(end != mark, float("-inf"))
        return self.ids[scores.argmax(dim=1)]


def _rows_of(layer: nn.Module, rows: torch.Tensor) -> nn.Linear | None:
    """Some rows of an output layer; None for a layer that is no plain product."""
    if type(layer) is not nn.Linear:
        return None
    part = nn.Linear(layer.in_features, len(rows), bias=False, device="meta")
    whole = rows[-1] - rows[0] + 1 == len(rows)  # neighbours need no copy
    at = slice(int(rows[0]), int(rows[-1]) + 1) if whole else rows
    part.weight = nn.Parameter(layer.weight.detach()[at], requires_grad=False)
    if layer.bias is not None:
        part.bias = nn.Parameter(layer.bias.detach()[at], requires_grad=False)
    return part
