"""A micro-batch of examples as tensors, padded on the right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from s2st_interleave.interleave.sequence import IGNORE, Example
from s2st_interleave.train.examples import InterleavedExample


@dataclass(frozen=True)
class Batch:
    """A micro-batch: int64 tensors (num_rows, longest), padded on the right.

    A row is an example; those with a second view have that in a row further down.
    `targets` (num_targets,) are the labels that have a loss, and `places` (num_targets,)
    the positions whose states predict them, counted over all rows. `views` (2, num_texts)
    are the targets that the two views of the examples share, their texts, as indices into
    `targets`. `step_examples` are those of the whole step, over all ranks.

    `lesson_ids` and `lesson_mask` (num_lessons, longest) are what a teacher reads. Its states
    at `lesson_places` (num_taught,), counted over all lessons, predict what the model's
    predict of the targets with the indices `taught` (num_taught,).
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    labels: torch.Tensor
    places: torch.Tensor
    targets: torch.Tensor
    views: torch.Tensor
    lesson_ids: torch.Tensor
    lesson_mask: torch.Tensor
    lesson_places: torch.Tensor
    taught: torch.Tensor
    examples: Sequence[InterleavedExample]
    step_examples: Sequence[InterleavedExample] = ()

    @property
    def num_targets(self) -> int:
        return len(self.targets)


def length(example: InterleavedExample) -> int:
    """Tokens of an example, of its longer view where it has two."""
    return max(len(view.ids) for view in example.views)


def tokens_seen(example: InterleavedExample) -> int:
    """Tokens that the LLM sees of an example, in all of its views, and its teacher."""
    seen = sum(len(view.ids) for view in example.views)
    return seen + len(example.lesson.ids) if example.lesson else seen


def collate(
    examples: Sequence[InterleavedExample],
    pad: int,
    device: torch.device | str,
    step_examples: Sequence[InterleavedExample] = (),
) -> Batch:
    rows = [each.example for each in examples]
    rows += [each.second for each in examples if each.second]
    ids, mask = _padded([row.ids for row in rows], pad)
    labels, _ = _padded([row.labels for row in rows], IGNORE)
    # Found here and not on a GPU, which would be waited for.
    lines, columns = np.nonzero(labels[:, 1:] != IGNORE)
    arrays = {
        "input_ids": ids,
        "attention_mask": mask,
        "labels": labels,
        "places": lines * ids.shape[1] + columns,
        "targets": labels[lines, columns + 1],
        "views": _views(examples, rows),
        **_lessons(examples, _offsets(rows)),
    }
    return Batch(
        **{k: torch.from_numpy(v).to(device) for k, v in arrays.items()},
        examples=examples,
        step_examples=step_examples,
    )


def _padded(rows: Sequence[np.ndarray], pad: int) -> tuple[np.ndarray, np.ndarray]:
    """int64 (num_rows, longest) of rows, and 1 where they are longer than the padding."""
    padded = np.full((len(rows), max(map(len, rows), default=0)), pad)
    mask = np.zeros(padded.shape, dtype=np.int64)
    for row, values in enumerate(rows):
        padded[row, : len(values)], mask[row, : len(values)] = values, 1
    return padded, mask


def _lessons(
    examples: Sequence[InterleavedExample], shifts: Sequence[int]
) -> dict[str, np.ndarray]:
    """The fields of a batch for a teacher; `shifts` are the `_offsets` of the examples."""
    read = [each.lesson.ids for each in examples if each.lesson]
    ids, mask = _padded(read, 0)  # a teacher knows no mark for it
    places, taught = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for each, shift in zip(examples, shifts, strict=False):
        if (lesson := each.lesson) is None:
            continue
        start = (len(places) - 1) * ids.shape[1]
        last = np.arange(-lesson.num_taught, 0)
        places.append(start + len(lesson.ids) + last - 1)
        taught.append(each.example.blocks[lesson.block].stop + last + shift)
    return {
        "lesson_ids": ids,
        "lesson_mask": mask,
        "lesson_places": np.concatenate(places),
        "taught": np.concatenate(taught),
    }


def transcript_targets(examples: Sequence[InterleavedExample]) -> np.ndarray:
    """Indices of the transcripts' tokens among the targets of a batch of these examples."""
    shifts = _offsets([each.example for each in examples])
    indices = [
        np.arange(place.start, place.stop) + shift
        for each, shift in zip(examples, shifts, strict=True)
        for name in each.task.layout.transcripts
        for place in [each.example.blocks[name]]
    ]
    return np.concatenate([*indices, np.zeros(0, dtype=np.int64)])


def _views(
    examples: Sequence[InterleavedExample], rows: Sequence[Example]
) -> np.ndarray:
    """int64 (2, num_texts): where the targets of both views hold the same texts."""
    shifts = _offsets(rows)
    pairs: list[np.ndarray] = []
    seconds = len(examples)
    for first, each in enumerate(examples):
        if each.second is None:
            continue
        texts = [
            _text_targets(rows[row], each, shifts[row]) for row in (first, seconds)
        ]
        pairs.append(np.stack(texts))
        seconds += 1
    return np.concatenate(pairs, axis=1) if pairs else np.zeros((2, 0), dtype=np.int64)


def _offsets(rows: Sequence[Example]) -> list[int]:
    """For each row what, added to a learned position, is its index among the targets."""
    learned = [np.count_nonzero(row.labels != IGNORE) for row in rows]
    ends = np.cumsum(learned)
    return [int(end) - len(row.ids) for end, row in zip(ends, rows, strict=True)]


def _text_targets(row: Example, example: InterleavedExample, shift: int) -> np.ndarray:
    """Indices of a row's text tokens, and of the marks behind them, into the targets."""
    blocks = (b.name for b in example.task.layout.wanted if b.kind == "text")
    places = [row.blocks[name] for name in blocks]
    indices = [np.arange(p.start, p.stop + 1) + shift for p in places]
    return np.concatenate(indices) if indices else np.zeros(0, dtype=np.int64)
