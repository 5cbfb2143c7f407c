"""The cells of the paper's tables: those that are declared, and those not yet run.

A cell is one training of one system on one pair with one seed, and its scores. grid.yaml
declares it; its result is stored beside that, in `cells/<name>.json`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from s2st_interleave import yaml_text
from s2st_interleave.config import nearest
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.record import digest
from s2st_interleave.replicate import stored
from s2st_interleave.replicate.recipe import Recipe

SCHEDULES = "schedules"  # table of schedules that are compared with the paper's
TABLES = ("1", "2", "3", "size", "control", "search", "steps", "sensitivity", SCHEDULES)
CLAIMS = (1, 2, 3, 4, 5, 6, 7, 8)  # numbers of those in claims.py


@dataclass(frozen=True)
class Cell:
    """A training of `system` on `pair`; the page shows it in `table`.

    `units` and `llm` name stand-ins, "" for none. `num_train` is the number of utterances
    it learns from, 0 for all of the pair.
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
        """The system with its stand-ins and size, which runs of all seeds share."""
        size = f"n{self.num_train}" if self.num_train else ""
        parts = (self.system, self.units, self.llm, size)
        return ".".join(part for part in parts if part)

    @property
    def name(self) -> str:
        """The name of the cell, which is unique in a grid."""
        return f"{self.pair}.{self.variant}.s{self.seed}"


@dataclass(frozen=True)
class Grid:
    """All cells in the order in which they are run, and the folder of grid.yaml."""

    folder: Path
    recipe: Recipe
    version: int
    page: Path  # folder of RESULTS.md and results.json
    figures: Path  # folder of the figures that the page shows
    command: str
    title: str
    apart: tuple[str, ...]
    claims: tuple[int, ...]  # numbers of those that the page judges
    pairs: tuple[str, ...]
    own_models: bool
    cells: tuple[Cell, ...]

    def shared(self, pair: str) -> Path:
        """The folder, in the pair's, of the data and models that its cells share."""
        folder = Path(self.recipe.shared.format(grid=self.folder.name))
        return folder / pair if self.own_models else folder

    def learned(self, pair: str) -> tuple[str, ...]:
        """The pairs that the models of the pair's cells learn from."""
        return (pair,) if self.own_models else self.pairs

    @property
    def is_of_schedules(self) -> bool:
        """Whether it compares schedules alone, and has no table of the paper."""
        return all(cell.table == SCHEDULES for cell in self.cells)

    def models(self, pair: str) -> Path:
        """The folder of the models that the pair's cells share."""
        shared = self.recipe.models.format(shared=self.shared(pair))
        return self.recipe.folder / shared

    def cell(self, name: str) -> Cell:
        """The cell of this name; UserError where there is none."""
        for cell in self.cells:
            if cell.name == name:
                return cell
        known = [cell.name for cell in self.cells]
        raise UserError(f"no cell '{name}' in {self.folder}{nearest(name, known)}")

    def compared(self, *tables: str) -> list[Cell]:
        """The cells of `tables`; without arguments those of all tables not in `apart`."""
        if tables:
            return [c for c in self.cells if c.table in tables]
        return [c for c in self.cells if c.table not in self.apart]

    def place(self, cell: Cell) -> Path:
        """The file of a cell's result."""
        return self.folder / "cells" / f"{cell.name}.json"

    def topline_place(self, pair: str) -> Path:
        """The file of a pair's toplines."""
        return self.folder / "toplines" / f"{pair}.json"

    @property
    def sizes(self) -> Mapping[str, int]:
        """Training utterances by pair; {} where the recipe does not declare them."""
        return self.recipe.train_sizes(self.pairs)

    def identity(self, cell: Cell) -> str:
        """Digest of all configuration on which a cell's scores depend.

        Values count, comments do not, nor does the machine.
        """
        system = self.recipe.system.format(system=cell.system)
        return self._identity(cell.pair, _facts(cell), system)

    def topline_identity(self, pair: str) -> str:
        """Digest of all configuration on which a pair's toplines depend: of no system."""
        return self._identity(pair, pair)

    def _identity(self, pair: str, facts: Any, *more_sources: str) -> str:
        recipe, pairs = self.recipe, self.learned(pair)
        patterns = (*recipe.sources, *more_sources)
        files = {p: "" for pattern in patterns for p in recipe.folder.glob(pattern)}
        if recipe.lexicon:
            others = {recipe.source(p) for p in self.pairs if p not in pairs}
            files |= {recipe.lexicon_of(p): "" for p in map(recipe.source, pairs)}
            files |= {
                recipe.lexicon_of(p): "name" for p in recipe.unnamed if p not in others
            }
        content = {}
        for path, without in files.items():
            name = str(path.relative_to(recipe.folder))
            flat = name in recipe.flat
            content[name] = _values(path.read_text("utf-8"), path, without, flat)
        content |= {name: os.environ.get(name, "") for name in recipe.settings}
        return digest([self.version, pairs, content, facts])

    @property
    def recipe_identity(self) -> str:
        """Digest of what replication.yaml itself says to the recipe, and of the split.

        Cells of earlier versions do not have it, and count without.
        """
        recipe = self.recipe
        options = (recipe.options, recipe.llm_options, recipe.units_options)
        return digest([*options, recipe.environment, recipe.test, recipe.tgt_lang])

    def result(self, cell: Cell) -> dict[str, Any] | None:
        """A cell's stored result; None if it was not run or its identity has changed."""
        return self._stored(self.place(cell), self.identity(cell), stored.read_cell)

    def topline(self, pair: str) -> dict[str, Any] | None:
        """A pair's toplines and references; None if missing or their identity changed."""
        place, identity = self.topline_place(pair), self.topline_identity(pair)
        return self._stored(place, identity, stored.read_topline)

    def pending(self) -> list[Cell]:
        """The cells without a stored result."""
        return [cell for cell in self.cells if self.result(cell) is None]

    def _stored(
        self, place: Path, identity: str, read: Callable[[Path], dict[str, Any]]
    ) -> dict[str, Any] | None:
        """What `read` makes of a file; None if it is missing or of another identity."""
        if not place.is_file():
            return None
        values, of_recipe = read_json(place), self.recipe_identity
        known = values.get("identity", ""), values.get("recipe", of_recipe)
        if known != (identity, of_recipe):
            return None  # of an older version, which may have had other keys
        return read(place)


@lru_cache
def _values(text: str, path: Path, without: str, flat: bool) -> str:
    """Digest of a YAML text's values; cached, as many cells share the same few files."""
    values = yaml_text.parse(text, path, typed=True)
    if without:
        values.pop(without, None)
    if flat:
        blocks = [value for value in values.values() if isinstance(value, dict)]
        values = {k: v for k, v in values.items() if v not in blocks}
        values |= {k: v for block in blocks for k, v in block.items()}
    return digest(values)


def _facts(cell: Cell) -> dict[str, Any]:
    """The fields of a cell that its identity depends on.

    The table does not count: two tables may show one cell. Nor does num_train of 0, for
    which earlier versions had no field.
    """
    left_out = {"table"} if cell.num_train else {"table", "num_train"}
    return {k: v for k, v in asdict(cell).items() if k not in left_out}
