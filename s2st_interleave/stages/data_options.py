"""Stage 1: options of every command that makes a data directory from recordings."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from s2st_interleave.config import MOST_JOBS, REQUIRED, option
from s2st_interleave.data.channels import HELP, MIX, Channels
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.data.levels import NEAR_SILENT
from s2st_interleave.data.sides import Side, by_role
from s2st_interleave.effects import Void
from s2st_interleave.errors import UserError


@dataclass(frozen=True, kw_only=True)
class DataOptions(ABC):
    """Where a data directory lies, and what an utterance must be like to be in it."""

    data_dir: Path = option(REQUIRED, "data/<split> to write")
    audio_dir: Path = option(REQUIRED, "dump/audio/<split>: 16 kHz audio to write")
    split: Literal["train", "dev", "test"] = option(REQUIRED, "which split")
    min_sec: float = option(0.3, "shorter training audio is dropped", minimum=0)
    max_sec: float = option(30.0, "longer training audio is dropped", above=0)
    max_drop_rate: float = option(
        0.05,
        "drop more of the training data and fail",
        runtime=True,
        minimum=0,
        maximum=1,
    )
    max_missing_rate: float = option(
        0.01,
        "more of dev or test without readable audio, and fail",
        runtime=True,
        minimum=0,
        maximum=1,
    )
    src_channels: Channels = option(
        MIX, f"of the first side's recordings: {HELP}", new=True
    )
    tgt_channels: Channels = option(MIX, "of the second side's, likewise", new=True)
    near_silent: float = option(
        NEAR_SILENT,
        "dBFS, root mean square: quieter utterances are reported",
        new=True,
        maximum=0,
    )
    drop_near_silent: bool = option(False, "and dropped, from training data", new=True)
    audio_format: Literal["flac", "ark"] = option(
        "flac",
        "of 16 kHz audio: a FLAC an utterance, or Kaldi archives of 2,000 FLACs; audio "
        "that was deleted is made again as it was",
        runtime=True,
    )
    nj: int = option(2, "threads", runtime=True, minimum=1, maximum=MOST_JOBS)
    overwrite: bool = option(False, "make it anew", runtime=True)

    @abstractmethod
    def spoken(self) -> dict[str, str]:
        """Languages by role; the first side speaks first."""

    def channels(self) -> dict[str, Channels]:
        """Which channels are read, by role."""
        chosen = (self.src_channels, self.tgt_channels)
        roles = self.spoken()
        return dict.fromkeys(roles, MIX) | dict(zip(roles, chosen, strict=False))


@dataclass(frozen=True, kw_only=True)
class SidesOptions(DataOptions):
    """Of a corpus of one's own, whose sides may be any: by default src and tgt."""

    src_lang: LanguageCode | None = option(None, "source language code")
    tgt_lang: LanguageCode = option("en", "target language code")
    sides: tuple[Side, ...] = option(
        (),
        "roles and their languages in place of src and tgt, which may be one language: "
        "'user=en agent=en'",
        new=True,
    )

    def spoken(self) -> dict[str, str]:
        if self.sides:
            return by_role(self.sides)
        if self.src_lang is None:
            raise UserError("missing --src_lang, or --sides")
        return {"src": self.src_lang, "tgt": self.tgt_lang}

    def voids(self) -> list[Void]:
        names = ("src_lang", "tgt_lang")
        return [Void("sides", "that are not named", names)] if self.sides else []
