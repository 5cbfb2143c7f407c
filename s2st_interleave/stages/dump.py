"""Stage 5: units, words and unit spans of every utterance, free of any text ratio."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave.align.words import Word, read_words
from s2st_interleave.artifact import Input, open_stage, read_done
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.errors import UserError
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.segments import Side, to_unit_spans
from s2st_interleave.units import store


@dataclass(frozen=True, kw_only=True)
class Options:
    align_dir: Path = option(REQUIRED, "dump/align/<split>")
    units_dir: Path = option(REQUIRED, "dump/units/<split>")
    out_dir: Path = option(REQUIRED, "dump/interleave/<split> to write")
    src_lang: LanguageCode = option(REQUIRED, "source language code")
    tgt_lang: LanguageCode = option("en", "target language code")
    overwrite: bool = option(False, "make it anew", runtime=True)


def run(options: Options) -> None:
    # 1. Is there anything to do?
    stage = open_stage(
        options.out_dir,
        stage="dump",
        options=options,
        inputs={
            "align": Input(options.align_dir, "align"),
            "units": Input(options.units_dir, "units"),
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    facts = read_done(options.units_dir, "units")["facts"]
    vocabulary = dump.UnitVocabulary(facts["num_units"], facts["unit_sec"])

    # 2. Join words and units by utterance id.
    sides = {}
    for name in (options.src_lang, options.tgt_lang):
        words = read_words(options.align_dir / f"words.{name}.jsonl")
        units = store.read_units(options.units_dir / f"units.{name}")
        strangers = sorted(words.keys() - units.keys())
        if strangers:
            raise UserError(f"{options.units_dir}: no {name} units of {strangers[0]}")
        sides[name] = {
            k: _side(words[k], units[k], vocabulary.unit_sec) for k in sorted(words)
        }
        dropped = dict.fromkeys(units.keys() - words.keys(), "not aligned in stage 3")
    source, target = sides[options.src_lang], sides[options.tgt_lang]
    utterances = [dump.Utterance(k, source[k], target[k]) for k in source]

    # 3. Write, and say how much of the speech belongs to no word.
    dump.write(options.out_dir, utterances, vocabulary)
    stage.finish(
        num_in=len(utterances) + len(dropped),
        num_out=len(utterances),
        dropped=dropped,
        gap_share_src=_gap_share([one.src for one in utterances]),
        gap_share_tgt=_gap_share([one.tgt for one in utterances]),
        num_units_src=sum(len(one.src.units) for one in utterances),
        num_units_tgt=sum(len(one.tgt.units) for one in utterances),
    )


def _side(words: list[Word], units: np.ndarray, unit_sec: float) -> Side:
    times = [(word.start_sec, word.end_sec) for word in words]
    spans = to_unit_spans(times, unit_sec, len(units))
    return Side(units, tuple(word.text for word in words), spans)


def _gap_share(sides: list[Side]) -> float:
    """Share of the units that lie in gaps between words."""
    total = sum(len(side.units) for side in sides)
    in_words = sum(int((side.spans[:, 1] - side.spans[:, 0]).sum()) for side in sides)
    return round(1 - in_words / total, 4)
