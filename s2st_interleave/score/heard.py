"""What the recogniser heard, kept by the content of the audio.

Recognition is the longest part of scoring. A run that was stopped goes on where it was,
and the best checkpoint that is also the last is not heard twice.
"""

from collections.abc import Mapping
from pathlib import Path

from s2st_interleave.artifact import atomic_write, digest, file_digest
from s2st_interleave.config import to_dict
from s2st_interleave.score.asr import AsrOptions, describe, transcribe


def recognise(
    wavs: Mapping[str, Path], options: AsrOptions, cache: Path
) -> dict[str, str]:
    """ASR text by utterance id; texts of audio heard before come from `cache`.

    Raises what `transcribe` raises; an error is never kept.
    """
    asr = to_dict(describe(options))
    places = {
        utterance: cache / f"{digest([asr, file_digest(wav)])}.txt"
        for utterance, wav in wavs.items()
    }
    unheard = {u: wavs[u] for u, place in places.items() if not place.is_file()}

    def keep(utterance: str, text: str) -> None:
        with atomic_write(places[utterance]) as stream:
            stream.write(text)

    transcribe(unheard, options, on_text=keep)
    return {u: place.read_text(encoding="utf-8") for u, place in places.items()}
