"""A corpus of one's own: one TSV with a line per utterance."""

from pathlib import Path

from s2st_interleave.config import nearest
from s2st_interleave.data import quotes, tsv
from s2st_interleave.data.corpus import SPLITS, Pair, check_id
from s2st_interleave.data.kaldi import NO_AUDIO
from s2st_interleave.data.text import same_when_spoken
from s2st_interleave.errors import UserError
from s2st_interleave.keyed import stable_hash

AUDIO = ("src_audio", "tgt_audio")
COLUMNS = ("id", "src_audio", "src_text", "tgt_audio", "tgt_text")
OPTIONAL = ("split", "src_lang", "tgt_lang")
PERCENT = {"train": 90, "dev": 5, "test": 5}


def read_pairs(path: Path) -> dict[str, list[Pair]]:
    """Pairs by split, each sorted by id; audio paths are relative to the TSV.

    Quotes that a program has put around its fields are taken off: see data/quotes.py.

    Raises UserError, naming file and line, for a header, an id or a split that is
    none, for a line of other columns, and for an id that occurs twice: whose fault that
    is, or of which split, cannot be told. A recording that is not named is its line's.
    """
    lines = tsv.rows(path, escape=None)  # C:\audio is a path as well
    _, written = next(lines, (0, []))
    header = [quotes.bare(name) for name in written]
    _check_header(path, header)
    rows = [_checked(path, line, len(header)) for line in lines]
    found: dict[str, list[Pair]] = {split: [] for split in SPLITS}
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
        split = row.get("split") or hash_split(row["src_text"] or row["id"])
        if split not in SPLITS:
            near = nearest(split, SPLITS)
            raise UserError(f"{where}: split '{split}' is not train, dev or test{near}")
        found[split].append(_pair(path, row, where))
    for split, pairs in found.items():
        if not pairs:
            raise UserError(
                f"{path}: no utterance of split {split}; set column 'split'"
            )
    return {k: sorted(v, key=lambda pair: pair.id) for k, v in found.items()}


def hash_split(text: str) -> str:
    """90, 5 and 5 of 100 source texts, always the same ones.

    By the text and not by the id: a sentence that two people speak stays on one side,
    and so it does however it is written, as it is compared by its sound.
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


def _pair(path: Path, row: dict[str, str], where: str) -> Pair:
    source, target = (_audio(path, row, column) for column in AUDIO)
    return Pair(
        id=row["id"],
        speaker=row["id"],  # nobody says who speaks: each by oneself
        src_audio=source or Path(),
        src_text=row["src_text"],
        tgt_audio=target or Path(),
        tgt_text=row["tgt_text"],
        where=where,
        faults=(_lost(source, "src_audio"), _lost(target, "tgt_audio")),
        src_lang=row.get("src_lang", ""),
        tgt_lang=row.get("tgt_lang", ""),
    )


def _audio(path: Path, row: dict[str, str], column: str) -> Path | None:
    return path.parent / row[column] if row[column] else None


def _lost(audio: Path | None, column: str) -> str:
    return "" if audio else f"{NO_AUDIO}, column {column} is empty"


def _check_header(path: Path, header: list[str]) -> None:
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise UserError(
            f"{path}:1: no column {missing[0]}; the header is "
            f"{' '.join(COLUMNS)} [{' '.join(OPTIONAL)}], with tabs"
        )
    for name in header:
        if name not in COLUMNS + OPTIONAL:
            near = nearest(name, COLUMNS + OPTIONAL)
            raise UserError(f"{path}:1: unknown column '{name}'{near}")
        if header.count(name) > 1:
            raise UserError(f"{path}:1: column '{name}' occurs twice")
