"""The scores of all systems below a folder, a table for each task."""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2st_interleave.errors import UserError
from s2st_interleave.score import columns
from s2st_interleave.score.records import SystemScore, read
from s2st_interleave.status.folders import Record
from s2st_interleave.text_table import table


@dataclass(frozen=True)
class Line:
    """A decode that stage 9 has scored, and the recipe that it is of."""

    recipe: str
    name: str
    score: SystemScore

    def to_json(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe,
            "decode": self.name,
            **dataclasses.asdict(self.score),
        }


def lines(recipe: str, records: Sequence[Record]) -> list[Line]:
    """The score of each finished stage 9 of a recipe; files of no use are left out."""
    found = []
    for record in sorted(records, key=lambda each: each.name):
        path = record.directory.parent / "score.json"
        if record.stage == "score" and record.done and path.is_file():
            try:
                score = read(SystemScore, path)
            except UserError:  # of a version that is too old, which stage 9 says
                continue
            found.append(Line(recipe, str(Path(record.name).parent), score))
    return found


def render(found: Sequence[Line], *, with_recipe: bool) -> str:
    """The tables, each of systems that share a primary score; "" without scores."""
    by_task: Mapping[str, list[Line]] = defaultdict(list)
    for line in found:
        by_task[line.score.primary].append(line)
    return "\n\n".join(_table(some, with_recipe) for some in by_task.values())


def _table(some: Sequence[Line], with_recipe: bool) -> str:
    scores = [line.score for line in some]
    keys = list(dict.fromkeys(key for score in scores for key in score.scores))
    head = ["decode", *(columns.heading(key, scores) for key in keys), "missing"]
    body = []
    for line in some:
        name = f"{line.recipe}/{line.name}" if with_recipe else line.name
        cells = [columns.cell(line.score, key, all_intervals=True) for key in keys]
        body.append([name, *cells, f"{line.score.num_missing}"])
    return table(head, body)
