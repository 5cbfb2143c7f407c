"""Translates a recording with the code of stages 1, 4, 7 and 8."""

import tempfile
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
    """A translation: its texts, int32 units (num_units,), float32 samples (num_samples,).

    `source` are units of the recording, `units` those of the answer.
    """

    transcript: str
    translation: str
    source: np.ndarray
    units: np.ndarray
    samples: np.ndarray


@dataclass(frozen=True)
class Translator:
    """The four models of a packed folder."""

    description: folder.Description
    encoder: SpeechEncoder
    codebook: Codebook
    llm: SpeechLlm
    vocoder: Vocoder

    @classmethod
    def load(
        cls,
        directory: Path,
        device: torch.device | str = "cpu",
        *,
        bf16: bool = False,
    ) -> "Translator":
        """Load a packed folder; with `bf16` the LLM's products are in bf16.

        Raises UserError where a file is not as it was packed.
        """
        folder.check_sums(directory)
        return cls(
            description=folder.Description.read(directory),
            encoder=SpeechEncoder.load(directory / "encoder", device),
            codebook=Codebook.load(directory / "kmeans"),
            llm=SpeechLlm.load(directory / "llm", device, bf16=bf16),
            vocoder=backends.load(directory / "vocoder", device),
        )

    @property
    def sample_rate(self) -> int:
        """Samples a second of the translations."""
        return self.vocoder.sample_rate

    def translate(self, samples: np.ndarray) -> Spoken:
        """Translate float32 samples (num_samples,) at 16 kHz.

        Raises UserError where the LLM answers without speech.
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
        units = answer.units["tgt_speech"]
        if not len(units):
            raise UserError(f"no speech in the answer ('{answer.texts}')")
        return Spoken(
            transcript=answer.texts.get("src_text", ""),
            translation=answer.texts.get("tgt_text", ""),
            source=source,
            units=units,
            samples=self.vocoder.synthesise(units),
        )


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
