"""A decode whose answers another one has already.

That is one of test1k beside test, and one of the best checkpoint where it is the last.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from s2st_interleave import record
from s2st_interleave.facts import DecodeFacts, TrainFacts
from s2st_interleave.files import read_json
from s2st_interleave.interleave.dump import Dump, Utterance
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.promises import DONE, OPEN
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages.dumps import pair_prompt
from s2st_interleave.stages.train import trained_task

if TYPE_CHECKING:
    from s2st_interleave.stages.decode import Options

Question = dict[str, np.ndarray | str]


def is_answered(options: "Options") -> bool:
    """Whether the decode `options.part_of` holds the answers that `options` asks for.

    It is finished, by the same checkpoint and options, and was asked the same questions.
    Raises FileNotFoundError where it is no longer whole.
    """
    other = options.part_of
    if other is None or not (other / DONE).is_file():
        return False
    Input(other, "decode").fingerprint()
    inputs = {
        "train": Input(options.train_dir, "train"),
        "dump": Input(options.dump_dir, "dump"),
    }
    now, done = record.of("decode", options, inputs), read_json(other / DONE)
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
    if not (dump_dir / DONE).is_file():
        return False
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
    before = next((read_json(place) for place in places if place.is_file()), None)
    inputs = before["inputs"] if before else {}
    return {"part_of": inputs["part_of"]} if "part_of" in inputs else {}


def _same(one: Question, other: Question) -> bool:
    return all(np.array_equal(given, other[block]) for block, given in one.items())


def questions(dump: Dump, layout: Layout) -> dict[str, Question]:
    """The given blocks of each utterance of a dump, by its id."""
    utterances = (dump[index] for index in range(len(dump)))
    return {each.id: given(each, layout) for each in utterances}


def given(utterance: Utterance, layout: Layout) -> Question:
    """The given blocks of an utterance: int32 units of speech, or a text, by block name."""
    sides = utterance.sides
    return {
        block.name: sides[block.side].text
        if block.kind == "text"
        else sides[block.side].units
        for block in layout.given
    }
