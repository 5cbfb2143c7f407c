"""Stage 1: the corpus as distributed -> data/<split>, 16 kHz audio in dump/audio.

Training data may lose utterances, each with its reason in dropped.tsv. Dev and test lose
none: an utterance without a readable recording is kept with silence in its place, listed
in faults.<side>, and has an empty hypothesis that counts as missing in stage 9.

Recordings are compared by content. If the stage was interrupted or the corpus mended, or
with --overwrite true, only recordings are converted whose 16 kHz file is not up to date.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.archive import (
    Archive,
    Member,
    is_archive,
    listed,
    without_ending,
)
from s2st_interleave.data.corpus import Corpus, check_source
from s2st_interleave.data.declared import check_names
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages.data_dir import make
from s2st_interleave.stages.data_options import DataOptions


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    src_lang: LanguageCode = option(REQUIRED, "source language code")
    tgt_lang: LanguageCode = option("en", "target language code")
    common_voice: Path = option(
        REQUIRED, "cv-corpus-4-2019-12-10/<src>, or <src>.tar.gz"
    )
    covost: Path = option(REQUIRED, "covost_v2.<src>_<tgt>.tsv, or .tsv.tar.gz")
    cvss: Path = option(REQUIRED, "cvss_c_<src>_<tgt>_v1.0, or .tar.gz")
    unpack_dir: Path = option(
        Path("dump/unpacked"), "where tables of archives are unpacked", runtime=True
    )
    train_split: Literal["standard", "extended"] = option(
        "standard", "CoVoST's train, or with train_covost"
    )

    def spoken(self) -> dict[str, str]:
        return {"src": self.src_lang, "tgt": self.tgt_lang}


def run(options: Options) -> None:
    check_source(options.src_lang)
    parts = (options.common_voice, options.covost, options.cvss)
    check_names(parts, options.src_lang, options.tgt_lang)
    archives = {
        path: listed(path, options.unpack_dir) for path in parts if is_archive(path)
    }
    corpus = _corpus(options, archives)
    extended = options.train_split == "extended"
    utterances = corpus.pairs(options.split, extended=extended)
    inputs = {
        "validated": Input(corpus.validated),
        "covost": Input(corpus.covost),
        "cvss": Input(corpus.cvss / f"{options.split}.tsv"),
    }
    members: dict[str, Member] = {}
    for archive in archives.values():
        members |= archive.members
    make(options, utterances, inputs, members=members)


def _corpus(options: Options, archives: Mapping[Path, Archive]) -> Corpus:
    """The parts of the corpus, of which archives have the recordings of some."""
    audio: dict[Path, Path] = {}

    def folder(path: Path, wanted: str) -> Path:
        if path not in archives:
            return path
        inside = archives[path].folder(wanted)
        audio[archives[path].tables / inside] = path / inside
        return archives[path].tables / inside

    tsv = without_ending(options.covost.name)
    covost = folder(options.covost, tsv)
    return Corpus(
        folder(options.common_voice, "validated.tsv"),
        covost if covost == options.covost else covost / tsv,
        folder(options.cvss, f"{options.split}.tsv"),
        audio,
    )
