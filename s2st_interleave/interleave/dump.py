"""The dump: units, words and their unit spans, memory-mapped, without any text ratio.

The ratio is applied when a batch is built, so that a new schedule costs no disk. Utterances
are sorted by id. `ids.txt` has an id a line; `ids.npy`, int64 (num_utterances + 1,), has
the byte at which each line begins, and the end. Each side (src and tgt, or other roles) has

    <side>.units.npy  int32 (total units,)
    <side>.spans.npy  int32 (total words, 2)
    <side>.words.txt  a line an utterance: its words, with a tab between any two
    <side>.index.npy  int64 (num_utterances + 1, 3): an utterance's first unit, its first
                      word, and the byte at which its words begin; the last row is the end

`vocab.json` has the number of units, a unit's seconds, the sides and the version of this
format. `too_long` exists where an LLM has no positions for some utterances of dev or test;
these are in no other file. Version 1 had `utterances.jsonl` in place of texts and indices;
it is still read. A dump is opened at once, whatever its size: nothing is read before it is
asked for.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.data.kaldi import read_table
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.interleave import dump_v1
from s2st_interleave.interleave.columns import REMEDY, read_array, read_bytes
from s2st_interleave.interleave.dump_writer import TOO_LONG, VERSION
from s2st_interleave.interleave.dump_writer import write as write
from s2st_interleave.interleave.segments import Side
from s2st_interleave.interleave.utterance import UnitVocabulary, Utterance

UNIT, WORD, BYTE = range(3)  # columns of an index


class Dump:
    """A dump opened for reading: a sequence of Utterance, sorted by id.

    `too_long`: reasons, by id, why utterances are left out; scores count them as missing.
    Raises UserError for a dump of another version or with a broken file.
    """

    def __init__(self, directory: Path, pair: str = ""):
        self.pair = pair
        self.directory = directory
        facts = read_json(directory / "vocab.json")
        if facts["version"] not in (1, VERSION):
            raise UserError(
                f"{directory}: a dump of version {facts['version']}, not of {VERSION}; "
                "rerun stage 5"
            )
        self.vocabulary = UnitVocabulary(facts["num_units"], facts["unit_sec"])
        self.too_long: dict[str, str] = {}
        if (directory / TOO_LONG).is_file():
            self.too_long = read_table(directory / TOO_LONG)
        if facts["version"] == 1:
            index = dump_v1.read_index(directory)
        else:
            index = _read_index(directory, facts["sides"])
        self.sides = tuple(index.rows)
        self._index = index
        self._units, self._spans = {}, {}
        for name in self.sides:
            units = read_array(directory / f"{name}.units.npy", np.int32)
            spans = read_array(directory / f"{name}.spans.npy", np.int32, 2)
            ends = (len(units), len(spans), len(index.words[name]))
            rows = index.rows[name]
            if len(rows) != len(index.id_ends) or tuple(rows[-1]) != ends:
                raise UserError(
                    f"{directory}: the files of {name} do not fit together; {REMEDY}"
                )
            self._units[name], self._spans[name] = units, spans

    def __reduce__(self) -> tuple[object, ...]:
        return Dump, (self.directory, self.pair)  # opened anew, for other processes

    def __len__(self) -> int:
        return len(self._index.id_ends) - 1

    def __getitem__(self, index: int) -> Utterance:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        start, end = self._index.id_ends[index : index + 2].tolist()
        try:
            sides = {name: self._side(name, index) for name in self.sides}
            name = self._index.ids[start : end - 1].decode()
        except UnicodeDecodeError:
            raise self._broken() from None
        return Utterance(name, sides, self.pair)

    def _broken(self) -> UserError:
        return UserError(f"{self.directory}: its texts are broken; {REMEDY}")

    def _side(self, name: str, index: int) -> Side:
        first, last = self._index.rows[name][index : index + 2].tolist()
        words = self._index.words[name][first[BYTE] : last[BYTE] - 1].decode()
        return Side(
            units=self._units[name][first[UNIT] : last[UNIT]],
            words=tuple(words.split("\t")),
            spans=self._spans[name][first[WORD] : last[WORD]],
        )

    @property
    def ids(self) -> list[str]:
        """The ids of all utterances, read now."""
        try:
            return self._index.ids[:].decode().split("\n")[:-1]
        except UnicodeDecodeError:
            raise self._broken() from None

    def num_units(self, side: str) -> np.ndarray:
        """Units of a side, int64 (num_utterances,); no utterance is read."""
        return np.diff(self._index.rows[side][:, UNIT])

    def num_words(self, side: str) -> np.ndarray:
        """Words of a side, int64 (num_utterances,); no utterance is read."""
        return np.diff(self._index.rows[side][:, WORD])

    @property
    def dump_of(self) -> np.ndarray:
        """As in Dumps, of this dump alone: int64 (num_utterances,)."""
        return np.zeros(len(self), np.int64)

    def most_bytes(self) -> np.ndarray:
        """The most bytes that all texts of an utterance have, int64 (num_utterances,)."""
        ends = sum(rows[:, BYTE] for rows in self._index.rows.values())
        return np.diff(ends) + len(self.pair.encode())


def _read_index(directory: Path, sides: Sequence[str]) -> dump_v1.Index:
    ids = read_bytes(directory / "ids.txt")
    id_ends = read_array(directory / "ids.npy", np.int64)
    if not len(id_ends) or id_ends[-1] != len(ids):
        raise UserError(f"{directory}: ids.txt and ids.npy do not fit; {REMEDY}")
    words = {name: read_bytes(directory / f"{name}.words.txt") for name in sides}
    rows = {k: read_array(directory / f"{k}.index.npy", np.int64, 3) for k in sides}
    return dump_v1.Index(ids, id_ends, words, rows)


class Dumps:
    """Dumps of several language pairs as one sequence of Utterance.

    Its sides are those that all dumps have. Raises UserError where the units are of
    different codebooks, or where there is no utterance.
    """

    def __init__(self, dumps: Sequence[Dump]):
        self.vocabulary = dumps[0].vocabulary
        for dump in dumps:
            if dump.vocabulary != self.vocabulary:
                raise UserError(
                    f"{dump.directory} has {dump.vocabulary}, {dumps[0].directory} has "
                    f"{self.vocabulary}: they are of different codebooks"
                )
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
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        which = int(np.searchsorted(self._ends, index, side="right"))
        dump = self._dumps[which]
        return dump[index - int(self._ends[which]) + len(dump)]

    @property
    def ids(self) -> list[str]:
        return [name for dump in self._dumps for name in dump.ids]

    def num_units(self, side: str) -> np.ndarray:
        """As in Dump: int64 (num_utterances,)."""
        return np.concatenate([dump.num_units(side) for dump in self._dumps])

    @property
    def dump_of(self) -> np.ndarray:
        """The number of the dump that each utterance is of, rising: int64 (num_utterances,)."""
        return np.repeat(np.arange(len(self._dumps)), [len(d) for d in self._dumps])

    def num_words(self, side: str) -> np.ndarray:
        """As in Dump: int64 (num_utterances,)."""
        return np.concatenate([dump.num_words(side) for dump in self._dumps])

    def most_bytes(self) -> np.ndarray:
        """As in Dump: int64 (num_utterances,)."""
        return np.concatenate([dump.most_bytes() for dump in self._dumps])


class Subset:
    """`size` utterances of dumps, always the same; a larger subset contains them all.

    Raises UserError where the dumps hold fewer.
    """

    def __init__(self, dumps: Dumps, size: int):
        if size > len(dumps):
            raise UserError(f"--num_utterances {size}: the dumps hold {len(dumps)}")
        # Several dumps may have an id: each of its utterances is drawn for itself.
        seen: Counter[str] = Counter()
        names = []
        for name in dumps.ids:
            names.append(f"{name} {seen[name]}" if seen[name] else name)
            seen[name] += 1
        chosen = keyed.draw(names, size)
        self.vocabulary, self.sides = dumps.vocabulary, dumps.sides
        self._dumps = dumps
        chosen_here = (k for k, name in enumerate(names) if name in chosen)
        self._indices = np.fromiter(chosen_here, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Utterance:
        return self._dumps[int(self._indices[index])]

    @property
    def ids(self) -> list[str]:
        ids = self._dumps.ids
        return [ids[index] for index in self._indices]

    def num_units(self, side: str) -> np.ndarray:
        """As in Dump: int64 (num_utterances,)."""
        return self._dumps.num_units(side)[self._indices]

    @property
    def dump_of(self) -> np.ndarray:
        """As in Dumps: int64 (num_utterances,)."""
        return self._dumps.dump_of[self._indices]

    def num_words(self, side: str) -> np.ndarray:
        """As in Dump: int64 (num_utterances,)."""
        return self._dumps.num_words(side)[self._indices]

    def most_bytes(self) -> np.ndarray:
        """As in Dump: int64 (num_utterances,)."""
        return self._dumps.most_bytes()[self._indices]
