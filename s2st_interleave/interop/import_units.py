"""Precomputed units in place of stage 4: text.km, fairseq's manifest and .km, or ark, scp.

    python -m s2st_interleave import_units --data_dir data/train --format text \\
        --src_lang es --src_units train.es.km --tgt_lang en --tgt_units train.en.km \\
        --num_units 1000 --unit_sec 0.02 --codebook mhubert-l11-km1000 \\
        --out_dir dump/units/train

Then ./run.sh --stage 5 --vocoder_dir exp/vocoder: the vocoder learns these units from the
corpus, and one that others share knows other ones. `--codebook` is the name you know these
units by: parts made of units of another name are refused, as those of another codebook are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave.artifact import Input, open_stage
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.errors import UserError
from s2st_interleave.interop import unit_files
from s2st_interleave.units import store

# Units may be fewer or more than the audio's length says: windows, and an encoder's
# padding. Units without repeats are far fewer.
SLACK_UNITS, SLACK_SHARE = 4, 0.02


@dataclass(frozen=True, kw_only=True)
class Options:
    data_dir: Path = option(REQUIRED, "data/<split>")
    src_lang: LanguageCode = option(REQUIRED, "source language code")
    tgt_lang: LanguageCode = option("en", "target language code")
    src_units: Path = option(REQUIRED, "file: text.km, x.km beside x.tsv, or x.scp")
    tgt_units: Path = option(REQUIRED, "the same of the target language")
    format: unit_files.Format = option("text", "of both files")
    num_units: int = option(REQUIRED, "K of the codebook")
    unit_sec: float = option(REQUIRED, "seconds of a unit: 0.02 at 50 a second")
    codebook: str = option(REQUIRED, "a name for it, the same for all splits")
    out_dir: Path = option(REQUIRED, "dump/units/<split> to write")
    overwrite: bool = option(False, "make it anew", runtime=True)


def run(options: Options) -> None:
    # 1. Is there anything to do?
    sources = {options.src_lang: options.src_units, options.tgt_lang: options.tgt_units}
    if len(sources) < 2:
        raise UserError(f"source and target language are both '{options.src_lang}'")
    stage = open_stage(
        options.out_dir,
        stage="units",
        options=options,
        inputs={
            "data": Input(options.data_dir, "data"),
            "kmeans": f"imported: {options.codebook}",
            **{f"{lang}.units": _input(path) for lang, path in sources.items()},
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return

    # 2. Every utterance of the split has units that fit its audio; others are aside.
    data = kaldi.DataDir(options.data_dir)
    num_frames = 0
    for language, path in sources.items():
        found = unit_files.read(path, options.format)
        durations = data.durations(language)
        check(path, found, durations, options)
        units = {utterance: found[utterance] for utterance in durations}
        if len(found) > len(units):
            print(f"units: {path}: {len(found) - len(units)} others are left aside")
        store.write_units(options.out_dir / f"units.{language}", units)
        num_frames += sum(map(len, units.values()))
    count = len(data.texts(options.src_lang))
    stage.finish(
        num_in=count,
        num_out=count,
        num_frames=num_frames,
        num_units=options.num_units,
        unit_sec=options.unit_sec,
        kmeans=f"imported: {options.codebook}",
    )


def _input(path: Path) -> Input | str:
    """Of an .scp the .ark counts: the .scp only says where things lie in it."""
    ark = path.with_suffix(".ark")
    return Input(ark if path.suffix == ".scp" and ark.is_file() else path)


def check(
    path: Path,
    units: Mapping[str, np.ndarray],
    durations: Mapping[str, float],
    options: Options,
) -> None:
    """UserError for the first utterance without units, or with such as cannot be its."""
    for utterance, seconds in durations.items():
        where = f"{path}: utterance {utterance}"
        if utterance not in units:
            raise UserError(f"{where} has no units")
        one = units[utterance]
        if len(one) and not 0 <= one.min() <= one.max() < options.num_units:
            raise UserError(f"{where}: units outside 0..{options.num_units - 1}")
        wanted = seconds / options.unit_sec
        if abs(len(one) - wanted) > SLACK_UNITS + SLACK_SHARE * wanted:
            raise UserError(
                f"{where}: {len(one)} units of {options.unit_sec:g} s, its audio of "
                f"{seconds:.2f} s has about {wanted:.0f}: are repeats taken out, or is "
                "--unit_sec another?"
            )
