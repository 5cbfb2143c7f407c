"""Tokens and batch shapes of a training, by drawing the very examples it would draw."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from s2st_interleave.interleave.schedule import text_ratio
from s2st_interleave.progress import progress
from s2st_interleave.train.batches import batch_at

if TYPE_CHECKING:
    from s2st_interleave.train.interleaved import Batch, InterleavedTask

MAX_PHASES = 20  # a smooth schedule has a ratio a step: then steps are told by tenths


@dataclass(frozen=True)
class MicroBatch:
    """Shape of what goes through the model at once; padding counts, it is computed."""

    rows: int
    length: int
    targets: int  # positions that have a loss, and hence logits


@dataclass(frozen=True)
class Step:
    step: int
    text_ratio: float
    tokens: int  # without padding, as in metrics.jsonl
    micro: tuple[MicroBatch, ...]


@dataclass(frozen=True)
class Phase:
    """Steps in a row of one text ratio."""

    text_ratio: float
    first_step: int
    num_steps: int
    tokens: int
    padded: int


def draw_steps(task: "InterleavedTask", max_steps: int) -> Iterator[Step]:
    """Every step of the training, exactly; about half a millisecond an utterance."""
    for number in progress(range(max_steps), "plan: draws every batch"):
        batches = task.batches(number)
        yield Step(
            step=number,
            text_ratio=text_ratio(task.interleaving.schedule, number),
            tokens=sum(len(d.example.ids) for b in batches for d in b.examples),
            micro=tuple(_size(batch) for batch in batches),
        )


def _size(batch: "Batch") -> MicroBatch:
    rows, columns = batch.input_ids.shape
    return MicroBatch(rows, columns, batch.num_targets)


def phases(steps: Sequence[Step]) -> list[Phase]:
    digits = 9 if len({one.text_ratio for one in steps}) <= MAX_PHASES else 1
    found: list[Phase] = []
    for one in steps:
        ratio = round(one.text_ratio, digits)
        if not found or found[-1].text_ratio != ratio:
            found.append(Phase(ratio, one.step, 0, 0, 0))
        last = found[-1]
        found[-1] = replace(
            last,
            num_steps=last.num_steps + 1,
            tokens=last.tokens + one.tokens,
            padded=last.padded + sum(m.rows * m.length for m in one.micro),
        )
    return found


def tokens_per_epoch(
    task: "InterleavedTask", phase: Phase, max_utterances: int = 0
) -> tuple[int, bool]:
    """Tokens of one pass over the data at a phase's ratio, and whether they are exact.

    Each utterance is drawn for the step at which its turn comes in the epoch that the
    phase starts in. Above `max_utterances` (0: no limit) the first that many of the
    shuffled epoch stand for all.
    """
    from s2st_interleave.train.examples import draw_example

    count, size = len(task.train), task.batch_size
    start = phase.first_step * size // count * count
    drawn = min(count, max_utterances or count)
    tokens = 0
    for step, index in _turns(task, range(start, start + drawn)):
        utterance, ratio = task.train[index], phase.text_ratio
        drawn_example = draw_example(
            utterance, ratio, step, task.interleaving, task.llm
        )
        tokens += len(drawn_example.example.ids)
    return round(tokens * count / drawn), drawn == count


def _turns(
    task: "InterleavedTask", positions: Iterable[int]
) -> Iterator[tuple[int, int]]:
    """(step, index of the utterance) at places of the endless stream of batches."""
    size, seen, batch = task.batch_size, -1, []
    for position in positions:
        step, place = divmod(position, size)
        if step != seen:
            seed = task.interleaving.seed
            batch = batch_at(range(len(task.train)), step, size, seed)
            seen = step
        yield step, batch[place]
