"""Whisper through transformers, in batches, for GPUs.

The rules are those of whisper_sequential.py, and so are the windows: after each one a
recording goes on where its last timestamp ends. Every window is filled up to 30 s, so that
nothing of a batch depends on its longest recording.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    GenerationConfig,
    GenerationMixin,
    LogitsProcessorList,
    SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor,
    WhisperFeatureExtractor,
    WhisperTimeStampLogitsProcessor,
)

from s2st_interleave.data import audio
from s2st_interleave.device import resolve_device, set_threads
from s2st_interleave.errors import UserError
from s2st_interleave.progress import progress
from s2st_interleave.score import whisper_weights
from s2st_interleave.score.asr import (
    AsrOptions,
    OnText,
    batches,
    check_language,
    heard,
    unrecognised,
)
from s2st_interleave.score.whisper_weights import Whisper, weights

__all__ = ["transcribe", "weights"]
DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}
HOP = 160  # samples of a frame of 0.01 s
WINDOW = 3000  # frames that the encoder reads at once
FRAMES_OF_TIMESTAMP = 2  # timestamps count 0.02 s
LATEST_START = 50  # timestamps: the first segment of a window starts within a second
MOST_TOKENS = 224  # of a window, half of the decoder's positions, as in Whisper
AHEAD = 2  # batches that are read while one is recognised


def transcribe(wavs: Mapping[str, Path], options: AsrOptions, on_text: OnText) -> None:
    """Tell `on_text` what is said in each recording; AsrError names one that fails."""
    if options.compute_type not in DTYPES:
        raise UserError(
            f"--compute_type {options.compute_type}: transformers computes in one of "
            f"{', '.join(DTYPES)}; others are for --asr_backend faster-whisper"
        )
    device = resolve_device(options.device)
    if device.type == "cpu":
        set_threads(options.num_workers)
    whisper = whisper_weights.load(options.model, DTYPES[options.compute_type], device)
    names = whisper.tokenizer
    check_language(
        options, whisper.multilingual, lambda t: names.token_to_id(t) is not None
    )
    generate = _generator(whisper, options.whisper_code)
    groups = batches(wavs, options)
    read = _reader(whisper, wavs)
    with ThreadPoolExecutor(options.num_workers) as pool:
        spoken = _read_ahead(groups, read, pool)
        what = f"{heard(wavs)}, batches"
        for group, spectra in progress(spoken, what, len(groups)):
            texts = _texts(whisper, spectra, generate)
            for utterance_id, text in zip(group, texts, strict=True):
                on_text(utterance_id, text)


def _reader(whisper: Whisper, wavs: Mapping[str, Path]) -> Callable[[str], np.ndarray]:
    """The function from an utterance id to a log-mel spectrum (num_mels, num_frames).

    faster-whisper adds a frame of silence, which is not recognised, and so do we.
    """
    extractor: Any = WhisperFeatureExtractor(
        feature_size=whisper.model.config.num_mel_bins
    )

    def read(utterance_id: str) -> np.ndarray:
        try:
            samples = np.pad(audio.read(wavs[utterance_id]), (0, HOP))
        except (OSError, UserError) as error:
            raise unrecognised(utterance_id, wavs[utterance_id], error) from error
        features = extractor(
            samples,
            sampling_rate=audio.SAMPLE_RATE,
            padding=False,
            truncation=False,
            return_tensors="np",
        )
        return features["input_features"][0]

    return read


def _read_ahead(
    groups: Sequence[Sequence[str]],
    read: Callable[[str], np.ndarray],
    pool: ThreadPoolExecutor,
) -> Iterator[tuple[Sequence[str], list[np.ndarray]]]:
    """Each batch with its spectra, while the threads of `pool` read the next ones."""
    waiting: deque[tuple[Sequence[str], Any]] = deque()
    for group in groups:
        waiting.append((group, pool.map(read, group)))
        if len(waiting) > AHEAD:
            ids, spectra = waiting.popleft()
            yield ids, list(spectra)
    for ids, spectra in waiting:
        yield ids, list(spectra)


def _texts(
    whisper: Whisper,
    spectra: Sequence[np.ndarray],
    generate: Callable[[np.ndarray], list[list[int]]],
) -> list[str]:
    """The texts of recordings, window by window; those that end early leave the batch."""
    texts = [""] * len(spectra)
    starts = [0] * len(spectra)
    lengths = [spectrum.shape[1] - 1 for spectrum in spectra]
    while live := [k for k, start in enumerate(starts) if start < lengths[k]]:
        sizes = [min(WINDOW, lengths[k] - starts[k]) for k in live]
        shape = (len(live), len(spectra[0]), WINDOW)
        windows = np.zeros(shape, np.float32)
        for row, (k, size) in enumerate(zip(live, sizes, strict=True)):
            windows[row, :, :size] = spectra[k][:, starts[k] : starts[k] + size]
        for k, size, tokens in zip(live, sizes, generate(windows), strict=True):
            segments, step = split(tokens, size, whisper.first_timestamp)
            starts[k] += step
            said = [whisper.text(segment) for segment in segments]
            texts[k] += "".join(text for text in said if text.strip())
    return [text.strip() for text in texts]


def split(tokens: list[int], size: int, first: int) -> tuple[list[list[int]], int]:
    """The segments of a window's tokens, and the frames until the next window.

    `size` is the window's number of frames, `first` the token of 0.00 s. Two timestamps
    in a row end a segment and begin another. What follows the last pair is heard again,
    by the next window, unless one timestamp at the end says that all was said.
    """
    ends = [k for k in range(1, len(tokens)) if min(tokens[k - 1 : k + 1]) >= first]
    if not ends:
        return [tokens], size
    complete = tokens[-2] < first <= tokens[-1]
    step = (tokens[ends[-1] - 1] - first) * FRAMES_OF_TIMESTAMP
    if complete:
        ends.append(len(tokens))
        step = size
    starts = [0, *ends[:-1]]
    segments = [tokens[a:b] for a, b in zip(starts, ends, strict=True)]
    return [part for part in segments if part[0] != part[-1]], step


def _generator(whisper: Whisper, code: str) -> Callable[[np.ndarray], list[list[int]]]:
    """The function from windows (batch, num_mels, WINDOW) to each one's tokens."""
    prompt = torch.tensor([whisper.prompt(code)], device=whisper.model.device)
    start = prompt.shape[1]
    rules = GenerationConfig(
        eos_token_id=whisper.end,
        pad_token_id=whisper.end,
        decoder_start_token_id=int(prompt[0, 0]),
        max_new_tokens=MOST_TOKENS,
        do_sample=False,
        num_beams=1,
        no_timestamps_token_id=whisper.first_timestamp - 1,
        max_initial_timestamp_index=LATEST_START,
    )
    device = str(whisper.model.device)
    processors = LogitsProcessorList(
        [
            SuppressTokensLogitsProcessor(whisper.suppressed, device),
            SuppressTokensAtBeginLogitsProcessor(
                whisper.suppressed_first, start, device
            ),
            WhisperTimeStampLogitsProcessor(rules, start),
        ]
    )

    @torch.inference_mode()
    def generate(windows: np.ndarray) -> list[list[int]]:
        model = whisper.model
        features = torch.from_numpy(windows).to(model.device, model.dtype)
        # Whisper's own `generate` would cut windows by other rules than these.
        rows = GenerationMixin.generate(
            model,  # pyrefly: ignore[bad-argument-type]: the mixin's class is its own
            encoder_outputs=model.get_encoder()(features),
            attention_mask=torch.ones(len(windows), 1, device=model.device),
            decoder_input_ids=prompt.expand(len(windows), -1),
            generation_config=rules,
            logits_processor=processors,
        )
        tokens: list[list[int]] = rows[:, start:].tolist()
        return [row[: [*row, whisper.end].index(whisper.end)] for row in tokens]

    return generate
