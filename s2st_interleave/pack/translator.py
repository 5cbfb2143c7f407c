"""A recording in, a recording out, along the very code of stages 1, 4, 7 and 8."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.data import audio
from s2st_interleave.data.channels import MIX, Channels
from s2st_interleave.data.checks import LONGEST_UTTERANCE
from s2st_interleave.data.levels import NEAR_SILENT, Level
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.pack import folder

NAME = "recording"  # an id where the code of the stages wants one


@dataclass(frozen=True)
class Spoken:
    """A translation: its texts, int32 units of source and target, float32 samples."""

    transcript: str
    translation: str
    source: np.ndarray
    units: np.ndarray
    samples: np.ndarray


@dataclass(frozen=True)
class Translator:
    """The four models of a packed folder."""

    description: folder.Description
    encoder: Any
    codebook: Any
    llm: Any
    vocoder: Any

    @classmethod
    def load(
        cls, directory: Path, device: Any = "cpu", *, bf16: bool = False
    ) -> "Translator":
        """`bf16`: the LLM's products. Raises UserError where a file is not what was packed."""
        from s2st_interleave.encoder.speech_encoder import SpeechEncoder
        from s2st_interleave.llm.model import SpeechLlm
        from s2st_interleave.units.kmeans import Codebook
        from s2st_interleave.vocoder import backends

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
        return self.vocoder.sample_rate

    def translate(self, samples: np.ndarray) -> Spoken:
        """Translate float32 (num_samples,) at 16 kHz.

        Raises UserError where the LLM answers without speech.
        """
        from s2st_interleave.decode.generate import Limits, answer_all

        how = self.description
        features = self.encoder.forward(samples, how.layer)
        source = self.codebook.assign(features)
        limits = Limits(
            how.max_text_tokens, how.max_unit_ratio, num_beams=how.num_beams
        )
        layout = Layout.parse(how.layout)
        question = {block.name: source for block in layout.given}
        answers = answer_all(
            {NAME: question}, self.llm, layout, prompt=how.prompt, limits=limits
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
    """16 kHz mono samples in 16 bits, as stage 1 leaves them to the stages after it.

    Any rate, number of channels and format that stage 1 reads; what is odd about it is
    printed. Raises UserError for what cannot be read and what is too short or too long.
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
