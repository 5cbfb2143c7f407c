"""Speech recognition for ASR-BLEU: Whisper, by one of two backends.

`faster-whisper` (CTranslate2) hears a recording at a time, and is for CPUs: its wheel looks
for libraries of CUDA 12, which a torch for CUDA 13 does not bring. `transformers` hears
batches by PyTorch, and is for GPUs. Both follow the same rules: greedy search at temperature
0, timestamps, no text before the window, and nothing that reacts to what was heard.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal, Protocol, cast

from s2st_interleave.data import ark
from s2st_interleave.data.languages import language
from s2st_interleave.errors import UserError
from s2st_interleave.files import file_digest
from s2st_interleave.score.records import AsrDescription

BackendName = Literal["auto", "faster-whisper", "transformers"]
OnText = Callable[[str, str], None]  # utterance id, text
# Where a driver of GPUs leaves a device: without one, torch need not be asked.
GPU_FILES = ("/dev/nvidia*", "/dev/kfd", "/dev/dxg")


class AsrError(UserError):
    """Recognition of one utterance failed; the message names the utterance."""


@dataclass(frozen=True)
class AsrOptions:
    """Which Whisper recognises, and how; `num_workers` changes the time only.

    `model` is a folder of weights (CTranslate2's, or of Hugging Face for `transformers`) or
    a name ("large-v3", "openai/whisper-large-v3"). `device` is "auto" (CUDA if there is
    one), "cpu" or "cuda". `num_workers` is the number of cores used on a CPU, and that of
    threads that read audio for a GPU; `batch_size` counts windows of 30 s. Raises UserError
    for a language that Whisper does not know.
    """

    model: str = "large-v3"
    language: str = "en"
    device: str = "auto"
    compute_type: str = "float32"
    num_workers: int = 1
    backend: BackendName = "auto"
    batch_size: int = 32

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

    @property
    def backend_name(self) -> Literal["faster-whisper", "transformers"]:
        """The backend that recognises; `auto` is transformers on a GPU."""
        if self.backend != "auto":
            return self.backend
        return "transformers" if _on_gpu(self.device) else "faster-whisper"


class Backend(Protocol):
    """A module that recognises: whisper_sequential.py, whisper_batched.py."""

    def weights(self, model: str) -> list[Path]:
        """The files of weights of a folder or name; UserError where there are none."""
        ...

    def transcribe(
        self, wavs: Mapping[str, Path], options: AsrOptions, on_text: OnText
    ) -> None:
        """Tell `on_text` what is said in each recording; AsrError names one that fails."""
        ...


def transcribe(
    wavs: Mapping[str, Path],
    options: AsrOptions,
    on_text: OnText = lambda utterance_id, text: None,
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
    texts: dict[str, str] = {}

    def keep(utterance_id: str, text: str) -> None:
        texts[utterance_id] = text
        on_text(utterance_id, text)

    _backend(options).transcribe(wavs, options, keep)
    return {utterance_id: texts[utterance_id] for utterance_id in wavs}


def batches(wavs: Mapping[str, Path], options: AsrOptions) -> list[list[str]]:
    """The ids of recordings that are heard together, by ascending length.

    The size of a file stands for its length. What is heard together depends on `wavs` and
    the batch size alone, so that a run that goes on makes the same batches.
    """
    if options.backend_name == "faster-whisper":
        return [[utterance_id] for utterance_id in wavs]
    order = sorted(wavs, key=lambda u: (ark.size(wavs[u]), u))
    size = options.batch_size
    return [order[start : start + size] for start in range(0, len(order), size)]


def describe(options: AsrOptions) -> AsrDescription:
    """Say what recognises, for score.json: backend, version, model, hash of weights.

    The model is its name only, without the folders above it, so that the record is the
    same on every machine; the hash tells the weights apart.
    """
    from s2st_interleave.record import digest

    digests = [file_digest(path) for path in _backend(options).weights(options.model)]
    return AsrDescription(
        backend=options.backend_name,
        version=version(options.backend_name),
        model=Path(options.model).absolute().name,
        weights_sha256=digests[0] if len(digests) == 1 else digest(digests),
        compute_type=options.compute_type,
        language=options.whisper_code,
    )


def heard(wavs: Mapping[str, Path]) -> str:
    """What a line of progress says: whose recordings are recognised, by their folder."""
    first = next(iter(wavs.values()), Path())
    folder = first.parent.parent if first.parent.name == "wav" else first.parent
    return f"recognise {folder}"


def unrecognised(utterance_id: str, path: Path, error: Exception) -> AsrError:
    """The error of a recording that cannot be recognised, which names it."""
    reason = getattr(error, "strerror", None) or error
    return AsrError(
        f"utterance {utterance_id}: {path} cannot be recognised ({reason}): is it whole, "
        "and audio? Make it anew"
    )


def check_language(
    options: AsrOptions, multilingual: bool, knows: Callable[[str], bool]
) -> None:
    """UserError where a model does not know the language; `knows` is told of a token."""
    code = options.whisper_code
    if code != "en" and not multilingual:
        raise UserError(
            f"model {options.model} knows English only, not {options.language!r}"
        )
    if multilingual and not knows(f"<|{code}|>"):
        raise UserError(
            f"model {options.model} does not know {options.language!r}; large-v3 "
            "knows the most languages"
        )


def _backend(options: AsrOptions) -> Backend:
    modules = {"faster-whisper": "sequential", "transformers": "batched"}
    name = f"s2st_interleave.score.whisper_{modules[options.backend_name]}"
    return cast(Backend, importlib.import_module(name))


def _on_gpu(device: str) -> bool:
    """Whether `device` is a GPU, or "auto" where PyTorch has one."""
    if device != "auto":
        return device.startswith("cuda")
    if not any(_exist(pattern) for pattern in GPU_FILES):
        return False
    import torch

    return torch.cuda.is_available()


def _exist(pattern: str) -> Iterable[Path]:
    return list(Path(pattern).parent.glob(Path(pattern).name))
