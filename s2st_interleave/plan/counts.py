"""Counts tokens and batch shapes of a training by drawing the examples it would draw."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from s2st_interleave.progress import progress
from s2st_interleave.train.batches import batch_at

if TYPE_CHECKING:
    from s2st_interleave.train.examples import InterleavedExample
    from s2st_interleave.train.interleaved import Batch, InterleavedTask

MAX_PHASES = (
    20  # with more text ratios, those of a smooth schedule are rounded to tenths
)


@dataclass(frozen=True)
class MicroBatch:
    """Shape of a batch that goes through the model at once, with padding."""

    rows: int
    length: int
    targets: int  # positions that have a loss, and hence logits


@dataclass(frozen=True)
class Step:
    """An optimizer step."""

    step: int
    ratios: tuple[float, ...]  # the text ratio of each side
    lengths: tuple[int, ...]  # tokens of each example, second view, lesson
    micro: tuple[MicroBatch, ...]

    @property
    def tokens(self) -> int:
        """Tokens without padding, as in metrics.jsonl."""
        return sum(self.lengths)


@dataclass(frozen=True)
class Phase:
    """Consecutive steps with the same text ratios; `padded` are tokens with padding."""

    text_ratio: float  # of the side with most text
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
            ratios=tuple(task.interleaving.ratios(number).values()),
            lengths=tuple(
                count for b in batches for d in b.examples for count in _read(d)
            ),
            micro=tuple(_size(batch) for batch in batches),
        )


def _read(example: "InterleavedExample") -> list[int]:
    """Tokens of all that is read of an example.

    A teacher only reads; that its lesson counts as one that is learned makes a plan longer
    by some hundredths.
    """
    lessons = [example.lesson.ids] if example.lesson else []
    return [*(len(view.ids) for view in example.views), *map(len, lessons)]


def _size(batch: "Batch") -> MicroBatch:
    rows, columns = batch.input_ids.shape
    return MicroBatch(rows, columns, batch.num_targets)


def phases(steps: Sequence[Step]) -> list[Phase]:
    """Group steps into phases in which no side's text ratio changes."""
    digits = 9 if len({step.ratios for step in steps}) <= MAX_PHASES else 1
    grouped: list[Phase] = []
    before = None
    for step in steps:
        ratios = tuple(round(ratio, digits) for ratio in step.ratios)
        if ratios != before:
            grouped.append(Phase(max(ratios, default=0.0), step.step, 0, 0, 0))
        before = ratios
        last = grouped[-1]
        grouped[-1] = replace(
            last,
            num_steps=last.num_steps + 1,
            tokens=last.tokens + step.tokens,
            padded=last.padded + sum(m.rows * m.length for m in step.micro),
        )
    return grouped


def tokens_per_epoch(
    task: "InterleavedTask", phase: Phase, max_utterances: int = 0
) -> tuple[int, bool]:
    """Tokens of one pass over the data at a phase's ratio, and whether they are exact.

    Each utterance is drawn for its step in the epoch in which the phase starts. Of a larger
    corpus only the first `max_utterances` (0: no limit) of the shuffled epoch are drawn,
    and the count is scaled.
    """
    from s2st_interleave.train.collation import tokens_seen

    count, size = len(task.train), task.batch_size
    start = phase.first_step * size // count * count
    drawn = min(count, max_utterances or count)
    tokens, ratios = 0, task.interleaving.ratios(phase.first_step)
    for step, index in _turns(task, range(start, start + drawn)):
        utterance, rule = task.train[index], task.interleaving
        (example,) = task.draw_views([utterance], ratios, step, rule)
        tokens += tokens_seen(example)
    return round(tokens * count / drawn), drawn == count


def _turns(
    task: "InterleavedTask", positions: Iterable[int]
) -> Iterator[tuple[int, int]]:
    """(step, index of the utterance) at `positions` of the endless stream of batches."""
    size, seen, batch = task.batch_size, -1, []
    for position in positions:
        step, place = divmod(position, size)
        if step != seen:
            seed = task.interleaving.seed
            batch = batch_at(range(len(task.train)), step, size, seed)
            seen = step
        yield step, batch[place]
