"""The cells of the paper's tables: those that are declared, and those not yet run.

A cell is one training of one system on one pair with one seed, and its scores. grid.yaml
declares it; its result is stored beside that, in `cells/<name>.json`.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from s2st_interleave import yaml_text
from s2st_interleave.config import MOST_SEED, REQUIRED, nearest, option
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.record import digest
from s2st_interleave.replicate import recipe as recipes
from s2st_interleave.replicate import stored
from s2st_interleave.replicate.recipe import Recipe

SCHEDULES = "schedules"  # table of schedules that are compared with the paper's
TABLES = ("1", "2", "3", "size", "control", "search", "steps", "sensitivity", SCHEDULES)
CLAIMS = (1, 2, 3, 4, 5, 6, 7, 8)  # numbers of those in claims.py


@dataclass(frozen=True)
class Cell:
    """A training of `system` on `pair`; `table` is the first in which it appears.

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


@dataclass(frozen=True, kw_only=True)
class _Group:
    """A group of cells in grid.yaml: all combinations of its lists."""

    table: str = option(REQUIRED, "of the paper, or one of ours")
    pairs: tuple[str, ...] = option(REQUIRED, "or all")
    systems: tuple[str, ...] = option(REQUIRED, "each has a file")
    seeds: tuple[int, ...] = option(REQUIRED, "of training")
    units: str = option("", "stand-in for the units of the shared encoder")
    llm: tuple[str, ...] = option(("",), "stand-ins for the text LLM")
    num_train: tuple[int, ...] = option((0,), "utterances to learn from; 0: all")


@dataclass(frozen=True, kw_only=True)
class _File:
    """The keys of grid.yaml."""

    version: int = option(REQUIRED, "a higher one makes all cells old")
    recipe: Path = option(Path("../replication.yaml"), "of the cells, from the grid")
    page: Path = option(Path(), "folder of RESULTS.md, from the grid")
    command: str = option("", "what makes the page, for its reader")
    title: str = option("", "headline of the page, in place of the recipe's")
    apart: tuple[str, ...] = option((), "tables compared within themselves alone")
    claims: tuple[int, ...] = option(CLAIMS, "of the paper, that the page judges")
    pairs: tuple[str, ...] = option(
        (), "that shared models learn from; the largest first"
    )
    own_models: bool = option(
        False, "each pair's learn from it alone, so that machines can share the pairs"
    )
    groups: tuple[Mapping[str, Any], ...]


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

    def result(self, cell: Cell) -> dict[str, Any] | None:
        """A cell's stored result; None if it was not run or its identity has changed."""
        return _stored(self.place(cell), self.identity(cell), stored.read_cell)

    def topline(self, pair: str) -> dict[str, Any] | None:
        """A pair's toplines and references; None if missing or their identity changed."""
        place, identity = self.topline_place(pair), self.topline_identity(pair)
        return _stored(place, identity, stored.read_topline)

    def pending(self) -> list[Cell]:
        """The cells without a stored result."""
        return [cell for cell in self.cells if self.result(cell) is None]


def _stored(
    place: Path, identity: str, read: Callable[[Path], dict[str, Any]]
) -> dict[str, Any] | None:
    """What `read` makes of a file; None if it is missing or of another identity."""
    if not place.is_file():
        return None
    if read_json(place).get("identity", "") != identity:
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


