"""Answers recordings with a packed model, by the code of stages 1, 4, 7 and 8."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from s2st_interleave import hub
from s2st_interleave.data.channels import MIX, Channels
from s2st_interleave.data.levels import NEAR_SILENT
from s2st_interleave.encoder.reader import neighbours
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.sequence import prompt_ids
from s2st_interleave.pack import clips, folder
from s2st_interleave.pack.clips import Bounds, Clip, Refused
from s2st_interleave.pack.said import Said
from s2st_interleave.values import Device

if TYPE_CHECKING:
    from s2st_interleave.decode.generate import Trial
    from s2st_interleave.decode.outputs import Answer
    from s2st_interleave.encoder.speech_encoder import SpeechEncoder
    from s2st_interleave.llm.model import SpeechLlm
    from s2st_interleave.units.kmeans import Codebook
    from s2st_interleave.vocoder.base import Vocoder

BATCH_SIZE = 32  # answers that are written at once
GPU_BATCH_SEC = (
    120.0  # of audio that the encoder reads at once; on a CPU that wins nothing
)


@dataclass(frozen=True, eq=False, repr=False)
class Translator:
    """The models of a packed folder; no vocoder where the task answers in text alone.

    t = Translator.from_pretrained("folder"); said = t("in.wav"); said.save("out.wav")
    """

    description: folder.Description
    bounds: Bounds
    encoder: "SpeechEncoder"
    codebook: "Codebook"
    llm: "SpeechLlm"
    vocoder: "Vocoder | None"
    batch_sec: float

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        revision: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
        min_sec: float = 0.3,
        max_sec: float = 30.0,
        min_dbfs: float = NEAR_SILENT,
        channels: str = MIX,
        verify: bool = True,
    ) -> "Translator":
        """Load a folder of stage 11, or what the hub holds under `owner/name@revision`.

        `device` and `dtype` (auto, fp32, bf16; of the LLM) are as in stage 7. Recordings
        shorter or longer than the bounds in seconds, or below `min_dbfs`, are refused;
        `channels` are mix, refuse, left, right or a number from 1. `verify` compares all
        checksums. Raises UserError where there is no such model, or a file is not as it
        was packed.
        """
        bounds = Bounds(
            min_sec, max_sec, min_dbfs, _option(Channels, channels, "channels")
        )
        on = _option(Device, device, "device")
        if dtype not in ("auto", "fp32", "bf16"):
            raise UserError(f"dtype is '{dtype}', wants: auto, fp32 or bf16")
        directory = hub.snapshot(name, revision)
        if verify:
            folder.check_sums(directory)
        description = folder.Description.read(directory)

        from s2st_interleave.device import resolve_device
        from s2st_interleave.encoder.speech_encoder import SpeechEncoder
        from s2st_interleave.llm.model import SpeechLlm
        from s2st_interleave.precision import use_bf16
        from s2st_interleave.units.kmeans import Codebook
        from s2st_interleave.vocoder import backends

        place = resolve_device(on)
        bf16 = use_bf16(dtype, place)
        vocoder = None
        if description.speaks:
            vocoder = backends.load(directory / "vocoder", place)
            # A package that it lacks shows now, and not after the first answer.
            vocoder.synthesise(np.zeros(1, np.int32))
        batch_sec = 0.0 if place.type == "cpu" else GPU_BATCH_SEC
        return cls(
            description=description,
            bounds=bounds,
            encoder=SpeechEncoder.load(
                directory / "encoder", place, batched=batch_sec > 0
            ),
            codebook=Codebook.load(directory / "kmeans"),
            llm=SpeechLlm.load(directory / "llm", place, bf16=bf16),
            vocoder=vocoder,
            batch_sec=batch_sec,
        )

    def __call__(self, source: Any, rate: int | None = None) -> Said:
        """Answer about a path, an array with its rate, or a binary file: see `clips.read`.

        Raises UserError for a recording that is not translated: one that cannot be read,
        is too short, too long, or silent.
        """
        return self.batch([source], rate)[0]

    def batch(self, sources: Iterable[Any], rate: int | None = None) -> list[Said]:
        """The answers about several recordings, in their order, faster than one by one.

        `rate` is that of sources that are arrays. Raises UserError as a call does, for the
        first recording that is not translated, before any is.
        """
        return self.answer([self.read(source, rate) for source in sources])

    def read(self, source: Any, rate: int | None = None) -> Clip:
        """A recording within the bounds, and short enough for the LLM; else UserError."""
        clip = clips.read(source, rate, self.bounds)
        self.check_room(clip)
        return clip

    def check_room(self, clip: Clip) -> None:
        """Raise Refused for a recording that leaves the LLM no position for an answer."""
        most = self.llm.max_length
        num_units = self.encoder.frontend.frames(len(clip.samples))
        given = [range(num_units)] * len(self.layout.given)
        num_tokens = len(prompt_ids(given, self.llm.vocabulary, self._prompt))
        if most is not None and num_tokens >= most:
            raise Refused(
                "too long",
                f"{clip.name}: {clip.seconds:.0f} s are {num_tokens} tokens, and the LLM "
                f"has positions for {most}, its answer included: cut it into sentences",
            )

    def answer(self, recordings: Sequence[Clip]) -> list[Said]:
        """The answers about recordings that `read` gave, in their order.

        Greedy answers are written in one batch, which they leave as they end. On a GPU the
        encoder reads recordings of similar lengths at once.
        """
        from s2st_interleave.decode.generate import Limits, answer_all

        packed = self.description
        units = self._units(recordings)
        names = [f"{number:06}" for number in range(len(units))]
        given = {
            name: {block.name: each for block in self.layout.given}
            for name, each in zip(names, units, strict=True)
        }
        limits = Limits(
            packed.max_text_tokens, packed.max_unit_ratio, num_beams=packed.num_beams
        )
        answers = answer_all(
            given,
            self.llm,
            self.layout,
            prompt=packed.prompt,
            limits=limits,
            batch_size=BATCH_SIZE,
            trial=self._trial,
        )
        return [
            self._said(clip, source, answers[name])
            for clip, source, name in zip(recordings, units, names, strict=True)
        ]

    @cached_property
    def layout(self) -> Layout:
        """The blocks of the task."""
        return Layout.parse(self.description.layout)

    @property
    def rate(self) -> int | None:
        """Samples a second of the answers' speech; None for a task without."""
        return self.vocoder.sample_rate if self.vocoder else None

    @property
    def languages(self) -> dict[str, str]:
        """Language codes by side of the task."""
        return dict(self.description.sides)

    def __repr__(self) -> str:
        spoken = ", ".join(f"{k}: {v}" for k, v in self.languages.items())
        return f"Translator({self.layout}; {spoken}; {self.description.system})"

    @cached_property
    def _prompt(self) -> list[int]:
        text = self.description.prompt
        return self.llm.encode(text) if text else []

    @cached_property
    def _trial(self) -> "Trial":
        from s2st_interleave.decode.generate import Trial

        return Trial()

    def _units(self, recordings: Sequence[Clip]) -> list[np.ndarray]:
        """int32 units (num_units,) of each recording."""
        seconds = {index: clip.seconds for index, clip in enumerate(recordings)}
        order = sorted(seconds, key=lambda index: (seconds[index], index))
        units: dict[int, np.ndarray] = {}
        front, layer = self.encoder.frontend, self.description.layer
        for part in neighbours(order, seconds, self.batch_sec):
            features = [front.features(recordings[index].samples) for index in part]
            for heard in self.encoder.hear(features, ctc=False, layer=layer):
                assert heard.frames is not None
                frames = heard.frames.cpu().numpy()
                for row, (place, count) in enumerate(heard.rows):
                    units[part[place]] = self.codebook.assign(frames[row, :count])
        return [units[index] for index in seconds]

    def _said(self, clip: Clip, source: np.ndarray, answer: "Answer") -> Said:
        samples = None
        if self.vocoder is not None:
            units = list(answer.units.values())[-1]
            samples = np.zeros(0, np.float32)
            if len(units):
                samples = self.vocoder.synthesise(units)
        return Said(
            clip,
            answer,
            self.layout,
            self.languages,
            source,
            samples,
            self.rate,
            self.encoder,
        )


def _option(kind: Any, value: Any, name: str) -> Any:
    """`value` as `kind`; UserError that names the argument."""
    try:
        return kind(str(value))
    except ValueError as error:
        raise UserError(f"{name} is '{value}', wants: {error}") from None
