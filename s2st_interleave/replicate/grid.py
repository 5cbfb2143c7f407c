"""The cells of the paper's tables: which are declared, and which still want a run.

A cell is one training of one system on one pair with one seed, and its scores. It is
declared in grid.yaml; what it gave lies beside it in `cells/<name>.json`, text only.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from s2st_interleave import yaml_text
from s2st_interleave.config import nearest
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.record import digest

# What makes a cell's scores, besides its system's own file, lexicons, and code: for code
# there is `version` in grid.yaml.
SOURCES = (
    *(
        f"conf/{name}.yaml"
        for name in ("sizes", "align", "train", "decode", "vocoder", "score")
    ),
    *("conf/x_en/*.yaml", "conf/w2v_bert/*.json"),
)

# Their cells are compared with one another alone: each has its own reference, trained
# with the same build of what cells share, and another seed.
APART = ("search", "sensitivity", "steps")


@dataclass(frozen=True)
class Cell:
    """`table` is where it first appears; `units` and `llm` name stand-ins, if any.

    `num_train`: utterances it learns from, where that is not all of its pair's.
    """

    table: str
    pair: str
    system: str
    seed: int
    units: str = ""
    llm: str = ""
    num_train: int = 0

    @property
    def variant(self) -> str:
        """The system and what is its own: what runs of several seeds have in common."""
        size = f"n{self.num_train}" if self.num_train else ""
        parts = (self.system, self.units, self.llm, size)
        return ".".join(part for part in parts if part)

    @property
    def name(self) -> str:
        return f"{self.pair}.{self.variant}.s{self.seed}"


@dataclass(frozen=True)
class Grid:
    """All cells in the order in which they are run, and the folder they live in."""

    folder: Path
    version: int
    pairs: tuple[str, ...]  # that the encoder and the text LLM learn from
    cells: tuple[Cell, ...]

    @property
    def recipe(self) -> Path:
        """egs/mini_cvss"""
        return self.folder.parent

    @property
    def shared(self) -> Path:
        """In each pair's folder and in x_en: what the cells of this grid share."""
        return Path("shared") / self.folder.name

    @property
    def page(self) -> Path:
        """Where RESULTS.md and results.json go: the paper's beside the recipes."""
        return self.recipe if self.folder.name == "paper" else self.folder

    def cell(self, name: str) -> Cell:
        for cell in self.cells:
            if cell.name == name:
                return cell
        known = [cell.name for cell in self.cells]
        raise UserError(f"no cell '{name}' in {self.folder}{nearest(name, known)}")

    def compared(self, *tables: str) -> list[Cell]:
        """The cells of tables that stand APART; else all that are of no such table."""
        if tables:
            return [c for c in self.cells if c.table in tables]
        return [c for c in self.cells if c.table not in APART]

    def place(self, cell: Cell) -> Path:
        return self.folder / "cells" / f"{cell.name}.json"

    def topline_place(self, pair: str) -> Path:
        return self.folder / "toplines" / f"{pair}.json"

    @property
    def sizes(self) -> Mapping[str, int]:
        """Pairs that a system learns from, by source language: all of the corpus where
        conf/sizes.yaml does not say how many.
        """
        sizes = self._conf("sizes")
        return dict.fromkeys(self.sources, sizes["corpus"]) | sizes["train"]

    @property
    def sources(self) -> list[str]:
        """Source languages of its pairs: "fr" of "fr_en"."""
        return [pair.partition("_")[0] for pair in self.pairs]

    def name(self, pair: str) -> str:
        """What a pair's source language is called: "French" """
        return yaml_text.read(self._lexicon(pair.partition("_")[0]))["name"]

    def _lexicon(self, language: str) -> Path:
        return self.recipe / "local" / "lexicon" / f"{language}.yaml"

    def _lexicons(self) -> dict[str, str]:
        """Digests of what is said in the paper's languages, whatever the grid's pairs, and
        in others of the grid. The paper's had their names before names were data: results
        that are stored stay theirs.
        """
        paper = {"meanings", "en", *self._conf("sizes")["train"]}
        return {
            str(path.relative_to(self.recipe)): _values(
                path.read_text("utf-8"), path, "name" if path.stem in paper else ""
            )
            for path in map(self._lexicon, paper.union(self.sources))
        }

    @property
    def train(self) -> Mapping[str, Any]:
        """How every system is trained that does not say otherwise."""
        return self._conf("train")

    def _conf(self, name: str) -> dict[str, Any]:
        path = self.recipe / "conf" / f"{name}.yaml"
        return yaml_text.read(path, typed=True)

    def identity(self, cell: Cell) -> str:
        """Digest of everything a cell's scores follow from, machines left aside.

        Values count, comments do not.
        """
        return self._identity(_facts(cell), f"conf/systems/{cell.system}.yaml")

    def topline_identity(self, pair: str) -> str:
        """The same of a pair's toplines, in which no system has a part."""
        return self._identity(pair)

    def _identity(self, facts: Any, *patterns: str) -> str:
        patterns = (*SOURCES, *patterns)
        files = {p for pattern in patterns for p in self.recipe.glob(pattern)}
        content = {
            str(path.relative_to(self.recipe)): _values(path.read_text("utf-8"), path)
            for path in sorted(files)
        }
        content |= self._lexicons()
        content["MINI_CORPUS"] = os.environ.get("MINI_CORPUS", "")
        return digest([self.version, self.pairs, content, facts])

    def result(self, cell: Cell) -> dict[str, Any] | None:
        """What a cell gave, None if it was not run or what it follows from changed."""
        return _stored(self.place(cell), self.identity(cell))

    def topline(self, pair: str) -> dict[str, Any] | None:
        """A pair's toplines and references, None where they are to be made."""
        return _stored(self.topline_place(pair), self.topline_identity(pair))

    def pending(self, cells: Iterable[Cell] | None = None) -> list[Cell]:
        return [c for c in cells or self.cells if self.result(c) is None]


