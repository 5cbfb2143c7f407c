"""What was made, what runs, what is stale and why, for all recipes below folders.

    python -m s2st_interleave status [DIR ...] [--json true] [--disk false]

A directory is stale where its command would make another one today: an option of a YAML has
changed, or a file that it reads, which is named. States of running jobs are those of this
machine's processes, and of Slurm where the job's log names a number. Nothing is written but
hashes of files that had to be read: those of large ones in exp/log/status.digests.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s2st_interleave.option_parser import plain_parser
from s2st_interleave.progress import duration
from s2st_interleave.status import folders, scores
from s2st_interleave.status.look import hashes_kept
from s2st_interleave.status.missing import missing, results
from s2st_interleave.status.places import Place, places

CACHE = Path("exp/log/status.digests")
MOST_REASONS = 4


@dataclass(frozen=True)
class Recipe:
    """A recipe and the states of its stages; `sizes` are bytes by part."""

    path: Path
    places: list[Place]
    scores: list[scores.Line]
    sizes: dict[str, int]


def main(words: Sequence[str]) -> int:
    parser = plain_parser("status", __doc__)
    parser.add_argument("directories", nargs="*", type=Path, default=[Path()])
    parser.add_argument("--json", choices=("true", "false"), default="false")
    parser.add_argument(
        "--disk", choices=("true", "false"), default="true", help="add up all bytes"
    )
    chosen = parser.parse_args(words)
    recipes = [
        recipe
        for top in chosen.directories
        for recipe in gather(top, weigh=chosen.disk == "true")
    ]
    if chosen.json == "true":
        print(json.dumps([_to_json(recipe) for recipe in recipes], indent=1))
    else:
        print(render(recipes))
    return 0


def gather(top: Path, *, weigh: bool = True) -> list[Recipe]:
    """The recipes below a folder; UserError where there is no such folder.

    What is missing is said of whole recipes: the walk may be of a part of one.
    """
    here = Path(os.path.abspath(top))
    is_part = folders.recipe_of(here) != here
    found = folders.walk(top, weigh=weigh)
    recipes = []
    for path in found.recipes:
        records = found.records.get(path, [])
        with hashes_kept(path / CACHE):
            made = places(path, found)
        made += results(path, records)
        if not is_part and any(place.stage != "text_llm" for place in made):
            made += missing(made, records)
        made.sort(key=lambda p: (p.number or 99, p.stage, p.name))
        name = os.path.relpath(path)
        lines = scores.lines(name, records)
        recipes.append(Recipe(path, made, lines, dict(found.sizes.get(path, {}))))
    return recipes


def _to_json(recipe: Recipe) -> dict[str, Any]:
    return {
        "recipe": str(recipe.path),
        "stages": [asdict(place) for place in recipe.places],
        "scores": [line.to_json() for line in recipe.scores],
        "bytes": recipe.sizes,
    }


def render(recipes: Sequence[Recipe]) -> str:
    """All recipes as text, then the scores of all systems."""
    if not recipes:
        return "nothing was made here, or below"
    parts = [_recipe(recipe) for recipe in recipes]
    lines = [line for recipe in recipes for line in recipe.scores]
    if lines:
        parts.append(scores.render(lines, with_recipe=len(recipes) > 1))
    return "\n\n".join(parts)


def _recipe(recipe: Recipe) -> str:
    name = os.path.relpath(recipe.path)
    lines = [name if name != "." else recipe.path.name]
    width = max((len(place.name) for place in recipe.places), default=0)
    for place in recipe.places:
        number = "-" if place.number is None else place.number
        name = f"{number:>3} {place.stage:<9} {place.name:<{width}}"
        lines.append(f"{name} {_told(place)}".rstrip())
        reasons = place.why if place.name else ()
        lines += [f"      {' ' * 8}{reason}" for reason in reasons[:MOST_REASONS]]
        if len(reasons) > MOST_REASONS:
            lines.append(f"      {' ' * 8}and {len(reasons) - MOST_REASONS} more")
        if place.log and place.state in ("failed", "stopped"):
            lines.append(f"      {' ' * 8}log: {os.path.relpath(place.log)}")
    if recipe.sizes:
        parts = sorted(recipe.sizes.items(), key=lambda item: -item[1])
        listed = ", ".join(f"{name} {_size(count)}" for name, count in parts if count)
        lines.append(f"    disk: {_size(sum(recipe.sizes.values()))} ({listed})")
    return "\n".join(lines)


def _told(place: Place) -> str:
    """The state in words: since when, how long, how far."""
    if not place.name:
        return place.why[0]
    words: list[str] = [place.state]
    if place.state in ("done", "stale"):
        words.append(place.when)
        if place.seconds is not None:
            words.append(f"({duration(place.seconds)})")
    elif place.when:
        words.append(f"since {place.when}")
    if place.progress and place.state in ("running", "stopped", "failed"):
        done, total, left = place.progress
        words.append(f"at {done} of {total}" if total else f"at step {done}")
        if left and place.state == "running":
            words.append(f"{left} left")
    return ", ".join(words) if len(words) > 1 else words[0]


def _size(count: float) -> str:
    """Bytes in a unit that people read.

    >>> _size(512), _size(1.5e6), _size(2e9)
    ('512 B', '1.5 MB', '2.0 GB')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} B"
