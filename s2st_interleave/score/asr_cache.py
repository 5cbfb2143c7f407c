"""A cache of what the recogniser heard, by the content of the audio.

Recognition is the longest part of scoring. A run that was stopped goes on where it was,
and the best checkpoint that is also the last is not heard twice. A text ends with a line
feed: an empty file is not a recording in which nothing was heard.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from s2st_interleave.config import to_dict
from s2st_interleave.files import atomic_write, file_digest
from s2st_interleave.record import digest
from s2st_interleave.score.asr import AsrOptions, describe, transcribe

END = "\n"
Keep = Callable[[str, str], None]  # utterance id, text


def recognise(
    wavs: Mapping[str, Path], options: AsrOptions, cache: Path
) -> dict[str, str]:
    """ASR text by utterance id; texts of audio heard before come from `cache`.

    Raises what `transcribe` raises; an error is never kept.
    """

    def hear(unheard: Mapping[str, Path], keep: Keep) -> None:
        transcribe(unheard, options, on_text=keep)

    made_by = [to_dict(describe(options)), _beside_weights(Path(options.model))]
    return kept(wavs, made_by, cache, hear)


def _beside_weights(model: Path) -> dict[str, str]:
    """Digests of what a folder of weights holds besides them, such as its tokenizer."""
    files = sorted(model.glob("*.json")) + sorted(model.glob("*.txt"))
    return {path.name: file_digest(path) for path in files}


def kept(
    wavs: Mapping[str, Path],
    made_by: Any,
    cache: Path,
    compute: Callable[[Mapping[str, Path], Keep], None],
) -> dict[str, str]:
    """What `compute` says of each recording, by utterance id; once for each content.

    `made_by` is all that can change it, as JSON values. `compute` is given the recordings
    that nobody has asked about, and tells of each as it comes.
    """
    places = {
        utterance: cache / f"{digest([made_by, file_digest(wav)])}.txt"
        for utterance, wav in wavs.items()
    }
    kept = {u: _whole(place) for u, place in places.items()}
    texts = {u: text for u, text in kept.items() if text is not None}
    unheard = {u: wavs[u] for u in wavs if u not in texts}

    def keep(utterance: str, text: str) -> None:
        with atomic_write(places[utterance]) as stream:
            stream.write(text + END)
        texts[utterance] = text

    compute(unheard, keep)
    return {utterance: texts[utterance] for utterance in wavs}


def _whole(place: Path) -> str | None:
    """The text that is kept, None where there is none or only a part of it."""
    if not place.is_file():
        return None
    text = place.read_bytes().decode("utf-8", errors="replace")
    return text.removesuffix(END) if text.endswith(END) else None
