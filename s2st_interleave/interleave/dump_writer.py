"""Writes a dump (see dump.py) utterance by utterance, which need not be in memory together."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from s2st_interleave.data.kaldi import write_table
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write, write_json
from s2st_interleave.interleave import dump_v1
from s2st_interleave.interleave.columns import array_writer
from s2st_interleave.interleave.segments import Side, check_spans
from s2st_interleave.interleave.utterance import UnitVocabulary, Utterance

VERSION = 2
TOO_LONG = "too_long"


def write(
    directory: Path,
    utterances: Iterable[Utterance],
    vocabulary: UnitVocabulary,
    too_long: Mapping[str, str] | None = None,
) -> None:
    """Write utterances that come sorted by id; all must have the same sides, in one order.

    `too_long`: reasons, by id, why other utterances are left out that scores must count.
    Raises UserError for units outside the vocabulary and spans that do not fit them.
    """
    with ExitStack() as stack:
        ids = _Lines(stack, directory, "ids")
        sides: dict[str, _SideWriter] = {}
        last = ""
        for utterance in utterances:
            if utterance.id <= last:
                raise ValueError(f"{utterance.id} comes after {last}")
            last = utterance.id
            for name in utterance.sides if not sides else ():
                sides[name] = _SideWriter(stack, directory, name)
            for name, writer in sides.items():
                where = f"utterance {utterance.id}, {name}"
                _check(where, utterance.sides[name], vocabulary.num_units)
                writer.append(where, utterance.sides[name])
            ids.append(utterance.id)
    (directory / dump_v1.INDEX).unlink(missing_ok=True)
    (directory / TOO_LONG).unlink(missing_ok=True)
    if too_long:
        write_table(directory / TOO_LONG, too_long)
    facts = {"num_units": vocabulary.num_units, "unit_sec": vocabulary.unit_sec}
    facts |= {"sides": list(sides), "version": VERSION}
    write_json(directory / "vocab.json", facts)


def _check(where: str, side: Side, num_units: int) -> None:
    if not len(side.units) or not side.words:
        raise UserError(f"{where}: no units or no words")
    if side.units.min() < 0 or side.units.max() >= num_units:
        raise UserError(f"{where}: units outside 0..{num_units - 1}")
    if len(side.spans) != len(side.words):
        raise UserError(f"{where}: {len(side.words)} words, {len(side.spans)} spans")
    try:
        check_spans(len(side.units), side.spans)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


class _Lines:
    """`<name>.txt` and, in `<name>.npy`, the byte at which each line begins."""

    def __init__(self, stack: ExitStack, directory: Path, name: str):
        self._text = stack.enter_context(atomic_write(directory / f"{name}.txt", "wb"))
        begins = array_writer(directory / f"{name}.npy", np.int64)
        self._begins = stack.enter_context(begins)
        self._num_bytes = 0
        self._begins.append(np.array([0]))

    def append(self, line: str) -> None:
        self._num_bytes += self._text.write(f"{line}\n".encode())
        self._begins.append(np.array([self._num_bytes]))


class _SideWriter:
    """The files of a side."""

    def __init__(self, stack: ExitStack, directory: Path, name: str):
        def array(kind: str, dtype: type[np.integer], width: int = 0):
            path = directory / f"{name}.{kind}.npy"
            return stack.enter_context(array_writer(path, dtype, width))

        words = atomic_write(directory / f"{name}.words.txt", "wb")
        self._words = stack.enter_context(words)
        self._units = array("units", np.int32)
        self._spans = array("spans", np.int32, 2)
        self._index = array("index", np.int64, 3)
        self._num_bytes = 0
        self._mark()

    def append(self, where: str, side: Side) -> None:
        line = "\t".join(side.words)
        if line.count("\t") != len(side.words) - 1 or "\n" in line:
            raise UserError(f"{where}: a word holds a tab or a line feed")
        self._num_bytes += self._words.write(f"{line}\n".encode())
        self._units.append(side.units)
        self._spans.append(side.spans)
        self._mark()

    def _mark(self) -> None:
        ends = (self._units.num_rows, self._spans.num_rows, self._num_bytes)
        self._index.append(np.array([ends]))
