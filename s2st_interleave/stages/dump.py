"""Stage 5: units, words and unit spans of every utterance, free of any text ratio."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave import drops
from s2st_interleave.align.words import Word, read_words
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.segments import Side, to_unit_spans
from s2st_interleave.promises import DONE
from s2st_interleave.stage_dir import Input, open_stage, read_done
from s2st_interleave.stages import too_long
from s2st_interleave.units import store


@dataclass(frozen=True, kw_only=True)
class Options(too_long.LimitOptions):
    align_dir: Path = option(REQUIRED, "dump/align/<split>")
    units_dir: Path = option(REQUIRED, "dump/units/<split>")
    out_dir: Path = option(REQUIRED, "dump/interleave/<split> to write")
    src_lang: LanguageCode = option(REQUIRED, "source language code")
    tgt_lang: LanguageCode = option("en", "target language code")
    overwrite: bool = option(False, "make it anew", runtime=True)


@dataclass(frozen=True)
class Joined:
    """Utterances that fit the LLM, and why others are not among them, by id."""

    utterances: list[dump.Utterance]
    dropped: dict[str, str]
    too_long: dict[str, str]


def run(options: Options) -> None:
    # 1. Is there anything to do?
    made_of = {
        "align": Input(options.align_dir, "align"),
        "units": Input(options.units_dir, "units"),
    }
    prints: dict[str, str] = {k: one.fingerprint() for k, one in made_of.items()}
    done, joined = options.out_dir / DONE, None
    before = read_json(done) if done.is_file() else {"inputs": {}}
    if prints.items() <= before["inputs"].items():
        prints |= too_long.as_input_again(options.out_dir, before, options)
    else:
        joined = _join(options)
        prints |= too_long.as_input(joined.too_long, options)
    stage = open_stage(
        options.out_dir,
        stage="dump",
        options=options,
        inputs=prints,
        overwrite=options.overwrite,
    )
    if stage is None:
        return

    # 2. Join words and units by utterance id.
    joined = joined or _join(options)
    missing = joined.too_long if options.too_long == "missing" else {}
    dropped = joined.dropped | (joined.too_long if not missing else {})

    # 3. Write, and say how much of the speech belongs to no word.
    utterances = joined.utterances
    dump.write(options.out_dir, utterances, _vocabulary(options), missing)
    gaps = {
        f"gap_share_{side}": _gap_share([one.sides[side] for one in utterances])
        for side in ("src", "tgt")
    }
    print(
        f"dump: {options.out_dir.name}: {gaps['gap_share_src']:.1%} of the source's "
        f"units and {gaps['gap_share_tgt']:.1%} of the target's are of no word"
    )
    stage.finish(
        num_in=len(utterances) + len(dropped) + len(missing),
        num_out=len(utterances),
        dropped=dropped,
        num_too_long=len(missing),
        llm=too_long.llm_print(options.llm),
        **gaps,
        num_units_src=sum(len(one.sides["src"].units) for one in utterances),
        num_units_tgt=sum(len(one.sides["tgt"].units) for one in utterances),
    )


def _vocabulary(options: Options) -> dump.UnitVocabulary:
    facts = read_done(options.units_dir, "units")["facts"]
    return dump.UnitVocabulary(facts["num_units"], facts["unit_sec"])


def _join(options: Options) -> Joined:
    vocabulary = _vocabulary(options)
    sides, dropped = {}, {}
    without_units = drops.read(options.units_dir)
    for name in (options.src_lang, options.tgt_lang):
        words = read_words(options.align_dir / f"words.{name}.jsonl")
        units = store.read_units(options.units_dir / f"units.{name}")
        strangers = sorted(words.keys() - units.keys() - without_units.keys())
        if strangers:
            raise UserError(f"{options.units_dir}: no {name} units of {strangers[0]}")
        dropped |= dict.fromkeys(units.keys() - words.keys(), "not aligned in stage 3")
        dropped |= {
            k: f"no units in stage 4: {without_units[k]}"
            for k in words.keys() - units.keys()
        }
        sides[name] = {
            k: _side(words[k], units[k], vocabulary.unit_sec)
            for k in sorted(words.keys() & units.keys())
        }
    source, target = sides[options.src_lang], sides[options.tgt_lang]
    both = [k for k in source if k in target]
    alone = (source.keys() ^ target.keys()) - dropped.keys()
    dropped |= dict.fromkeys(alone, "only one language of it is there")
    utterances = [dump.Utterance(k, {"src": source[k], "tgt": target[k]}) for k in both]
    excess = too_long.find(utterances, options, options.align_dir.name)
    fitting = [one for one in utterances if one.id not in excess]
    if not fitting:
        raise UserError(f"{options.align_dir}: none of {len(utterances)} is left")
    return Joined(fitting, dropped, excess)


def _side(words: list[Word], units: np.ndarray, unit_sec: float) -> Side:
    times = [(word.start_sec, word.end_sec) for word in words]
    spans = to_unit_spans(times, unit_sec, len(units))
    return Side(units, tuple(word.text for word in words), spans)


def _gap_share(sides: list[Side]) -> float:
    """Share of the units that lie in gaps between words."""
    total = sum(len(side.units) for side in sides)
    in_words = sum(int((side.spans[:, 1] - side.spans[:, 0]).sum()) for side in sides)
    return round(1 - in_words / total, 4)
