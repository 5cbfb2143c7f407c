"""The index of a dump of version 1: a line of JSON an utterance, with its words."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave.errors import UserError
from s2st_interleave.files import json_lines
from s2st_interleave.interleave.columns import Bytes

INDEX = "utterances.jsonl"


@dataclass(frozen=True)
class Index:
    """What version 2 keeps in files, see interleave/dump.py: texts, and where they begin."""

    ids: Bytes
    id_ends: np.ndarray
    words: Mapping[str, Bytes]
    rows: Mapping[str, np.ndarray]


def read_index(directory: Path) -> Index:
    """The index of a directory, which takes a few hundred bytes an utterance in memory.

    Raises UserError for a line that is no JSON, and for a word with a tab or a line feed,
    which no version of this toolkit has written.
    """
    ids, id_ends = bytearray(), array("q", [0])
    texts: dict[str, bytearray] = {}
    rows: dict[str, array[int]] = {}
    for line in json_lines(directory / INDEX):
        ids += f"{line['id']}\n".encode()
        id_ends.append(len(ids))
        for name in (key for key in line if key != "id"):
            words, last_unit = line[name]["words"], line[name]["units"][1]
            joined = "\t".join(words)
            if joined.count("\t") != len(words) - 1 or "\n" in joined:
                raise UserError(
                    f"{directory / INDEX}: utterance {line['id']}, {name}: a word holds a "
                    "tab or a line feed"
                )
            text = texts.setdefault(name, bytearray())
            text += f"{joined}\n".encode()
            last_word = line[name]["first_word"] + len(words)
            ends = rows.setdefault(name, array("q", [0, 0, 0]))
            ends.extend((last_unit, last_word, len(text)))
    return Index(
        bytes(ids),
        np.frombuffer(id_ends, dtype=np.int64),
        {name: bytes(text) for name, text in texts.items()},
        {k: np.frombuffer(v, dtype=np.int64).reshape(-1, 3) for k, v in rows.items()},
    )
