"""Reads a grid.yaml: its groups become cells, and are checked before one is run."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from s2st_interleave import yaml_text
from s2st_interleave.config import MOST_SEED, REQUIRED, nearest, option
from s2st_interleave.errors import UserError
from s2st_interleave.replicate import recipe as recipes
from s2st_interleave.replicate.grid import CLAIMS, SCHEDULES, TABLES, Cell, Grid
from s2st_interleave.replicate.schedules import reference_cell


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
    names = {cell.name for cell in grid.cells}
    for cell in grid.compared(SCHEDULES):
        if (other := reference_cell(cell).name) not in names:
            raise UserError(
                f"{path}: {cell.name} is compared with {other}, which is no cell of the "
                "grid: add it, or nothing can be decided"
            )
    sizes = grid.sizes
    given = " ".join(grid.recipe.options.values())
    # A cell with all there is has a num_train of 0.
    for name, usual in (("seed", grid.cells[0].seed), ("num_train", 0)):
        differ = any(getattr(cell, name) != usual for cell in grid.cells)
        if differ and f"{{{name}}}" not in given:
            raise UserError(
                f"{path}: cells differ in {name}, which no option of the recipe is given: put "
                f"{{{name}}} into options of replication.yaml, or they are one training"
            )
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
                f"more than 0 and fewer than its own {sizes.get(cell.pair, 'sentences')}"
            )


def _check_names(
    path: Path, key: str, names: Iterable[str], known: Sequence[str]
) -> None:
    for name in sorted(names):
        if name not in known:
            there = nearest(name, known) or f"; there are: {' '.join(known) or 'none'}"
            raise UserError(f"{path}: {key}: there is no '{name}'{there}")
