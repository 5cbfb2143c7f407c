"""Stage 5: units, words and unit spans of every utterance, without any text ratio."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from s2st_interleave import drops, record_file
from s2st_interleave.align.words import Word, read_each
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import sides
from s2st_interleave.errors import UserError
from s2st_interleave.facts import DumpFacts, UnitsFacts
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.segments import Side, to_unit_spans
from s2st_interleave.promises import DONE
from s2st_interleave.stage_dir import Input, check_same_data, is_looking, open_stage
from s2st_interleave.stages import too_long
from s2st_interleave.units import store


@dataclass(frozen=True, kw_only=True)
class Options(too_long.LimitOptions):
    align_dir: Path = option(REQUIRED, "dump/align/<split>")
    units_dir: Path = option(REQUIRED, "dump/units/<split>")
    out_dir: Path = option(REQUIRED, "dump/interleave/<split> to write")
    metrics: tuple[str, ...] = option(
        (), "of a task's file: for stage 9, changes nothing here", runtime=True
    )
    overwrite: bool = option(False, "make it anew", runtime=True)

    earlier = staticmethod(sides.without_languages)
    removed: ClassVar[dict[str, str]] = {
        "src_lang": sides.KNOWN,
        "tgt_lang": sides.KNOWN,
    }


@dataclass(frozen=True)
class Joined:
    """Utterances that fit the LLM, and reasons, by id, why others are left out."""

    utterances: list[dump.Utterance]
    dropped: dict[str, str]
    too_long: dict[str, str]


def run(options: Options) -> None:
    # 1. Is there anything to do?
    origins = {
        "align": Input(options.align_dir, "align"),
        "units": Input(options.units_dir, "units"),
    }
    prints = {name: origin.fingerprint() for name, origin in origins.items()}
    more: dict[str, str] = {}
    done, joined = options.out_dir / DONE, None
    before = record_file.read(done) if done.is_file() else {"inputs": {}}
    if prints.items() <= before["inputs"].items():
        more = too_long.as_input_again(options.out_dir, before, options)
    elif is_looking():  # what is too long follows from what has changed
        more = {k: v for k, v in before["inputs"].items() if k not in prints}
    else:
        joined = _join(options)
        more = too_long.as_input(joined.too_long, options)
    stage = open_stage(
        options.out_dir,
        stage="dump",
        options=options,
        inputs={**origins, **more},
        overwrite=options.overwrite,
    )
    if stage is None:
        return

    # 2. Join words and units by utterance id.
    joined = joined or _join(options)
    missing = joined.too_long if options.too_long == "missing" else {}
    dropped = joined.dropped | (joined.too_long if not missing else {})

    # 3. Write, and print how much of the speech belongs to no word.
    utterances = joined.utterances
    dump.write(options.out_dir, utterances, _vocabulary(options), missing)
    spoken = sides.read(options.align_dir)
    by_role = {role: [each.sides[role] for each in utterances] for role in spoken}
    gaps = {role: _gap_share(parts) for role, parts in by_role.items()}
    shares = ", ".join(f"{share:.1%} of {role}" for role, share in gaps.items())
    print(f"dump: {options.out_dir.name}: units that are of no word: {shares}")
    notes: dict[str, Any] = {f"gap_share_{role}": gaps[role] for role in gaps}
    for role, parts in by_role.items():
        notes[f"num_units_{role}"] = sum(len(side.units) for side in parts)
    stage.finish(
        num_in=len(utterances) + len(dropped) + len(missing),
        num_out=len(utterances),
        dropped=dropped,
        facts=DumpFacts(
            num_too_long=len(missing),
            llm=too_long.llm_print(options.llm),
            layout=options.layout,
            kmeans=UnitsFacts.read(options.units_dir).kmeans,
        ),
        sides=spoken,
        **notes,
    )


def _vocabulary(options: Options) -> dump.UnitVocabulary:
    facts = UnitsFacts.read(options.units_dir)
    return dump.UnitVocabulary(facts.num_units, facts.unit_sec)


def _join(options: Options) -> Joined:
    """Raises UserError where units of an aligned utterance are missing, or none is left."""
    check_same_data(options.align_dir, "align", options.units_dir, "units")
    vocabulary = _vocabulary(options)
    spoken = sides.read(options.align_dir)
    by_role: dict[str, dict[str, Side]] = {}
    dropped: dict[str, str] = {}
    without_units = drops.read(options.units_dir)
    for role in spoken:
        scp = _file(options.units_dir, "units.{}.scp", role)
        units = store.read_units(scp.with_suffix(""))
        aligned: set[str] = set()
        by_role[role] = {}
        path = _file(options.align_dir, "words.{}.jsonl", role)
        for line in read_each([path]):
            aligned.add(line.id)
            if line.id in units:
                side = _side(line.words, units[line.id], vocabulary.unit_sec)
                by_role[role][line.id] = side
        unknown = sorted(aligned - units.keys() - without_units.keys())
        if unknown:
            raise UserError(
                f"{options.units_dir}: no {role} units of {unknown[0]}; run stage 4 again "
                "on the data that was aligned"
            )
        dropped |= dict.fromkeys(units.keys() - aligned, "not aligned in stage 3")
        dropped |= {
            k: f"no units in stage 4: {without_units[k]}"
            for k in aligned - units.keys()
        }
    everyone = sorted(set().union(*by_role.values()))
    whole = [k for k in everyone if all(k in side for side in by_role.values())]
    alone = set(everyone) - set(whole) - dropped.keys()
    dropped |= dict.fromkeys(alone, "not all of its sides are there")
    utterances = [
        dump.Utterance(k, {role: by_role[role][k] for role in spoken}) for k in whole
    ]
    excess = too_long.find(utterances, options, options.align_dir.name)
    fitting = [each for each in utterances if each.id not in excess]
    if not fitting:
        raise UserError(
            f"{options.align_dir}: none of {len(utterances)} utterances is left for the "
            "dump; dropped.tsv of stages 3 and 4 says why, or take an --llm of more "
            "positions"
        )
    return Joined(fitting, dropped, excess)


def _file(directory: Path, name: str, role: str) -> Path:
    """The file of a side; UserError where the directory has no such side."""
    known = sides.read(directory)
    if role not in known:
        raise UserError(f"{directory} has no side '{role}', only {', '.join(known)}")
    return sides.path_of(directory, name, role, known)


def _side(words: list[Word], units: np.ndarray, unit_sec: float) -> Side:
    times = [(word.start_sec, word.end_sec) for word in words]
    spans = to_unit_spans(times, unit_sec, len(units))
    # Many utterances share their words: one copy of each is in memory.
    return Side(units, tuple(sys.intern(word.text) for word in words), spans)


def _gap_share(sides: list[Side]) -> float:
    """Share of the units that lie in gaps between words."""
    total = sum(len(side.units) for side in sides)
    in_words = sum(int((side.spans[:, 1] - side.spans[:, 0]).sum()) for side in sides)
    return round(1 - in_words / total, 4)