def _stored(place: Path, identity: str) -> dict[str, Any] | None:
    if not place.is_file():
        return None
    stored = read_json(place)
    return stored if stored["identity"] == identity else None


@lru_cache
def _values(text: str, path: Path, without: str = "") -> str:
    """Digest of what a YAML text says; many cells ask about the same few files."""
    values = yaml_text.parse(text, path, typed=True)
    if without:
        values.pop(without, None)
    if path.stem == "vocoder":  # had no blocks before: stored results stay theirs
        values |= {
            k: v for block in _blocks(values) for k, v in values.pop(block).items()
        }
    return digest(values)


def _blocks(values: Mapping[str, Any]) -> list[str]:
    return [name for name, value in values.items() if isinstance(value, Mapping)]


def _facts(cell: Cell) -> dict[str, Any]:
    """A cell that two tables show is one cell; one of all its pair's data needs no size."""
    left_out = {"table"} if cell.num_train else {"table", "num_train"}
    return {k: v for k, v in asdict(cell).items() if k not in left_out}


def load(path: Path) -> Grid:
    """Read a grid.yaml."""
    data = yaml_text.read(path, typed=True)
    _check_keys(data, str(path), {"version", "pairs", "groups"})
    found: dict[str, Cell] = {}
    for number, group in enumerate(data["groups"], 1):
        for cell in _expand(group, data["pairs"], f"{path}: group {number}"):
            found.setdefault(cell.name, cell)
    cells = tuple(found.values())
    grid = Grid(path.parent, data["version"], tuple(data["pairs"]), cells)
    for source in grid.sources:
        if not grid._lexicon(source).is_file():
            raise UserError(f"{path}: '{source}' has no {grid._lexicon(source)}")
    _check_systems(cells, path)
    _check_sizes(grid, path)
    return grid


def _expand(group: Mapping[str, Any], pairs: list[str], where: str) -> Iterator[Cell]:
    needed = {"table", "pairs", "systems", "seeds"}
    _check_keys(group, where, needed, {"units", "llm", "num_train"})
    chosen = pairs if group["pairs"] == "all" else group["pairs"]
    for seed, pair, system, llm, num_train in product(
        group["seeds"],
        chosen,
        group["systems"],
        group.get("llm", [""]),
        group.get("num_train", [0]),
    ):
        if pair not in pairs:
            raise UserError(f"{where}: no pair '{pair}'{nearest(pair, pairs)}")
        yield Cell(
            table=str(group["table"]),
            pair=pair,
            system=system,
            seed=seed,
            units=group.get("units", ""),
            llm=llm,
            num_train=num_train,
        )


def _check_keys(
    given: Any, where: str, needed: set[str], more: Iterable[str] = ()
) -> None:
    """Raise UserError unless all that is needed is there, and nothing unknown."""
    known = needed.union(more)
    if not isinstance(given, dict):
        raise UserError(f"{where}: expected 'key: value' lines")
    for key in sorted(map(str, given.keys() - known)):
        raise UserError(f"{where}: unknown key '{key}'{nearest(key, known)}")
    for key in sorted(needed - given.keys()):
        raise UserError(f"{where}: no '{key}'")


def _check_systems(cells: Iterable[Cell], path: Path) -> None:
    for cell in cells:
        config = path.parent.parent / "conf" / "systems" / f"{cell.system}.yaml"
        if not config.is_file():
            raise UserError(f"{path}: system '{cell.system}' has no {config}")


def _check_sizes(grid: Grid, path: Path) -> None:
    """A size that is the whole pair's would be the pair's own cell under two names."""
    for cell in grid.cells:
        if cell.num_train:
            whole = grid.sizes[cell.pair.partition("_")[0]]
            if not 0 < cell.num_train < whole:
                raise UserError(
                    f"{path}: num_train {cell.num_train} of {cell.pair}: "
                    f"more than 0 and fewer than its own {whole}"
                )
