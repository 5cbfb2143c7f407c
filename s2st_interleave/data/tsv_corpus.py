"""Reads a user's own corpus: one TSV with a line per utterance."""

from collections.abc import Sequence
from pathlib import Path

from s2st_interleave.config import nearest
from s2st_interleave.data import quotes, tsv
from s2st_interleave.data.corpus import SPLITS, Speech, Utterance, check_id, is_speaker
from s2st_interleave.data.kaldi import NO_AUDIO
from s2st_interleave.data.text import same_when_spoken
from s2st_interleave.errors import UserError
from s2st_interleave.keyed import stable_hash

PERCENT = {"train": 90, "dev": 5, "test": 5}


def read_utterances(
    path: Path, roles: Sequence[str], wanted: str = "train"
) -> dict[str, list[Utterance]]:
    """Utterances by split, each sorted by id; audio paths are relative to the TSV.

    A side has the columns `<role>_audio` and `<role>_text`, and may have `<role>_lang`.
    Quotes that a program has put around fields are taken off: see data/quotes.py.

    Raises UserError, naming file and line, for a wrong header, id or split, for a line
    with more or fewer columns, and for an id that occurs twice: it cannot be told which
    line is wrong. A line without a recording is no error here but a fault of that line.
    A table may lack splits, but not the one that is `wanted`; whoever wants train, and will
    want the others, is told at once which one is missing.
    """
    lines = tsv.rows(path, escape=None)  # \ is no escape: C:\audio is a path
    _, written = next(lines, (0, []))
    header = [quotes.bare(name) for name in written]
    _check_header(path, header, roles)
    rows = [_checked(path, line, len(header)) for line in lines]
    by_split: dict[str, list[Utterance]] = {split: [] for split in SPLITS}
    first: dict[str, int] = {}
    for number, fields in quotes.without_quotes(path, written, rows):
        where = f"{path}:{number}"
        row = dict(zip(header, fields, strict=True))
        check_id(row["id"], where)
        if row["id"] in first:
            raise UserError(
                f"{where}: id {row['id']} is that of line {first[row['id']]}"
            )
        first[row["id"]] = number
        split = row.get("split") or hash_split(row[f"{roles[0]}_text"] or row["id"])
        if split not in SPLITS:
            near = nearest(split, SPLITS)
            raise UserError(f"{where}: split '{split}' is not train, dev or test{near}")
        by_split[split].append(_utterance(path, row, roles, where))
    for split in SPLITS if wanted == "train" else (wanted,):
        if not by_split[split]:
            raise UserError(
                f"{path}: no utterance of split {split}; set column 'split'"
            )
    return {k: sorted(v, key=lambda u: u.id) for k, v in by_split.items()}


def hash_split(text: str) -> str:
    """The split of a text of the first side: 90, 5 and 5 % are train, dev and test.

    It depends on the text's spoken form, not on the id: all recordings of a sentence,
    however it is written, are in the same split.
    """
    drawn = stable_hash("own split", same_when_spoken(text) or text) % 100
    if drawn < PERCENT["train"]:
        return "train"
    return "dev" if drawn < PERCENT["train"] + PERCENT["dev"] else "test"


def _checked(
    path: Path, line: tuple[int, list[str]], num_columns: int
) -> tuple[int, list[str]]:
    number, fields = line
    if len(fields) != num_columns:
        raise UserError(f"{path}:{number}: {len(fields)} columns, not {num_columns}")
    return line


def _utterance(
    path: Path, row: dict[str, str], roles: Sequence[str], where: str
) -> Utterance:
    return Utterance(
        id=row["id"],
        speaker=_speaker(row, where),
        sides={role: _speech(path, row, role) for role in roles},
        where=where,
    )


def _speaker(row: dict[str, str], where: str) -> str:
    """The speaker of a row; where the table names none each utterance has its own."""
    speaker = row.get("speaker") or row["id"]
    if not is_speaker(speaker):
        raise UserError(f"{where}: speaker '{speaker}' has a space: write _ for it")
    return speaker


def _speech(path: Path, row: dict[str, str], role: str) -> Speech:
    column = f"{role}_audio"
    return Speech(
        audio=path.parent / row[column] if row[column] else Path(),
        text=row[f"{role}_text"],
        fault="" if row[column] else f"{NO_AUDIO}, column {column} is empty",
        language=row.get(f"{role}_lang", ""),
    )


def _check_header(path: Path, header: list[str], roles: Sequence[str]) -> None:
    columns = [
        "id",
        *(f"{role}_{kind}" for role in roles for kind in ("audio", "text")),
    ]
    optional = ["split", "speaker", *(f"{role}_lang" for role in roles)]
    missing = [name for name in columns if name not in header]
    if missing:
        raise UserError(
            f"{path}:1: no column {missing[0]}; the header is "
            f"{' '.join(columns)} [{' '.join(optional)}], with tabs"
        )
    for name in header:
        if name not in columns + optional:
            near = nearest(name, columns + optional)
            raise UserError(f"{path}:1: unknown column '{name}'{near}")
        if header.count(name) > 1:
            raise UserError(f"{path}:1: column '{name}' occurs twice")
