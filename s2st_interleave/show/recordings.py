"""The recordings of an utterance, where they are at hand, as WAV files in memory."""

from pathlib import Path

from s2st_interleave import recipe_paths, record_file
from s2st_interleave.data import audio, kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.promises import DONE

LONGEST_SEC = 60.0  # a page is to stay small: this is 1.9 MB


def find(name: str, dump_dir: Path) -> dict[str, bytes]:
    """WAV files of an utterance by side; none where a dump's data directory is gone."""
    data_dir = _data_dir(dump_dir)
    if data_dir is None:
        return {}
    data, sounds = kaldi.DataDir(data_dir), {}
    for side in data.sides:
        try:
            path = recipe_paths.resolve(data.wavs(side)[name], data_dir)
            samples = audio.read(path)
        except (UserError, OSError, KeyError):
            continue
        kept = samples[: round(LONGEST_SEC * audio.SAMPLE_RATE)]
        sounds[side] = audio.encoded(kept, kind="WAV")
    return sounds


def _data_dir(dump_dir: Path) -> Path | None:
    """The data directory that a dump was aligned from, if it is there."""
    folder = dump_dir
    for key in ("align_dir", "data_dir"):
        if not (folder / DONE).is_file():
            return None
        path = record_file.read(folder / DONE).get("paths", {}).get(key)
        if path is None:
            return None
        folder = recipe_paths.resolve(path, folder)
    return folder if folder.is_dir() else None
