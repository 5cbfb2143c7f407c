"""Check a data directory; the exit status is 1 when anything is wrong."""

from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.data.languages import LanguageCode


@dataclass(frozen=True, kw_only=True)
class Options:
    data_dir: Path = option(REQUIRED, "data/<split>")
    languages: tuple[LanguageCode, ...] = option(REQUIRED, "for example 'es en'")


def run(options: Options) -> None:
    data = kaldi.DataDir(options.data_dir)
    kaldi.validate(data, options.languages)
    count = len(kaldi.read_table(data.path / "utt2spk"))
    print(
        f"{data.path}: {count} utterances in {' and '.join(options.languages)}, valid"
    )
