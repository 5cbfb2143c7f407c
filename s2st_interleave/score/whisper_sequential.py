"""Whisper through faster-whisper (CTranslate2), a recording at a time, for CPUs.

Measured on 2 CPU cores with tiny.en in float32: one thread in each of two workers takes
0.53 s an utterance, two threads in one worker 0.59 s, with identical text; hence
parallelism is over utterances, and the number of workers cannot change a score.
int8 takes 0.42 s, but changed 8 of 20 texts on speech that is hard to recognise:
float32 is the default.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import av

from s2st_interleave.data import ark
from s2st_interleave.errors import UserError, lacks_memory
from s2st_interleave.hub import snapshot, split_revision
from s2st_interleave.progress import progress
from s2st_interleave.score.asr import (
    AsrOptions,
    OnText,
    check_language,
    heard,
    unrecognised,
)

WEIGHTS_FILE = "model.bin"
HUB_FILES = ["*.json", "vocabulary.*", WEIGHTS_FILE]

# Greedy search at temperature 0 and nothing that reacts to its outcome. Thresholds only
# exist to trigger the fallback to sampling; without it the no-speech threshold alone
# would delete speech it is unsure of, so all three are off.
_DECODING = {
    "beam_size": 1,
    "temperature": 0.0,
    "compression_ratio_threshold": None,
    "log_prob_threshold": None,
    "no_speech_threshold": None,
    "condition_on_previous_text": False,
    "vad_filter": False,
}

# Of a file that is none, or holds no audio, and of CTranslate2.
FAILURES = (av.FFmpegError, OSError, IndexError, RuntimeError, UserError)


def transcribe(wavs: Mapping[str, Path], options: AsrOptions, on_text: OnText) -> None:
    """Tell `on_text` what is said in each recording; AsrError names one that fails."""
    recognise = _load(options)
    with _cancelling_pool(options.num_workers) as pool:
        utterance_ids = {
            pool.submit(recognise, path): utterance_id
            for utterance_id, path in wavs.items()
        }
        finished = as_completed(utterance_ids)
        for future in progress(finished, heard(wavs), total=len(wavs)):
            utterance_id = utterance_ids[future]
            try:
                text = future.result()
            except FAILURES as error:
                path = wavs[utterance_id]
                raise unrecognised(utterance_id, path, error) from error
            on_text(utterance_id, text)


def weights(model: str) -> list[Path]:
    """The file of weights of a folder or a name that faster-whisper knows and fetches.

    Raises UserError for a folder without weights and for a name nobody knows.
    """
    folder = Path(model)
    if folder.is_dir():
        if not (folder / WEIGHTS_FILE).is_file():
            raise UserError(
                f"{model} holds no CTranslate2 weights ({WEIGHTS_FILE}); a folder of "
                "Hugging Face is for --asr_backend transformers"
            )
        return [folder / WEIGHTS_FILE]
    from faster_whisper.utils import _MODELS as REPOSITORIES

    name, revision = split_revision(model)
    if name not in REPOSITORIES:
        raise UserError(
            f"no such Whisper model: {name} is neither a folder nor one of "
            f"{', '.join(REPOSITORIES)}, which faster-whisper knows"
        )
    # Not faster-whisper's own download, which waits for a hub that does not answer.
    return [snapshot(REPOSITORIES[name], revision, HUB_FILES) / WEIGHTS_FILE]


def _load(options: AsrOptions) -> Callable[[Path], str]:
    """Return the function from an audio file to its text; safe to call from threads."""
    from faster_whisper import WhisperModel

    device, _, index = options.device.partition(":")
    folder = weights(options.model)[0].parent
    try:
        model = WhisperModel(
            str(folder),
            device=device,
            device_index=int(index or 0),
            compute_type=options.compute_type,
            cpu_threads=1,
            num_workers=options.num_workers,
        )
    except (ValueError, RuntimeError) as error:  # CTranslate2 has no class of its own
        if lacks_memory(error):
            raise
        raise UserError(
            f"Whisper of {folder} does not load with --device {options.device} "
            f"--compute_type {options.compute_type}: {error}"
        ) from error
    code, multilingual = options.whisper_code, model.model.is_multilingual
    ids = model.hf_tokenizer
    check_language(options, multilingual, lambda t: ids.token_to_id(t) is not None)

    def recognise(path: Path) -> str:
        file = ark.whole(path)
        heard = file.open() if isinstance(file, ark.Held) else str(file)
        segments, _ = model.transcribe(heard, language=code, **_DECODING)
        # The segments are a generator: the work, and its errors, happen here.
        return "".join(segment.text for segment in segments).strip()

    return recognise


@contextmanager
def _cancelling_pool(num_workers: int) -> Iterator[ThreadPoolExecutor]:
    """A thread pool that drops what is still queued when its block raises."""
    pool = ThreadPoolExecutor(num_workers)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
