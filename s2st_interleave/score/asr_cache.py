"""A cache of what the recogniser heard, by the content of the audio.

Recognition is the longest part of scoring. A run that was stopped goes on where it was,
and the best checkpoint that is also the last is not heard twice. Each process appends to a
file of its own, a JSON array [key, text] a line, so that jobs can fill one cache at once; a
line that was cut off counts for nothing. Earlier versions kept a file for each recording,
which is still read: a text that ends with a line feed.
"""

import json
import os
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from s2st_interleave.config import to_dict
from s2st_interleave.data import ark
from s2st_interleave.files import file_digest
from s2st_interleave.record import digest
from s2st_interleave.score.asr import AsrOptions, batches, describe, transcribe

END = "\n"
Keep = Callable[[str, str], None]  # utterance id, text


def recognise(
    wavs: Mapping[str, Path],
    options: AsrOptions,
    cache: Path,
    share: tuple[int, int] = (1, 1),
) -> dict[str, str]:
    """ASR text by utterance id; texts of audio heard before come from `cache`.

    `share` (k, n) recognises the k-th of n parts alone, and returns what the cache has
    then. What is heard together does not depend on what was heard before, nor on n.
    Raises what `transcribe` raises; an error is never kept.
    """

    def hear(unheard: Mapping[str, Path], keep: Keep) -> None:
        k, n = share
        parts = batches(wavs, options)[k - 1 :: n]
        again = [
            u for part in parts if not unheard.keys().isdisjoint(part) for u in part
        ]
        transcribe({u: wavs[u] for u in again}, options, on_text=keep)

    made_by = [to_dict(describe(options)), _beside_weights(Path(options.model))]
    heard = kept(wavs, lambda _: made_by, cache, hear)
    # A recogniser may break a line; in tables a line is an utterance.
    return {utterance: " ".join(text.splitlines()) for utterance, text in heard.items()}


def _beside_weights(model: Path) -> dict[str, str]:
    """Digests of what a folder of weights holds besides them, such as its tokenizer."""
    files = sorted(model.glob("*.json")) + sorted(model.glob("*.txt"))
    return {path.name: file_digest(path) for path in files}


def kept(
    wavs: Mapping[str, Path],
    made_by: Callable[[str], Any],
    cache: Path,
    compute: Callable[[Mapping[str, Path], Keep], None],
) -> dict[str, str]:
    """What `compute` says of each recording, by utterance id; once for each content.

    `made_by` gives all else that can change what is said of an utterance, as JSON values.
    `compute` is given the recordings that nobody has asked about, and tells of each as it
    comes.
    """
    keys = {u: digest([made_by(u), ark.sha256(wav)]) for u, wav in wavs.items()}
    known = _read(cache, set(keys.values()))
    unheard = {u: wavs[u] for u in wavs if keys[u] not in known}
    if unheard:
        with _appending(cache) as write:

            def keep(utterance: str, text: str) -> None:
                if keys[utterance] not in known:
                    known[keys[utterance]] = text
                    write(keys[utterance], text)

            compute(unheard, keep)
    return {u: known[key] for u, key in keys.items() if key in known}


@contextmanager
def _appending(cache: Path) -> Iterator[Callable[[str, str], None]]:
    """A function that adds key and text to a new file of `cache`, on disk at once."""
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"heard.{uuid.uuid4().hex}.jsonl"
    with path.open("x", encoding="utf-8") as stream:

        def write(key: str, text: str) -> None:
            stream.write(json.dumps([key, text], ensure_ascii=False) + END)
            stream.flush()
            os.fsync(stream.fileno())

        try:
            yield write
        finally:
            if not stream.tell():
                path.unlink()


def _read(cache: Path, keys: Collection[str]) -> dict[str, str]:
    """The texts that are kept, whole, by those of `keys` that have one."""
    if not cache.is_dir():
        return {}
    texts: dict[str, str] = {}
    for path in sorted(cache.glob("*.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            if entry := _entry(line):
                texts.setdefault(*entry)
    texts = {key: texts[key] for key in keys if key in texts}
    names = (
        {entry.name for entry in os.scandir(cache)} if len(texts) < len(keys) else ()
    )
    for key in keys:
        if key not in texts and f"{key}.txt" in names:
            text = (cache / f"{key}.txt").read_bytes().decode(errors="replace")
            if text.endswith(END):
                texts[key] = text.removesuffix(END)
    return texts


def _entry(line: bytes) -> tuple[str, str] | None:
    """Key and text of a line; None for one that was cut off or is damaged."""
    if not line.endswith(END.encode()):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    is_pair = isinstance(entry, list) and len(entry) == 2
    return tuple(entry) if is_pair and all(isinstance(x, str) for x in entry) else None
