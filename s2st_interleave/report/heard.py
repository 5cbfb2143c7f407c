"""When the words that the recogniser heard are spoken in a system's speech.

The recogniser keeps no times. The recipe's own encoder aligns its text to the speech as
stage 3 aligns transcripts (paper Sec. 3.2), which is quick for a few recordings.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from s2st_interleave.align.words import (
    MIN_GAP_SEC,
    Word,
    line_text,
    read_each,
    read_line,
)
from s2st_interleave.errors import UserError
from s2st_interleave.promises import DONE
from s2st_interleave.score.asr_cache import Keep, kept
from s2st_interleave.stage_dir import Input
from s2st_interleave.values import Device

if TYPE_CHECKING:
    from s2st_interleave.align.aligner import Aligner


@dataclass(frozen=True)
class Placed:
    """Words and their times, or the reason why there are none."""

    words: tuple[Word, ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class Listener:
    """The encoder that says when words were heard.

    It is loaded when it is first asked of a recording and a text that `cache` does not
    have: a page that is made again takes no encoder.
    """

    encoder: Path | None
    device: Device
    cache: Path  # what was heard before, as score/asr_cache.py keeps it

    def place(
        self, name: str, texts: Mapping[str, str], wavs: Mapping[str, Path]
    ) -> dict[str, Placed]:
        """Word times of the texts that were heard in `wavs`, by utterance id.

        `name` is the system's, for the progress line. Raises UserError where the encoder
        or a recording cannot be read.
        """
        spoken = {u: text for u, text in texts.items() if u in wavs and text.split()}
        if self.encoder is None or not is_finished(self.encoder):
            where = f"no finished encoder in {self.encoder}"
            where = where if self.encoder else "no --encoder given"
            return {u: Placed(fault=f"no word times: {where}") for u in spoken}

        def compute(unplaced: Mapping[str, Path], keep: Keep) -> None:
            for utterance, line in self._align(name, spoken, unplaced).items():
                keep(utterance, line)

        lines = kept(
            {u: wavs[u] for u in spoken},
            lambda u: [self._made_by, spoken[u]],
            self.cache,
            compute,
        )
        return {u: self._placed(line) for u, line in lines.items()}

    def _align(
        self, name: str, texts: Mapping[str, str], wavs: Mapping[str, Path]
    ) -> dict[str, str]:
        """The lines that stage 3 writes, without the id: it says nothing of the audio."""
        # Seconds of torch come with this import.
        from s2st_interleave.align.aligner import Side

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report" / name
            self._aligner.align(Side(texts, wavs, {}, set(), None), sorted(wavs), path)
            return {
                line.id: line_text("", line.words, line.fault)
                for line in read_each([path])
            }

    def _placed(self, text: str) -> Placed:
        try:
            line = read_line(text)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise UserError(
                f"{self.cache}: no line of words: {error}; remove the folder to hear anew"
            ) from None
        if line.fault:
            return Placed(fault=f"no word times: {line.fault}")
        return Placed(tuple(line.words))

    @cached_property
    def _made_by(self) -> list[str | float]:
        """All but audio and text that a word's times follow from."""
        assert self.encoder
        return ["words", Input(self.encoder, "encoder").fingerprint(), MIN_GAP_SEC]

    @cached_property
    def _aligner(self) -> "Aligner":
        from s2st_interleave.align.aligner import Aligner
        from s2st_interleave.encoder.reader import Reader, ReaderOptions

        assert self.encoder
        reader = Reader(self.encoder, ReaderOptions(device=self.device))
        return Aligner(reader, MIN_GAP_SEC, True)


def is_finished(encoder: Path | None) -> bool:
    """Whether there is an encoder that can say when words were heard."""
    return encoder is not None and (encoder / DONE).is_file()
