"""What another decode has answered already.

test has the answers about test1k; the last checkpoint has those of the best one where the
two are the same.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from s2st_interleave import promises, record, record_file
from s2st_interleave.facts import DecodeFacts, TrainFacts
from s2st_interleave.interleave.dump import Dump, Utterance
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.promises import DONE, OPEN
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages.dumps import pair_prompt
from s2st_interleave.stages.train import trained_task

if TYPE_CHECKING:
    from s2st_interleave.stages.decode import Options

Given = dict[str, np.ndarray | str]


def finished(directory: Path | None) -> dict[str, Any] | None:
    """The record of a stage's directory from which may be copied; None where there is none.

    One that is no longer whole is named, and left alone: what it had is made again.
    """
    if directory is None or not (directory / DONE).is_file():
        return None
    done = record_file.read(directory / DONE)
    if lost := promises.broken(directory, done, reads=True):
        print(f"{done['stage']}: {directory} is no longer whole, not copied: {lost}")
        return None
    return done


def answered(options: "Options") -> Path | None:
    """The first of `options.part_of` and `same_as` that holds the answers asked for."""
    others = (options.part_of, options.same_as)
    return next((other for other in others if _is_answered(options, other)), None)


def _is_answered(options: "Options", other: Path | None) -> bool:
    """Whether the decode `other` is of the same checkpoint, options and questions."""
    done = finished(other)
    if other is None or done is None:
        return False
    inputs = {
        "train": Input(options.train_dir, "train"),
        "dump": Input(options.dump_dir, "dump"),
    }
    now = record.of("decode", options, inputs)
    checkpoint = TrainFacts.read(options.train_dir).checkpoint(options.checkpoint)
    if DecodeFacts.of(done, other).checkpoint != checkpoint:
        return False
    # "last" and "best" may name one checkpoint.
    if now["options"] | {"checkpoint": ""} != done["options"] | {"checkpoint": ""}:
        return False
    if done["inputs"]["train"] != now["inputs"]["train"]:
        return False
    if done["inputs"]["dump"] == now["inputs"]["dump"]:
        return True
    dump_dir = Path(done["paths"]["dump_dir"])
    if finished(dump_dir) is None:
        return False
    if Input(dump_dir, "dump").fingerprint() != done["inputs"]["dump"]:
        return False  # it was made anew since
    if pair_prompt(dump_dir) != pair_prompt(options.dump_dir):
        return False
    layout = trained_task(options.train_dir, options.task).layout
    there, here = Dump(dump_dir), Dump(options.dump_dir)
    more, less = questions(there, layout), questions(here, layout)
    same = (name in more and _same(less[name], more[name]) for name in less)
    return here.too_long.keys() <= there.too_long.keys() and all(same)


def earlier_input(out_dir: Path) -> dict[str, str]:
    """The input `part_of` of a directory that an earlier version made: it counted there.

    Answers that are copied are those that the checkpoint would write: train and dump are
    all that they follow from.
    """
    places = (out_dir / name for name in (DONE, OPEN))
    before = next(
        (record_file.read(place) for place in places if place.is_file()), None
    )
    inputs = before["inputs"] if before else {}
    return {"part_of": inputs["part_of"]} if "part_of" in inputs else {}


def _same(one: Given, other: Given) -> bool:
    return all(np.array_equal(given, other[block]) for block, given in one.items())


def questions(dump: Dump, layout: Layout) -> dict[str, Given]:
    """The given blocks of each utterance of a dump, by its id."""
    utterances = (dump[index] for index in range(len(dump)))
    return {each.id: given(each, layout) for each in utterances}


def given(utterance: Utterance, layout: Layout) -> Given:
    """The given blocks of an utterance: int32 units of speech, or a text, by block name."""
    sides = utterance.sides
    return {
        block.name: sides[block.side].text
        if block.kind == "text"
        else sides[block.side].units
        for block in layout.given
    }
