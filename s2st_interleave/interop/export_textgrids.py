"""Word times of stage 3 as Praat's TextGrids: `<out_dir>/<side>/<utterance id>.TextGrid`.

    python -m s2st_interleave export_textgrids --align_dir dump/align/train --out_dir grids

Each has one tier, "words", as import_alignments reads them back. A character that a file's
name cannot hold is written as %2F is for "/".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.align.words import Word, read_each
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi, sides
from s2st_interleave.errors import UserError
from s2st_interleave.interop.ids import file_name
from s2st_interleave.stage_dir import read_done

ENDING = ".TextGrid"
LEAST_SEC = 1e-4  # Praat knows no interval without length


@dataclass(frozen=True, kw_only=True)
class Options:
    align_dir: Path = option(REQUIRED, "dump/align/<split> of stage 3")
    out_dir: Path = option(REQUIRED, "directory to write, new or empty")
    data_dir: Path | None = option(
        None, "data/<split>, whose durations end the grids; none: the last word does"
    )


def run(options: Options) -> None:
    read_done(options.align_dir, "align")
    if options.out_dir.exists() and any(options.out_dir.iterdir()):
        raise UserError(f"{options.out_dir} is not empty: nothing is written over it")
    known = sides.read(options.align_dir)
    for side in known:
        seconds: Mapping[str, float] = {}
        if options.data_dir:
            seconds = kaldi.DataDir(options.data_dir).durations(side)
        path = sides.path_of(options.align_dir, "words.{}.jsonl", side, known)
        folder, count = options.out_dir / side, 0
        folder.mkdir(parents=True)
        for line in read_each([path]):
            write(folder, line.id, line.words, seconds.get(line.id, 0.0))
            count += 1
        print(f"{folder}: {count} utterances")


def write(
    folder: Path, utterance: str, words: Sequence[Word], duration_sec: float
) -> Path:
    """Write an utterance's grid and return its path; it appears whole, by rename.

    Times are those of `words`, but that an interval which has no length, or begins before
    the end of the one before it, is moved or widened by as much as Praat needs.
    """
    from praatio import textgrid  # an extra

    entries, position = [], 0.0
    for word in words:
        start = max(position, word.start_sec)
        end = max(word.end_sec, start + LEAST_SEC)
        entries.append((start, end, word.text))
        position = end
    last = max(position, duration_sec, LEAST_SEC)
    grid = textgrid.Textgrid()
    grid.addTier(textgrid.IntervalTier("words", entries, 0.0, last))
    path = folder / f"{file_name(utterance)}{ENDING}"
    temporary = folder / ".part"
    grid.save(str(temporary), "long_textgrid", includeBlankSpaces=True)
    return temporary.rename(path)
