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

from s2st_interleave.align.words import Word, read_each
from s2st_interleave.promises import DONE
from s2st_interleave.values import Device

if TYPE_CHECKING:
    from s2st_interleave.align.aligner import Aligner

MIN_GAP_SEC = 0.32  # as stage 3 has it


@dataclass(frozen=True)
class Placed:
    """Words and their times, or the reason why there are none."""

    words: tuple[Word, ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class Listener:
    """The encoder that says when words were heard; it is loaded when it is first asked."""

    encoder: Path | None
    device: Device

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
        if not spoken:
            return {}
        # Seconds of torch come with this import.
        from s2st_interleave.align.aligner import Side

        side = Side(spoken, wavs, {}, set(), None)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report" / name
            self._aligner.align(side, sorted(spoken), path)
            lines = list(read_each([path]))
        return {line.id: _placed(line.words, line.fault) for line in lines}

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


def _placed(words: list[Word], fault: str | None) -> Placed:
    if fault:
        return Placed(fault=f"no word times: {fault}")
    return Placed(tuple(words))
