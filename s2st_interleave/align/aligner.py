"""The words of a part's utterances, and where asked for their units from the same pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave.align import segmentation
from s2st_interleave.align.words import Word, equal_words, place_borders, write_words
from s2st_interleave.data import kaldi
from s2st_interleave.encoder.reader import Reader, Reading
from s2st_interleave.progress import progress
from s2st_interleave.shards import write_twin
from s2st_interleave.units import coding


@dataclass(frozen=True)
class Side:
    """Tables of one side by utterance id.

    `silent`: recordings that are missing, with silence in their place; nothing is measured
    there. `seconds` is empty where no batches are made. `units` is the folder for the units'
    parts, None where the pass makes no units.
    """

    texts: Mapping[str, str]
    wavs: Mapping[str, Path]
    seconds: Mapping[str, float]
    silent: set[str]
    units: Path | None


@dataclass(frozen=True)
class Aligner:
    """Aligns utterances that `reader` reads; `coder` makes units of the same readings."""

    reader: Reader
    min_gap_sec: float
    blank_edges: bool
    coder: coding.Coder | None = None

    def align(self, side: Side, ids: Sequence[str], path: Path) -> None:
        """Write the words of the utterances to `path`, and their units as its twin.

        Words that cannot be aligned get equal intervals and a reason.
        """
        aligned: dict[str, list[Word]] = {}
        faults: dict[str, str] = {}
        units: dict[str, np.ndarray] = {}
        coder = self.coder if side.units else None
        readings = self.reader.read(
            ids,
            side.wavs,
            side.seconds,
            ctc=True,
            layer=coder.layer if coder else None,
            reduce=coder.reduce if coder else None,
        )
        what = f"{path.parent.name} {path.name}"
        for utterance, reading in progress(readings, what, len(ids)):
            text = side.texts[utterance]
            # A text without a word counts as one silent word: evaluation data is not lost.
            words = segmentation.surface_words(text) or [text]
            try:
                if utterance in side.silent:
                    raise segmentation.Unalignable(f"{kaldi.NO_AUDIO}: silence")
                aligned[utterance] = self._words(utterance, words, reading)
            except segmentation.Unalignable as error:
                aligned[utterance] = equal_words(words, reading.duration_sec)
                faults[utterance] = str(error)
            if coder:
                units[utterance] = coder.units(reading)
        if side.units:
            write_twin(path, ids, side.units, lambda _, p: coding.write_part(p, units))
        write_words(path, aligned, faults)

    def _words(
        self, utterance: str, words: Sequence[str], reading: Reading
    ) -> list[Word]:
        """Raises Unalignable where the audio cannot hold the words."""
        encoder, log_probs = self.reader.encoder, reading.log_probs
        if log_probs is None or not np.isfinite(log_probs).all():
            raise ArithmeticError(f"{utterance}: the encoder's output is not finite")
        firings = segmentation.segment(
            log_probs,
            words,
            encoder.bpe,
            encoder.frame_sec,
            blank_edges=self.blank_edges,
        )
        return place_borders(words, firings, reading.duration_sec, self.min_gap_sec)
