"""How long answers are beside their references and their sources."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import soundfile

from s2st_interleave.data import kaldi
from s2st_interleave.data.languages import language
from s2st_interleave.data.text import characters
from s2st_interleave.report.examples import Corpus
from s2st_interleave.report.systems import System

Ratios = dict[str, dict[str, list[float]]]  # values by system, by what they are


def ratios(systems: Sequence[System], corpus: Corpus) -> Ratios:
    """Length and duration ratios of all utterances that have an answer.

    Seconds of speech are those of the headers of its files; a file that is gone is left out.
    """
    made: Ratios = {}
    for system in systems:
        code = corpus.languages[system.side]
        unit = f"{language(code).unit}s by those of the reference"
        made.setdefault(f"Length: {unit}", {})[system.name] = lengths(system, code)
        spoken = seconds({u: system.wav(u) for u in system.wavs})
        for title, side in _others(system).items():
            values = durations(spoken, _durations(corpus.data_dir, side))
            made.setdefault(title, {})[system.name] = values
    return made


def _others(system: System) -> dict[str, str]:
    """The sides with whose recordings a system's speech is compared, by title."""
    if not system.layout.speaks:
        return {}
    sources = [b.side for b in system.layout.given if b.kind == "speech"]
    sides = {"Duration by that of the reference": system.side}
    if sources:
        sides["Duration by that of the source"] = sources[0]
    return sides


def seconds(wavs: Mapping[str, Path]) -> dict[str, float]:
    """Seconds by utterance id, of the files whose headers can be read."""
    known = {}
    for utterance, path in wavs.items():
        with (
            contextlib.suppress(soundfile.LibsndfileError, OSError),
            soundfile.SoundFile(path) as file,
        ):
            known[utterance] = file.frames / file.samplerate
    return known


def _durations(data_dir: Path, side: str) -> dict[str, float]:
    data = kaldi.DataDir(data_dir)
    return data.durations(side) if data.file("utt2dur", side).is_file() else {}


def lengths(system: System, code: str) -> list[float]:
    """Words, or letters, of what was heard or written for one of the reference."""
    has_words = language(code).unit == "word"

    def size(text: str) -> int:
        return len(text.split() if has_words else characters(text))

    rows = system.rows.values()
    return [size(r.hypothesis) / size(r.reference) for r in rows if size(r.reference)]


def durations(spoken: Mapping[str, float], others: Mapping[str, float]) -> list[float]:
    """Seconds of speech for one of another recording, of utterances that have both."""
    return [sec / others[u] for u, sec in sorted(spoken.items()) if others.get(u)]
