"""The answers of a batch as rows of one cache, which come and go; written in place.

All rows end at one column, so that a step writes the same columns of each. What lies before a
row's first column is hidden from it, as left padding is, and so are guesses that did not
hold. When a row leaves, the last row takes its place; rows that come are written behind the
others, to end at the same column.
"""

import inspect
from collections.abc import Sequence
from typing import Any, cast

import torch
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from s2st_interleave.decode.padding import left_padded
from s2st_interleave.llm.backbone import backbone
from s2st_interleave.llm.positions import max_positions

SPARE = 64  # columns ahead of the longest row, or a quarter of it


class Rows:
    """A model's answers in progress, `size` at most, and their keys and values."""

    def __init__(self, model: PreTrainedModel, size: int, pad: int):
        self.backbone, self.device = backbone(model), model.device
        self.size, self.pad = size, pad
        self.takes_positions = "position_ids" in _arguments(self.backbone)
        self.layers: list[_Layer] = []
        self.cache = Cache(layers=self.layers)  # pyrefly: ignore[bad-argument-type]
        self.starts: list[int] = []  # the first column of each row
        self.live = torch.zeros((size, 0), dtype=torch.bool)  # has a row a token there?
        self.most = max_positions(model.config)
        self.end = 0  # the column that a step writes
        self.columns = 0  # columns that there is memory for

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def start(self) -> int:
        return min(self.starts, default=self.end)

    @torch.inference_mode()
    def come(self, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
        """Read prompts into new rows.

        Returns the last hidden states behind them, (num_prompts, width).
        """
        ids, mask = (each.to(self.device) for each in left_padded(prompts, self.pad))
        read = DynamicCache()
        places = (mask.cumsum(1) - 1).clamp(min=0)
        hidden = self._forward(ids, mask, places, read)[:, -1]
        self._make_room(ids.shape[1])
        news = [(layer.keys, layer.values) for layer in cast(list[Any], read.layers)]
        if not self.layers:
            self.layers += [_Layer(self, *new) for new in news]
        behind = slice(len(self), len(self) + len(prompts))
        columns = slice(self.end - ids.shape[1], self.end)
        for layer, new in zip(self.layers, news, strict=True):
            layer.put(behind, columns, new)
        self.live[behind] = False
        self.live[behind, columns] = mask.bool()
        self.starts += [self.end - len(prompt) for prompt in prompts]
        return hidden

    @torch.inference_mode()
    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Read one more token of each row, int64 (num_rows,).

        Returns the last hidden states behind them, (num_rows, width).
        """
        return self.read(tokens[:, None])[:, 0]

    @torch.inference_mode()
    def read(self, tokens: torch.Tensor) -> torch.Tensor:
        """Read some more tokens of each row, int64 (num_rows, num_tokens).

        Returns the last hidden states behind each, (num_rows, num_tokens, width). A guess
        may lie behind the model's last position: it is read as if at that one.
        """
        num = tokens.shape[1]
        self._make_room(0, num)
        self.live[: len(self), self.end : self.end + num] = True
        mask = self.live[: len(self), self.start : self.end + num].long()
        places = mask.cumsum(1)[:, -num:] - 1
        if num > 1 and self.most is not None:
            places = places.clamp(max=self.most - 1)
        hidden = self._forward(tokens, mask, places, self.cache)
        self.end += num
        return hidden

    @torch.inference_mode()
    def keep(self, kept: Sequence[int], num: int) -> None:
        """Of the `num` tokens that each row has just read, hide all but its first `kept`."""
        counts = torch.tensor(kept, device=self.device)[:, None]
        columns = slice(self.end - num, self.end)
        self.live[: len(self), columns] = torch.arange(num, device=self.device) < counts
        self.end -= num - max(kept)

    @torch.inference_mode()
    def leave(self, rows: Sequence[int]) -> list[int]:
        """Take `rows` out; returns the former places of those that stay, in their order."""
        stay = list(range(len(self)))
        for row in sorted(rows, reverse=True):
            last = stay.pop()
            if row < len(stay):
                stay[row] = last
        moved = [(row, former) for row, former in enumerate(stay) if row != former]
        if moved:  # a list would be copied to the device for each layer
            to, former = torch.tensor(moved, device=self.device).T
            columns = slice(self.start, self.end)
            for layer in self.layers:
                layer.put(to, columns, layer.get(former, columns))
            self.live[to] = self.live[former]
        self.starts = [self.starts[row] for row in stay]
        return stay

    def _forward(
        self, ids: torch.Tensor, mask: torch.Tensor, places: torch.Tensor, cache: Cache
    ) -> torch.Tensor:
        more = {"position_ids": places} if self.takes_positions else {}
        output = self.backbone(
            input_ids=ids,
            attention_mask=mask,
            past_key_values=cache,
            use_cache=True,
            **more,
        )
        return output.last_hidden_state

    def _make_room(self, before: int, behind: int = 0) -> None:
        """Make sure of so many columns in front of the end, and behind it."""
        if before <= self.end and self.end + behind <= self.columns:
            return
        length, end = self.end - self.start, max(self.end - self.start, before)
        self.columns = max(self.columns, end + max(SPARE, end // 4, behind))
        rows, filled = slice(len(self)), slice(self.start, self.end)
        for layer in self.layers:
            both = layer.get(rows, filled)
            layer.allocate(*both)
            layer.put(rows, slice(end - length, end), both)
        live = torch.zeros(
            (self.size, self.columns), dtype=torch.bool, device=self.device
        )
        live[rows, end - length : end] = self.live[rows, filled]
        self.live = live
        self.starts = [start + end - self.end for start in self.starts]
        self.end = end


class _Layer(DynamicLayer):
    """Keys and values (size, heads, columns, width) of one layer of the model."""

    def __init__(self, rows: Rows, keys: torch.Tensor, values: torch.Tensor):
        super().__init__()
        self.rows = rows
        self.allocate(keys, values)
        self.is_initialized = True

    def allocate(self, *like: torch.Tensor) -> None:
        """Take memory for tensors like these; zeros, as hidden columns must hold no NaN."""
        size, columns = self.rows.size, self.rows.columns
        self.both = tuple(
            each.new_zeros(size, each.shape[1], columns, each.shape[3]) for each in like
        )

    def get(self, rows: Any, columns: slice) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of some rows, by a slice or a tensor of places."""
        keys, values = self.both
        return keys[rows, :, columns], values[rows, :, columns]

    def put(self, rows: Any, columns: slice, new: Sequence[torch.Tensor]) -> None:
        for each, part in zip(self.both, new, strict=True):
            each[rows, :, columns] = part

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write a step's columns; return all columns that a row needs."""
        rows, end = slice(len(self.rows)), self.rows.end + key_states.shape[2]
        self.put(rows, slice(self.rows.end, end), (key_states, value_states))
        return self.get(rows, slice(self.rows.start, end))

    def get_seq_length(self) -> int:
        return self.rows.end - self.rows.start


def holds(model: PreTrainedModel, *, hidden: bool = False) -> bool:
    """Whether a model remembers keys and values of attention and nothing else.

    With `hidden` columns between tokens it must be told positions, and see all columns:
    those count in a window.
    """
    if model._is_stateful or not cast(Any, model)._supports_default_dynamic_cache():
        return False
    known = (DynamicLayer,) if hidden else (DynamicLayer, DynamicSlidingWindowLayer)
    takes = {"input_ids", "attention_mask", "past_key_values", "use_cache"}
    takes |= {"position_ids"} if hidden else set()
    layers = DynamicCache(config=model.config).layers
    return takes <= _arguments(backbone(model)) and all(
        type(layer) in known for layer in layers
    )


def _arguments(module: torch.nn.Module) -> set[str]:
    return set(inspect.signature(module.forward).parameters)
