"""Speech recognition for ASR-BLEU: Whisper through faster-whisper (CTranslate2).

One backend serves the mini recipe (tiny.en on a laptop) and the full size (large-v3).
Measured on 2 CPU cores with tiny.en in float32: one thread in each of two workers takes
0.53 s an utterance, two threads in one worker 0.59 s, with identical text; hence
parallelism is over utterances, and the number of workers cannot change a score.
int8 takes 0.42 s, but changed 8 of 20 texts on speech that is hard to recognise:
float32 is the default.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import av

from s2st_interleave.data.languages import language
from s2st_interleave.errors import UserError
from s2st_interleave.files import file_digest
from s2st_interleave.hub import split_revision
from s2st_interleave.progress import progress
from s2st_interleave.score.records import AsrDescription

_BACKEND = "faster-whisper"
_WEIGHTS_FILE = "model.bin"

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
FAILURES = (av.FFmpegError, OSError, IndexError, RuntimeError)


class AsrError(UserError):
    """Recognition of one utterance failed; the message names the utterance."""


@dataclass(frozen=True)
class AsrOptions:
    """Which Whisper recognises, and how; `num_workers` changes the time only.

    `model` is a folder of CTranslate2 weights or a name that faster-whisper knows and
    fetches ("large-v3"). `device` is "auto" (CUDA if there is one), "cpu" or "cuda".
    On a CPU `num_workers` is the number of cores used. Raises UserError for a language
    that Whisper does not know.
    """

    model: str = "large-v3"
    language: str = "en"
    device: str = "auto"
    compute_type: str = "float32"
    num_workers: int = 1

    def __post_init__(self) -> None:
        if self.num_workers < 1:
            raise ValueError(f"num_workers must be at least 1, not {self.num_workers}")
        if language(self.language).whisper is None:
            raise UserError(
                f"Whisper does not know {language(self.language).name} "
                f"({self.language}): speech in it cannot be scored by ASR-BLEU"
            )

    @property
    def whisper_code(self) -> str:
        """The language as Whisper calls it: zh for zh-CN."""
        return str(language(self.language).whisper)


def transcribe(
    wavs: Mapping[str, Path],
    options: AsrOptions,
    on_text: Callable[[str, str], None] = lambda utterance_id, text: None,
) -> dict[str, str]:
    """Recognise each audio file and return its text by utterance id.

    Text is as Whisper writes it (case, punctuation); "" means that Whisper heard
    nothing. Files of any sampling rate are resampled to 16 kHz. `on_text` is told
    of each text (id, text) as it comes.

    Raises:
        AsrError: an utterance failed; the error names it and what went wrong. The rest
            is abandoned: a failure is never scored as silence.
        UserError: the model cannot be found, or does not know the language.
    """
    if not wavs:
        return {}
    recognise = _load(options)
    texts: dict[str, str] = {}
    with _cancelling_pool(options.num_workers) as pool:
        utterance_ids = {
            pool.submit(recognise, path): utterance_id
            for utterance_id, path in wavs.items()
        }
        finished = as_completed(utterance_ids)
        for future in progress(finished, "recognise", total=len(wavs)):
            utterance_id = utterance_ids[future]
            try:
                texts[utterance_id] = future.result()
            except FAILURES as error:
                reason = getattr(error, "strerror", None) or error
                raise AsrError(
                    f"utterance {utterance_id}: {wavs[utterance_id]} cannot be recognised "
                    f"({reason}): is it whole, and audio? Make it anew"
                ) from error
            on_text(utterance_id, texts[utterance_id])
    return {utterance_id: texts[utterance_id] for utterance_id in wavs}


def describe(options: AsrOptions) -> AsrDescription:
    """Say what recognises, for score.json: backend, version, model, hash of weights.

    The model is its name only, without the folders above it, so that the record is the
    same on every machine; the hash tells the weights apart.
    """
    return AsrDescription(
        backend=_BACKEND,
        version=version(_BACKEND),
        model=Path(options.model).absolute().name,
        weights_sha256=file_digest(_model_dir(options.model) / _WEIGHTS_FILE),
        compute_type=options.compute_type,
        language=options.whisper_code,
    )


def _load(options: AsrOptions) -> Callable[[Path], str]:
    """Return the function from an audio file to its text; safe to call from threads."""
    from faster_whisper import WhisperModel

    device, _, index = options.device.partition(":")
    folder = _model_dir(options.model)
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
        raise UserError(
            f"Whisper of {folder} does not load with --device {options.device} "
            f"--compute_type {options.compute_type}: {error}"
        ) from error
    code, multilingual = options.whisper_code, model.model.is_multilingual
    if code != "en" and not multilingual:
        raise UserError(
            f"model {options.model} knows English only, not {options.language!r}"
        )
    if multilingual and model.hf_tokenizer.token_to_id(f"<|{code}|>") is None:
        raise UserError(
            f"model {options.model} does not know {options.language!r}; large-v3 "
            "knows the most languages"
        )

    def recognise(path: Path) -> str:
        segments, _ = model.transcribe(str(path), language=code, **_DECODING)
        # The segments are a generator: the work, and its errors, happen here.
        return "".join(segment.text for segment in segments).strip()

    return recognise


def _model_dir(model: str) -> Path:
    """Return the folder of the weights, fetched by faster-whisper if `model` is a name.

    Raises UserError for a folder without weights and for a name nobody knows.
    """
    folder = Path(model)
    if folder.is_dir():
        if not (folder / _WEIGHTS_FILE).is_file():
            raise UserError(f"{model} holds no CTranslate2 weights ({_WEIGHTS_FILE})")
        return folder
    from faster_whisper.utils import available_models, download_model

    name, revision = split_revision(model)
    if name not in available_models():
        raise UserError(
            f"no such Whisper model: {name} is neither a folder nor one of "
            f"{', '.join(available_models())}"
        )
    return Path(download_model(name, revision=revision))


@contextmanager
def _cancelling_pool(num_workers: int) -> Iterator[ThreadPoolExecutor]:
    """A thread pool that drops what is still queued when its block raises."""
    pool = ThreadPoolExecutor(num_workers)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
