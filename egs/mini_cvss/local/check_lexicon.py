#!/usr/bin/env python3
"""Check that a language's lexicon is complete, and print sentences to proofread.

    python check_lexicon.py nl

Languages are files in lexicon/. All of them are translated into English.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from espeak import Espeak
from language import Language, load_language
from layout import TGT
from meaning import LEXICON_DIR
from realise import realise
from space import MeaningSpace

from s2st_interleave.errors import UserError, script

DETERMINERS = ("def", "indef", "mass", "none", "my", "our")
RELATIONS = ("to", "arrive_at", "with", "to_person")  # besides those of places
NUM_CHECKED, NUM_SHOWN = 2000, 20  # 2000 meanings hold every verb in all its tenses


def main(codes: Sequence[str]) -> None:
    if not codes:
        known = {path.stem for path in LEXICON_DIR.glob("*.yaml")} - {"meanings", TGT}
        raise UserError(f"which language? (have: {', '.join(sorted(known))})")
    space = MeaningSpace()
    languages = [check(code, space) for code in codes]
    if len(languages) == 1:
        english = load_language(TGT)
        for index in range(NUM_SHOWN):
            meaning = space.sample(2, index)
            print(f"{realise(meaning, languages[0]):70s}{realise(meaning, english)}")


def check(code: str, space: MeaningSpace) -> Language:
    """Load a source language; UserError, in one line, if it cannot say all of `space`."""
    language = load_language(code)
    if gaps := list(_gaps(language, space)):
        raise UserError(f"{code}.yaml: {'; '.join(gaps)}")
    for voice in sorted(language.voices):
        Espeak().check(voice)
    for index in range(NUM_CHECKED):
        realise(space.sample(1, index), language)
    return language


def _gaps(language: Language, space: MeaningSpace) -> Iterator[str]:
    wanted = space.concepts() | {
        "determiners": set(DETERMINERS),
        "relations": {*RELATIONS, *space.relations()},
        "order": {"plain", "fronted"},
    }
    known = {**language.entries, **language.tables, "order": language.order}
    for part, names in wanted.items():
        if lacking := sorted(names - known[part].keys()):
            more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
            yield f"{part} lacks {', '.join(lacking[:5])}{more}"
    if language.one_part_verb not in ("head", "tail"):
        yield f"one_part_verb is head or tail, not '{language.one_part_verb}'"
    if language.adjective not in ("before", "after"):
        yield f"adjective is before or after, not '{language.adjective}'"
    if not language.voices:
        yield "no voices, which a source language needs"
    for voice, gender in language.voices.items():
        if gender not in ("female", "male"):
            yield f"voice {voice} is female or male, not '{gender}'"


if __name__ == "__main__":
    sys.exit(script("check_lexicon", lambda: main(sys.argv[1:])))