def load(path: Path) -> Grid:
    """Read a grid.yaml and the replication.yaml of its recipe.

    Raises UserError naming file, group and key of a mistake.
    """
    data = yaml_text.read(path)
    recipes.check_keys(_File, data, str(path))
    groups = data.pop("groups")
    if not isinstance(groups, list):
        raise UserError(f"{path}: groups: wants a list")
    groups = [
        recipes.record(_Group, group, f"{path}: group {number}")
        for number, group in enumerate(groups, 1)
    ]
    file = recipes.record(_File, data, str(path), groups=())
    cells: dict[str, Cell] = {}
    for number, group in enumerate(groups, 1):
        for cell in _expand(group, file.pairs, f"{path}: group {number}"):
            listed = cells.setdefault(cell.name, cell)
            if listed.table != cell.table:
                raise UserError(
                    f"{path}: group {number}: {cell.name} is of table {listed.table} "
                    "already: one cell, one table"
                )
    recipe = recipes.load(Path(os.path.normpath(path.parent / file.recipe)))
    grid = Grid(
        folder=path.parent,
        recipe=recipe,
        version=file.version,
        page=Path(os.path.normpath(path.parent / file.page)),
        figures=path.parent,
        command=file.command,
        title=file.title or recipe.notes.title,
        apart=file.apart,
        claims=file.claims,
        pairs=file.pairs,
        own_models=file.own_models,
        cells=tuple(cells.values()),
    )
    _check(grid, path)
    return grid


def _expand(group: _Group, pairs: tuple[str, ...], where: str) -> Iterator[Cell]:
    chosen = pairs if group.pairs == ("all",) else group.pairs
    for seed, pair, system, llm, num_train in product(
        group.seeds, chosen, group.systems, group.llm, group.num_train
    ):
        if pair not in pairs:
            raise UserError(f"{where}: no pair '{pair}'{nearest(pair, pairs)}")
        yield Cell(group.table, pair, system, seed, group.units, llm, num_train)


def _check(grid: Grid, path: Path) -> None:
    """Raise UserError for a pair or system without a file, or a number out of range."""
    for source in map(grid.recipe.source, grid.pairs):
        lexicon = grid.recipe.lexicon_of(source)
        if grid.recipe.lexicon and not lexicon.is_file():
            raise UserError(f"{path}: '{source}' has no {lexicon}")
    if grid.own_models and "{shared}" not in grid.recipe.models:
        raise UserError(
            f"{path}: own_models wants a recipe whose `models` names {{shared}}, as each "
            f"pair has its own; it is '{grid.recipe.models}'"
        )
    if not grid.cells:
        raise UserError(f"{path}: groups: there is no cell")
    for number in grid.claims:
        if number not in CLAIMS:
            raise UserError(
                f"{path}: claims: {number}: the paper's are {CLAIMS[0]} to {CLAIMS[-1]}"
            )
    used = {cell.table for cell in grid.cells}
    units, llms = ({getattr(c, k) for c in grid.cells} for k in ("units", "llm"))
    _check_names(path, "table", used | set(grid.apart), TABLES)
    _check_names(path, "units", units - {""}, grid.recipe.units)
    _check_names(path, "llm", llms - {""}, grid.recipe.llms)
    if SCHEDULES in used and len(used) > 1:
        raise UserError(
            f"{path}: table {SCHEDULES} wants a grid of its own, as its page is another one"
        )
    sizes = grid.sizes
    for cell in grid.cells:
        system = grid.recipe.folder / grid.recipe.system.format(system=cell.system)
        # A dot parts the stand-ins from a system in the names of cells.
        if not re.fullmatch(r"\w+", cell.system, re.ASCII):
            raise UserError(
                f"{path}: system '{cell.system}': letters, digits and _ make a name"
            )
        if not system.is_file():
            raise UserError(f"{path}: system '{cell.system}' has no {system}")
        if not 0 <= cell.seed <= MOST_SEED:
            raise UserError(f"{path}: seed {cell.seed}: wants 0 to {MOST_SEED}")
        # With num_train of the whole pair, one cell would have two names.
        if cell.num_train and not 0 < cell.num_train < sizes.get(cell.pair, 1 << 62):
            raise UserError(
                f"{path}: num_train {cell.num_train} of {cell.pair}: "
                f"more than 0 and fewer than its own {sizes[cell.pair]}"
            )


def _check_names(
    path: Path, key: str, names: Iterable[str], known: Sequence[str]
) -> None:
    for name in sorted(names):
        if name not in known:
            there = nearest(name, known) or f"; there are: {' '.join(known) or 'none'}"
            raise UserError(f"{path}: {key}: there is no '{name}'{there}")
