"""The files of stage 7: `text.<side>` and `units.<side>.{ark,scp}` of each wanted block."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from s2st_interleave.data.kaldi import read_table, write_table
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.units import store

if TYPE_CHECKING:
    from s2st_interleave.decode.generate import Answer

# Names by which versions wrote them that knew no sides; such decodes are still read.
OLD_NAMES = {"text.src": "transcript", "text.tgt": "translation", "units.tgt": "units"}


def write_answers(
    directory: Path, answers: Mapping[str, "Answer"], layout: Layout
) -> None:
    """Write one line an utterance into each file, also where an answer is empty."""
    for block in layout.wanted:
        if block.kind == "text":
            texts = {name: answer.texts[block.name] for name, answer in answers.items()}
            write_table(directory / f"text.{block.side}", texts)
        else:
            units = {name: answer.units[block.name] for name, answer in answers.items()}
            store.write_units(directory / f"units.{block.side}", units)


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
