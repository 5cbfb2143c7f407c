"""Check a data directory; the exit status is 1 when anything is wrong."""

from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Options:
    data_dir: Path = option(REQUIRED, "data/<split>")
    languages: tuple[LanguageCode, ...] = option(
        (), "as a check: some side speaks each of them"
    )


def run(options: Options) -> None:
    """Raise UserError with the faults of a data directory; print its size if it has none."""
    data = kaldi.DataDir(options.data_dir)
    spoken = data.sides
    for language in options.languages:
        if language not in spoken.values():
            raise UserError(f"{data.path}: no side of it speaks {language}")
    kaldi.validate(data)
    count = len(kaldi.read_table(data.path / "utt2spk"))
    names = " and ".join(f"{role} ({language})" for role, language in spoken.items())
    print(f"{data.path}: {count} utterances in {names}, valid")
