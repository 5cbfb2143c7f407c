"""Reads a language of the made corpus from `lexicon/<code>.yaml` and inflects its words.

realise.py, which makes sentences with it, describes the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from meaning import LEXICON_DIR

from s2st_interleave import yaml_text
from s2st_interleave.config import nearest
from s2st_interleave.errors import UserError

KINDS = ("nouns", "adjectives", "adverbs", "verbs")
TABLES = ("determiners", "auxiliaries", "roles", "relations")
PARTS = ("name", "order", "one_part_verb", "adjective", "paradigms", *TABLES, *KINDS)
OPTIONAL = ("voices", "rules")
ITEM = ("word", "features", "forms", "slot", "position", "relations")
SIZES = yaml_text.read(LEXICON_DIR.parents[1] / "conf" / "sizes.yaml", typed=True)
PAPER_LANGUAGES = {*SIZES["train"], "en"}
NAME = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+)*")


@dataclass(frozen=True)
class Entry:
    """A concept's word: its forms by features, its slot and position in a sentence."""

    forms: Mapping[str, str]
    features: frozenset[str] = frozenset()
    slot: str = ""
    position: str = ""
    relations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Language:
    """The content of a language file, with inflected words."""

    code: str  # "nl"
    name: str  # "Dutch"
    order: Mapping[str, str]
    one_part_verb: str
    adjective: str
    rules: tuple[tuple[re.Pattern[str], str], ...]
    tables: Mapping[str, Mapping[str, Any]]  # determiners, auxiliaries, roles, ...
    entries: Mapping[str, Mapping[str, Entry]]  # nouns, adjectives, adverbs, verbs
    voices: Mapping[str, str]  # espeak-ng voice -> "female" or "male"

    def entry(self, kind: str, concept: str) -> Entry:
        """The word of a concept; UserError where the language has none."""
        try:
            return self.entries[kind][concept]
        except KeyError:
            raise UserError(f"no '{concept}' in {kind}") from None


@cache
def load_language(code: str, folder: Path = LEXICON_DIR) -> Language:
    """Read `<folder>/<code>.yaml`; UserError names a part or paradigm that is missing."""
    path = folder / f"{code}.yaml"
    data = _read(path)
    return Language(
        code=code,
        name=data["name"],
        order=data["order"],
        one_part_verb=data["one_part_verb"],
        adjective=data["adjective"],
        rules=tuple((re.compile(left), right) for left, right in data.get("rules", [])),
        tables={name: data[name] for name in TABLES},
        entries={
            kind: {
                concept: _entry(value, data["paradigms"], f"{path.name}: {concept}")
                for concept, value in data[kind].items()
            }
            for kind in KINDS
        },
        voices=data.get("voices", {}),
    )


def _read(path: Path) -> dict[str, Any]:
    """The content of a lexicon; UserError where a part is missing or unknown."""
    if not path.is_file():
        known = sorted({p.stem for p in path.parent.glob("*.yaml")} - {"meanings"})
        raise UserError(
            f"no lexicon for '{path.stem}': {path} is missing (have: {', '.join(known)})"
        )
    data = yaml_text.read(path)
    if not isinstance(data, dict):
        raise UserError(f"{path.name}: expected the parts that realise.py describes")
    for part in PARTS:
        if part not in data:
            raise UserError(f"{path.name}: no '{part}:'; realise.py describes it")
    for part in sorted(map(str, data.keys() - {*PARTS, *OPTIONAL})):
        near = nearest(part, (*PARTS, *OPTIONAL))
        raise UserError(f"{path.name}: unknown part '{part}'{near}")
    for part in ("order", "paradigms", *TABLES, *KINDS):
        if not isinstance(data[part], dict):
            raise UserError(f"{path.name}: '{part}:' holds no 'name: value' lines")
    if not NAME.fullmatch(str(data["name"])):
        raise UserError(f"{path.name}: '{data['name']}' is not a name such as 'Dutch'")
    return data


def _entry(value: Any, paradigms: Mapping[str, Any], where: str) -> Entry:
    """Inflect one lexicon item: "compr/ar" or a mapping with `word`."""
    item = value if isinstance(value, dict) else {"word": value}
    for key in sorted(item.keys() - set(ITEM)):
        raise UserError(f"{where}: unknown '{key}'{nearest(key, ITEM)}")
    if not isinstance(item.get("word"), str):
        raise UserError(f"{where}: '{item.get('word')}' is no word")
    stems, _, name = item["word"].partition("/")
    forms, features = {"": stems}, set(str(item.get("features", "")).split())
    if name:
        if name not in paradigms:
            raise UserError(f"{where}: no paradigm '{name}'{nearest(name, paradigms)}")
        words = [stem.replace("_", " ") for stem in stems.split()]
        words += words[-1:] * 4  # missing stems are like the last one
        try:
            forms = {k: v.format(*words) for k, v in paradigms[name]["forms"].items()}
        except (LookupError, AttributeError):
            raise UserError(
                f"{where}: paradigm '{name}' has no forms, or asks for more stems than "
                f"'{stems}' has"
            ) from None
        features.update(str(paradigms[name].get("features", "")).split())
    return Entry(
        forms={**forms, **item.get("forms", {})},
        features=frozenset(features),
        slot=item.get("slot", ""),
        position=item.get("position", ""),
        relations=item.get("relations", {}),
    )
