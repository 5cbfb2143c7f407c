"""Translates a recording with the code of stages 1, 4, 7 and 8."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from s2st_interleave.data import audio
from s2st_interleave.data.channels import MIX, Channels
from s2st_interleave.data.checks import LONGEST_UTTERANCE
from s2st_interleave.data.levels import NEAR_SILENT, Level
from s2st_interleave.decode.generate import Limits, answer_all
from s2st_interleave.encoder.speech_encoder import SpeechEncoder
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.llm.model import SpeechLlm
from s2st_interleave.pack import folder
from s2st_interleave.units.kmeans import Codebook
from s2st_interleave.vocoder import backends
from s2st_interleave.vocoder.base import Vocoder

NAME = "recording"  # the id of the only utterance


@dataclass(frozen=True)
class Spoken:
    """The answer to a recording, by block of the task such as `tgt_text`.

    `texts` and `units`, int32 (num_units,), are the blocks in their order; `source` are the
    units of the recording. `samples`, float32 (num_samples,), are the last spoken block's;
    None where the task answers in text alone.
    """

    texts: Mapping[str, str]
    units: Mapping[str, np.ndarray]
    source: np.ndarray
    samples: np.ndarray | None


@dataclass(frozen=True)
class Translator:
    """The models of a packed folder; no vocoder where the task answers in text alone."""

    description: folder.Description
    encoder: SpeechEncoder
    codebook: Codebook
    llm: SpeechLlm
    vocoder: Vocoder | None

    @classmethod
    def load(
        cls,
        directory: Path,
        device: torch.device | str = "cpu",
        *,
        bf16: bool = False,
    ) -> "Translator":
        """Load a packed folder; with `bf16` the LLM's weights are in bf16.

        Raises UserError where a file is not as it was packed.
        """
        folder.check_sums(directory)
        description = folder.Description.read(directory)
        vocoder = None
        if Layout.parse(description.layout).speaks:
            vocoder = backends.load(directory / "vocoder", device)
        return cls(
            description=description,
            encoder=SpeechEncoder.load(directory / "encoder", device),
            codebook=Codebook.load(directory / "kmeans"),
            llm=SpeechLlm.load(directory / "llm", device, bf16=bf16),
            vocoder=vocoder,
        )

    @property
    def sample_rate(self) -> int:
        """Samples a second of the spoken answers."""
        return self.vocoder.sample_rate if self.vocoder else audio.SAMPLE_RATE

    def translate(self, samples: np.ndarray) -> Spoken:
        """Answer float32 samples (num_samples,) at 16 kHz, as the packed task says.

        Raises UserError where the LLM answers without speech that the task asks for.
        """
        packed = self.description
        features = self.encoder.forward(samples, packed.layer)
        source = self.codebook.assign(features)
        limits = Limits(
            packed.max_text_tokens, packed.max_unit_ratio, num_beams=packed.num_beams
        )
        layout = Layout.parse(packed.layout)
        question = {block.name: source for block in layout.given}
        answers = answer_all(
            {NAME: question}, self.llm, layout, prompt=packed.prompt, limits=limits
        )
        answer = answers[NAME]
        samples_out = None
        if self.vocoder is not None:
            units = list(answer.units.values())[-1]
            if not len(units):
                raise UserError(f"no speech in the answer ('{answer.texts}')")
            samples_out = self.vocoder.synthesise(units)
        return Spoken(answer.texts, answer.units, source, samples_out)


def read_recording(
    path: Path, *, min_sec: float, max_sec: float, channels: Channels = MIX
) -> np.ndarray:
    """16 kHz mono samples (num_samples,), rounded to 16 bits as stage 1 rounds them.

    All rates, channels and formats of stage 1 are read; odd levels and channels are
    printed. Raises UserError for a recording that cannot be read, is too short or too long.
    """
    longest = LONGEST_UTTERANCE * max_sec
    recording = audio.load(path, channels=channels, longest_sec=longest)
    if recording.note:
        print(f"{path}: {recording.note} (--channels chooses)", flush=True)
    for remark in Level.of(recording).remarks(NEAR_SILENT):
        print(f"{path}: {remark}", flush=True)
    samples = recording.samples
    seconds = len(samples) / audio.SAMPLE_RATE
    if seconds < min_sec:
        raise UserError(
            f"{path}: {seconds:.2f} s is too short to hold a word (--min_sec {min_sec:g})"
        )
    if seconds > max_sec:
        raise UserError(
            f"{path}: {seconds:.0f} s is more than the {max_sec:g} s of a training "
            "utterance: cut it into sentences, or raise --max_sec"
        )
    with tempfile.TemporaryDirectory() as place:
        rounded = Path(place) / "recording.flac"
        audio.write(rounded, samples)
        return audio.read(rounded)
