"""Reads replication.yaml: the facts about a recipe that a grid needs to run its cells.

The file lies in the recipe's folder, and its paths start there. Its texts may contain
names of PLACES in braces, which are replaced by those of a cell or of its grid.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from s2st_interleave import config, yaml_text
from s2st_interleave.config import REQUIRED, nearest, option
from s2st_interleave.errors import UserError

T = TypeVar("T")
CELL = ("grid", "shared", "pair", "src", "expdir")
CELL += ("system", "seed", "num_train", "units", "llm")
PLACES = {  # key -> names that its texts may contain
    "pair": ("src",),
    "models": ("shared",),
    "shared": ("grid",),
    "lexicon": ("src",),
    "system": ("system",),
    "plan": ("recipe", "pair", "shared"),
    "environment": ("grid", "shared"),
    **dict.fromkeys(("options", "llm_options", "units_options"), CELL),
}


@dataclass(frozen=True, kw_only=True)
class Notes:
    """Sentences about the recipe for the page; empty ones are left out."""

    title: str = option(REQUIRED, "headline of the page")
    claims: str = option(REQUIRED, "headline above the claims")
    corpus: str = option(REQUIRED, "what the corpus is")
    mos: str = option(
        "", "by what MOS is predicted, and how it compares with the paper's"
    )
    builds: str = option("", "why cells may have shared models of several builds")
    systems: str = option("", "what all systems have in common")
    gains: str = option("", "end of the sentence under the figure of gains")
    seeds: str = option("", "what seeds do not vary")
    encoder: str = option("", "what encoder claim 7 compares with, in brackets")
    table_1: str = option("", "what stand-in units Table 1 has")
    toplines: str = option("", "what the cascade is")
    llms: str = option("", "what other text LLMs there are")
    first_llm: str = option("", "name of the text LLM of all other cells")
    seconds: str = option("", "on what the seconds of training were measured")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The keys of replication.yaml, and the folder in which it lies."""

    folder: Path
    tgt_lang: str = option(REQUIRED, "into which all pairs translate")
    pair: str = option(REQUIRED, "a pair's folder, say '{src}_en'")
    models: str = option(REQUIRED, "folder of the models that pairs share")
    shared: str = option(".", "folder in each pair's with what cells of a grid share")
    parts: tuple[str, ...] = option((), "shared models whose training is told apart")
    sources: tuple[str, ...] = option((), "YAML and JSON files that scores follow from")
    flat: tuple[str, ...] = option(
        (), "sources whose blocks count as if there were none"
    )
    settings: tuple[str, ...] = option(
        (), "environment variables that they follow from"
    )
    lexicon: str = option("", "YAML of a language with its name; counts as a source")
    unnamed: tuple[str, ...] = option(
        (), "lexicons that count always, but for the name"
    )
    sizes: str = option("", "YAML with training utterances a language: train, corpus")
    train: str = option(REQUIRED, "YAML of the training that systems share")
    system: str = option(REQUIRED, "YAML of a system")
    script: str = option("./run.sh", "program that runs a cell, in its pair's folder")
    options: Mapping[str, str] = field(default_factory=dict)
    llms: tuple[str, ...] = option((), "stand-ins for the text LLM that it makes")
    units: tuple[str, ...] = option((), "stand-ins for units that it makes")
    # Options of cells with another text LLM, and of cells with stand-in units.
    llm_options: Mapping[str, str] = field(default_factory=dict)
    units_options: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    test: str = option("test", "split whose scores are kept")
    cascade: str = option("", "score.json of the spoken cascade, in a pair's folder")
    keep: bool = option(False, "leave checkpoints and audio of finished cells")
    plan: tuple[str, ...] = option((), "words for `plan`, of one training")
    notes: Notes

    def source(self, pair: str) -> str:
        """The source language of a pair: "fr" of "fr_en"; UserError for another name."""
        before, _, behind = self.pair.partition("{src}")
        source = pair.removeprefix(before).removesuffix(behind)
        if not source or self.pair.format(src=source) != pair:
            raise UserError(
                f"{self.folder}: pair '{pair}' is not named as '{self.pair}'"
            )
        return source

    def pair_of(self, source: str) -> str:
        """The pair of a source language: "fr_en" of "fr"."""
        return self.pair.format(src=source)

    def lexicon_of(self, source: str) -> Path:
        """The YAML of a source language with its name."""
        return self.folder / self.lexicon.format(src=source)

    def train_sizes(self, pairs: Iterable[str]) -> dict[str, int]:
        """Training utterances by pair; {} if the recipe does not declare `sizes`.

        A language without a number there has those of the whole corpus.
        """
        if not self.sizes:
            return {}
        sizes = self.read(self.sizes)
        return {p: sizes["train"].get(self.source(p), sizes["corpus"]) for p in pairs}

    def read(self, name: str) -> dict[str, Any]:
        """The content of one of the recipe's YAML files."""
        return yaml_text.read(self.folder / name, typed=True)


def load(path: Path) -> Recipe:
    """Read a replication.yaml; UserError names the file and the key that is wrong."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; docs/replication.md says what it holds")
    recipe = record(Recipe, yaml_text.read(path), str(path), folder=path.parent)
    for key, places in PLACES.items():
        for text in _texts(getattr(recipe, key)):
            try:
                text.format(**dict.fromkeys(places, "x"))
            except (KeyError, ValueError, IndexError) as error:
                near = nearest(str(error).strip("'"), places)
                raise UserError(
                    f"{path}: {key}: '{text}' has no {error}{near}"
                ) from None
    return recipe


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [*value.values()] if isinstance(value, Mapping) else [*value]


def record(cls: type[T], given: Any, where: str, **known: Any) -> T:
    """Build a frozen dataclass from a YAML mapping and the `known` fields.

    Raises UserError with `where` for a key that is unknown, missing or of a wrong type.
    """
    check_keys(cls, given, where, known)
    return cls(**known, **{key: _value(cls, key, given[key], where) for key in given})


def check_keys(
    cls: type, given: Any, where: str, known: Mapping[str, Any] | None = None
) -> None:
    """Raise UserError for an unknown or missing key of `given`."""
    names = {f.name: f for f in fields(cls) if f.name not in (known or {})}
    if not isinstance(given, dict):
        raise UserError(f"{where}: expected 'key: value' lines")
    for key in sorted(map(str, given.keys() - names)):
        raise UserError(f"{where}: unknown key '{key}'{nearest(key, names)}")
    for name in sorted(names.keys() - given.keys()):
        if names[name].default is names[name].default_factory is MISSING:
            raise UserError(f"{where}: no '{name}'")


def _value(cls: type, key: str, value: Any, where: str) -> Any:
    if key == "notes":
        return record(Notes, value, f"{where}: {key}")
    if next(f for f in fields(cls) if f.name == key).default_factory is dict:
        texts = config.mapping(value, f"{where}: {key}")
        for name, text in texts.items():
            if not isinstance(text, str):
                raise UserError(f"{where}: {key}: {name}: wants one value")
        return texts
    return config.value_of(cls, key, value, source=where)
