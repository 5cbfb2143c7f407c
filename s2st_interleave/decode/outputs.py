"""The files of stage 7: `text.<side>` and `units.<side>.{ark,scp}` of each wanted block."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave.data.kaldi import read_table, write_table
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write, read_json_lines
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.units import store

# Names by which versions wrote them that knew no sides; such decodes are still read.
OLD_NAMES = {"text.src": "transcript", "text.tgt": "translation", "units.tgt": "units"}


@dataclass(frozen=True)
class Answer:
    """The answer about one utterance, by block; empty where the LLM stopped early.

    `cut` names the blocks that ended at their limit. Only those who have just written an
    answer, or a part of a split, know it.
    """

    texts: Mapping[str, str]
    units: Mapping[str, np.ndarray]  # int32 (num_units,)
    cut: tuple[str, ...] = ()


def empty_answer(layout: Layout) -> Answer:
    """The answer about an utterance that the LLM could not be asked about."""
    return Answer(
        {block.name: "" for block in layout.wanted if block.kind == "text"},
        {
            block.name: np.zeros(0, np.int32)
            for block in layout.wanted
            if block.kind == "speech"
        },
    )


def write_answers(
    directory: Path, answers: Mapping[str, Answer], layout: Layout
) -> None:
    """Write one line an utterance into each file, also where an answer is empty."""
    for block in layout.wanted:
        if block.kind == "text":
            texts = {name: answer.texts[block.name] for name, answer in answers.items()}
            write_table(directory / f"text.{block.side}", texts)
        else:
            units = {name: answer.units[block.name] for name, answer in answers.items()}
            store.write_units(directory / f"units.{block.side}", units)


def read_answers(directory: Path, layout: Layout) -> dict[str, Answer]:
    """What `write_answers` wrote, by utterance id."""
    texts, units = {}, {}
    for block in layout.wanted:
        if block.kind == "text":
            texts[block.name] = read_texts(directory, block.side)
        else:
            units[block.name] = store.read_units(units_stem(directory, block.side))
    ids = next(iter((texts | units).values()))
    return {
        name: Answer(
            {block: table[name] for block, table in texts.items()},
            {block: table[name] for block, table in units.items()},
        )
        for name in ids
    }


def write_part(path: Path, answers: Mapping[str, Answer]) -> None:
    """Write the answers about a part of a split: a line of JSON each, in their order."""
    with atomic_write(path) as stream:
        for name, answer in answers.items():
            units = {block: each.tolist() for block, each in answer.units.items()}
            cut = {"cut": list(answer.cut)} if answer.cut else {}
            line = {"id": name, "texts": dict(answer.texts), "units": units, **cut}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_part(path: Path) -> dict[str, Answer]:
    """What `write_part` wrote, by utterance id."""
    answers = {}
    for line in read_json_lines(path):
        try:
            units = {k: np.array(v, dtype=np.int32) for k, v in line["units"].items()}
        except (AttributeError, TypeError, ValueError, OverflowError):
            raise UserError(
                f"{path}: the units of {line['id']} are no numbers"
            ) from None
        if not isinstance(line["id"], str):
            raise UserError(f"{path}: {line['id']!r} is no utterance id")
        answers[line["id"]] = Answer(line["texts"], units, tuple(line.get("cut", ())))
    return answers


def read_texts(directory: Path, side: str) -> dict[str, str]:
    """Texts that the LLM wrote for a side, by utterance id."""
    path = directory / f"text.{side}"
    if not path.is_file() and path.name in OLD_NAMES:
        path = directory / OLD_NAMES[path.name]
    return read_table(path)


def units_stem(directory: Path, side: str) -> Path:
    """`units.<side>` of a decode, without the ending of its two files."""
    stem = directory / f"units.{side}"
    if not stem.with_name(f"{stem.name}.scp").is_file() and stem.name in OLD_NAMES:
        return directory / OLD_NAMES[stem.name]
    return stem
