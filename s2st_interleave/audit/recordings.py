"""Whether recordings are there, and are those of their utterances, by their headers."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from s2st_interleave.audit.finding import Audited
from s2st_interleave.audit.ids import files
from s2st_interleave.data import ark, audio
from s2st_interleave.data.kaldi import read_table
from s2st_interleave.data.levels import Level
from s2st_interleave.errors import UserError
from s2st_interleave.promises import absent

REMOVE = "remove it, or run its stage again, which removes it"


def check(audited: Audited, *, headers: bool) -> set[Path]:
    """Compare the recordings of stage 1 with its tables; return the files that they name.

    `headers`: read length and level that stage 1 wrote into the header of each.
    """
    used: set[Path] = set()
    for name, path in files(audited, "wav.scp.{}").items():
        side = name.rpartition(".")[2]
        table = {k: audited.place(place) for k, place in read_table(path).items()}
        parts = {k: Path(ark.split(str(place))[0]) for k, place in table.items()}
        used |= set(parts.values())
        gone = set(absent(map(str, parts.values())))
        for utterance, file in parts.items():
            if file in gone:
                audited.find(
                    file, f"it is gone, {utterance} of {name} names it", _mend(audited)
                )
        if headers:
            there = {k: place for k, place in table.items() if parts[k] not in gone}
            _check_headers(audited, side, there)
    return used


def _mend(audited: Audited) -> str:
    return audited.remake.removesuffix(" --overwrite true")


def _check_headers(audited: Audited, side: str, places: dict[str, Path]) -> None:
    seconds = read_table(audited.directory / f"utt2dur.{side}")
    levels_path = audited.directory / f"utt2level.{side}"
    levels = read_table(levels_path) if levels_path.is_file() else {}
    for utterance, place in places.items():
        try:
            length = audio.seconds(place, of=utterance)
            noted = json.loads(audio.comment(place) or "{}")
        except (UserError, OSError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            audited.find(place, f"it cannot be read: {reason}", _mend(audited))
            continue
        wanted = seconds.get(utterance)
        if wanted is not None and abs(length - float(wanted)) > 0.0015:
            wrong = f"it is {length:.3f} s long, utt2dur.{side} says {wanted} of {utterance}"
            audited.find(place, wrong, _mend(audited))
        elif _is_of_other(noted, levels.get(utterance)):
            wrong = f"it is the recording of another utterance than {utterance}"
            audited.find(place, wrong, _mend(audited))


def _is_of_other(noted: Any, level: str | None) -> bool:
    """Whether the level in a header is another one than the table's."""
    if level is None or not isinstance(noted, dict) or "level" not in noted:
        return False
    return str(Level(**noted["level"])) != level


def strangers(folders: Iterable[Path], used: set[Path]) -> list[Path]:
    """Recordings in the folders of stage 1 that no table names, sorted."""
    found: Sequence[Path] = sorted(
        {p for f in folders if f.is_dir() for p in f.iterdir()}
    )
    return [
        path
        for path in found
        if path.is_file() and path not in used and not path.name.startswith(".")
    ]
