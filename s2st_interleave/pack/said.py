"""The answer to a recording: texts, speech, and when each word was spoken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr

from s2st_interleave.align.quality import MIN_SCORE, USUAL
from s2st_interleave.align.words import MIN_GAP_SEC, Word, mean_score, place_borders
from s2st_interleave.data import audio
from s2st_interleave.decode.outputs import Answer
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.pack import speech_file
from s2st_interleave.pack.clips import Clip, Refused

if TYPE_CHECKING:
    from s2st_interleave.encoder.speech_encoder import SpeechEncoder

Words = tuple[Word, ...]


@dataclass(frozen=True)
class Times:
    """When words were spoken, in seconds, as the model's own encoder hears them.

    `transcript`: words in the recording; `translation`: words in the answer's speech. Each
    is CTC segmentation (stage 3) of a text that the model itself wrote: a word's `score`,
    the mean log probability of its tokens, is -0.1 to -1 where the text fits the sound, and
    below -4 where it does not. None: no such text or speech, or the text does not fit in.
    `unit_sec`: unit k of the answer is spoken from k to k + 1 times so many seconds on,
    which is exact; None for an answer without speech.
    """

    transcript: Words | None
    translation: Words | None
    unit_sec: float | None


@dataclass(frozen=True, eq=False)
class Said:
    """The answer about `clip`.

    `answer` has texts and int32 units (num_units,) by block of the task (`tgt_text`), the
    other members are what most tasks have. `samples` are float32 (num_samples,) at `rate`
    Hz, and none (0,) where the LLM stopped before it spoke; `samples` and `rate` are None
    for a task that answers in text. `source_units` are the recording's.
    """

    clip: Clip
    answer: Answer
    layout: Layout
    languages: Mapping[str, str]  # by side
    source_units: np.ndarray
    samples: np.ndarray | None
    rate: int | None
    encoder: "SpeechEncoder" = field(repr=False)

    @property
    def transcript(self) -> str | None:
        """What was said, as the LLM wrote it; None for a task without that block."""
        return self.answer.texts.get(f"{self._given}_text")

    @property
    def translation(self) -> str | None:
        """The text of the other side; None for a task without one."""
        return next(
            (
                self.answer.texts[block.name]
                for block in self.layout.wanted
                if block.kind == "text" and block.side != self._given
            ),
            None,
        )

    @property
    def units(self) -> np.ndarray | None:
        """int32 units (num_units,) of the answer's last speech; None for none."""
        return self.answer.units[f"{self._spoken}_speech"] if self._spoken else None

    @property
    def seconds(self) -> float | None:
        """Of the answer's speech; None for a task that answers in text."""
        if self.samples is None or self.rate is None:
            return None
        return round(len(self.samples) / self.rate, 3)

    @cached_property
    def times(self) -> Times:
        """See `Times`; worked out when asked for, by a pass of the encoder a text."""
        translation = None
        if self.samples is not None and self.rate and len(self.samples):
            text = self.answer.texts.get(f"{self._spoken}_text")
            heard = soxr.resample(self.samples, self.rate, audio.SAMPLE_RATE)
            translation = _words(self.encoder, heard.astype(np.float32), text)
        return Times(
            transcript=self._transcript_words,
            translation=translation if self._spoken != self._given else None,
            unit_sec=self.encoder.frame_sec if self._spoken else None,
        )

    @property
    def doubt(self) -> str:
        """Why the answer may be made up; "" where its transcript fits the recording.

        A model writes the sentences of its corpus about voices, sounds and languages that
        its encoder does not hear. It costs the pass of the encoder that `times` makes.
        """
        from s2st_interleave.align.segmentation import surface_words

        if not surface_words(self.transcript or ""):
            return ""
        score = mean_score(self._transcript_words or ())
        if score is not None and score >= MIN_SCORE:
            return ""
        reason = "its words have no room there"
        if score is not None:
            reason = f"mean word score {score:.1f}; {USUAL}"
        return (
            f"the transcript does not fit the recording ({reason}): the answer may be "
            "made up"
        )

    def save(self, path: str | Path) -> Path:
        """Write the speech as a .wav, .flac, .aiff, .ogg or .mp3, and return its path.

        Raises UserError where there is no speech, or the ending cannot be written.
        """
        self.check_speech()
        assert self.samples is not None and self.rate is not None
        speech_file.write(Path(path), self.samples, self.rate)
        return Path(path)

    def check_speech(self) -> None:
        """Raise UserError where there is no speech to hear."""
        if self.samples is None:
            raise UserError(f"task '{self.layout}' answers in text: nothing to save")
        if not len(self.samples):
            raise Refused(
                "no speech in the answer",
                f"{self.clip.name}: no speech in the answer ('{self.answer.texts}')",
            )

    def to_json(self) -> dict[str, Any]:
        """Texts, seconds and times as plain JSON values; times are [word, from, to, score]."""
        return {
            "transcript": self.transcript,
            "translation": self.translation,
            "seconds": round(self.clip.seconds, 3),
            "translation_seconds": self.seconds,
            "languages": dict(self.languages),
            "times": {
                "transcript": _rows(self.times.transcript),
                "translation": _rows(self.times.translation),
                "unit_sec": self.times.unit_sec,
            },
            "remarks": self.remarks,
        }

    @property
    def remarks(self) -> list[str]:
        """About the recording's channels and level, and about the answer."""
        return [*self.clip.remarks, *self.answer_remarks]

    @property
    def answer_remarks(self) -> list[str]:
        """What was cut, and the doubt."""
        cut = [
            f"{'the ' * (block.kind == 'text')}{self.layout.title(block)} ended at its "
            "limit of length, and may be cut"
            for block in self.layout.wanted
            if block.name in self.answer.cut
        ]
        return [*cut, *filter(None, [self.doubt])]

    @cached_property
    def _transcript_words(self) -> Words | None:
        return _words(self.encoder, self.clip.samples, self.transcript)

    def __repr__(self) -> str:
        texts = ", ".join(f"{k}={v!r}" for k, v in self.answer.texts.items())
        return f"Said({self.clip.name}: {texts}; {self.seconds or 0} s of speech)"

    @property
    def _given(self) -> str:
        return next(b.side for b in self.layout.given if b.kind == "speech")

    @property
    def _spoken(self) -> str:
        """The side of the answer's last speech; "" for an answer in text."""
        sides = [b.side for b in self.layout.wanted if b.kind == "speech"]
        return sides[-1] if sides else ""


def _words(
    encoder: "SpeechEncoder", samples: np.ndarray, text: str | None
) -> Words | None:
    """The words of `text` in float32 samples (num_samples,) at 16 kHz."""
    from s2st_interleave.align import segmentation

    words = segmentation.surface_words(text or "")
    if not words:
        return None
    try:
        firings = segmentation.segment(
            encoder.forward(samples), words, encoder.bpe, encoder.frame_sec
        )
    except segmentation.Unalignable:
        return None
    seconds = len(samples) / audio.SAMPLE_RATE
    return tuple(place_borders(words, firings, seconds, MIN_GAP_SEC))


def _rows(words: Words | None) -> list[list[Any]] | None:
    if words is None:
        return None
    return [[word.text, word.start_sec, word.end_sec, word.score] for word in words]
