"""The dump: units, words and their unit spans, memory-mapped, without any text ratio.

The ratio is applied when a batch is built, so that a new schedule costs no disk. Each side
(src and tgt, or other roles) has `<side>.units.npy`, int32 (total units,), and
`<side>.spans.npy`, int32 (total words, 2). `utterances.jsonl` has a line an utterance: its
id, its words, and the places of its units and spans in those arrays. `vocab.json` has the
number of units, a unit's seconds and the version of this format. `too_long` exists where an
LLM has no positions for some utterances of dev or test; these are in no other file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.data.kaldi import read_table, write_table
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write, read_json, read_json_lines, write_json
from s2st_interleave.interleave.segments import Side, segment_units
from s2st_interleave.weights import reading

VERSION = 1
TOO_LONG = "too_long"


@dataclass(frozen=True)
class Utterance:
    """The units and words of each side, by its role, such as src and tgt."""

    id: str
    sides: Mapping[str, Side]
    pair: str = ""  # the language pair, in the prompt of a model that serves several


@dataclass(frozen=True)
class UnitVocabulary:
    """The number of units and a unit's seconds, which the codebook alone decides."""

    num_units: int
    unit_sec: float


def write(
    directory: Path,
    utterances: list[Utterance],
    vocabulary: UnitVocabulary,
    too_long: Mapping[str, str] | None = None,
) -> None:
    """Write all utterances, sorted by id; all must have the same sides, in one order.

    `too_long`: reasons, by id, why other utterances are left out that scores must count.
    Raises UserError for units outside the vocabulary and spans that do not fit them.
    """
    utterances = sorted(utterances, key=lambda utterance: utterance.id)
    roles = tuple(utterances[0].sides) if utterances else ()
    for utterance in utterances:
        for name in roles:
            where = f"utterance {utterance.id}, {name}"
            _check(where, utterance.sides[name], vocabulary.num_units)
    for name in roles:
        sides = [utterance.sides[name] for utterance in utterances]
        units = [side.units for side in sides]
        spans = [side.spans.reshape(-1, 2) for side in sides]
        _write_array(directory / f"{name}.units.npy", np.concatenate(units))
        _write_array(directory / f"{name}.spans.npy", np.concatenate(spans))
    with atomic_write(directory / "utterances.jsonl") as stream:
        ends = dict.fromkeys(roles, (0, 0))
        for utterance in utterances:
            line: dict[str, object] = {"id": utterance.id}
            for name in roles:
                side = utterance.sides[name]
                unit, word = ends[name]
                ends[name] = unit + len(side.units), word + len(side.words)
                line[name] = {
                    "units": [unit, ends[name][0]],
                    "first_word": word,
                    "words": side.words,
                }
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    (directory / TOO_LONG).unlink(missing_ok=True)
    if too_long:
        write_table(directory / TOO_LONG, too_long)
    facts = {"num_units": vocabulary.num_units, "unit_sec": vocabulary.unit_sec}
    write_json(directory / "vocab.json", facts | {"version": VERSION})


def _write_array(path: Path, array: np.ndarray) -> None:
    with atomic_write(path, "wb") as stream:
        np.save(stream, array.astype(np.int32))


def _read_array(path: Path) -> np.ndarray:
    with reading(path, "rerun stage 5"):
        return np.load(path, mmap_mode="r")


def _check(where: str, side: Side, num_units: int) -> None:
    if not len(side.units) or not side.words:
        raise UserError(f"{where}: no units or no words")
    if side.units.min() < 0 or side.units.max() >= num_units:
        raise UserError(f"{where}: units outside 0..{num_units - 1}")
    if len(side.spans) != len(side.words):
        raise UserError(f"{where}: {len(side.words)} words, {len(side.spans)} spans")
    try:
        segment_units(len(side.units), side.spans)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


class Dump:
    """A dump opened for reading: a sequence of Utterance, sorted by id.

    `too_long`: reasons, by id, why utterances are left out; scores count them as missing.
    Raises UserError for a dump of another version or with a broken file.
    """

    def __init__(self, directory: Path, pair: str = ""):
        self.pair = pair
        facts = read_json(directory / "vocab.json")
        if facts["version"] != VERSION:
            raise UserError(
                f"{directory}: not a dump of version {VERSION}; rerun stage 5"
            )
        self.vocabulary = UnitVocabulary(facts["num_units"], facts["unit_sec"])
        self.too_long: dict[str, str] = {}
        if (directory / TOO_LONG).is_file():
            self.too_long = read_table(directory / TOO_LONG)
        self._index = read_json_lines(directory / "utterances.jsonl")
        self.sides = (
            tuple(k for k in self._index[0] if k != "id") if self._index else ()
        )
        self._arrays = {
            (name, kind): _read_array(directory / f"{name}.{kind}.npy")
            for name in self.sides
            for kind in ("units", "spans")
        }

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, index: int) -> Utterance:
        line = self._index[index]
        sides = {name: self._side(name, line[name]) for name in self.sides}
        return Utterance(line["id"], sides, self.pair)

    def _side(self, name: str, entry: Mapping[str, Any]) -> Side:
        first, last = entry["units"]
        word, words = entry["first_word"], tuple(entry["words"])
        return Side(
            units=self._arrays[name, "units"][first:last],
            words=words,
            spans=self._arrays[name, "spans"][word : word + len(words)],
        )


class Dumps:
    """Dumps of several language pairs as one sequence of Utterance.

    Its sides are those that all dumps have. Raises UserError where the units are of
    different codebooks, or where there is no utterance.
    """

    def __init__(self, dumps: Sequence[Dump]):
        self.vocabulary = dumps[0].vocabulary
        if any(dump.vocabulary != self.vocabulary for dump in dumps):
            raise UserError("the dumps hold units of different codebooks")
        self.sides = tuple(
            side for side in dumps[0].sides if all(side in d.sides for d in dumps)
        )
        if not any(map(len, dumps)):
            raise UserError("the dumps hold no utterance; stage 5 says what it dropped")
        self._dumps = dumps
        self._ends = np.cumsum([len(dump) for dump in dumps])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Utterance:
        which = int(np.searchsorted(self._ends, index, side="right"))
        if which == len(self._dumps):
            raise IndexError(index)
        dump = self._dumps[which]
        return dump[index - int(self._ends[which]) + len(dump)]


class Subset:
    """`size` utterances of dumps, always the same; a larger subset contains them all.

    Raises UserError where the dumps hold fewer.
    """

    def __init__(self, dumps: Dumps, size: int):
        if size > len(dumps):
            raise UserError(f"--num_utterances {size}: the dumps hold {len(dumps)}")
        ids = [dumps[index].id for index in range(len(dumps))]
        chosen = keyed.draw(ids, size)
        self.vocabulary, self.sides = dumps.vocabulary, dumps.sides
        self._dumps = dumps
        self._indices = [index for index, name in enumerate(ids) if name in chosen]

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Utterance:
        return self._dumps[self._indices[index]]
