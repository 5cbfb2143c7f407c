"""Where a path lies that a stage wrote into a file of its recipe.

A stage runs in its recipe's directory and writes paths relative to it, such as
`dump/interleave/train`. Who reads them may be in another recipe, which has such a
directory as well.
"""

from pathlib import Path

from s2st_interleave.data import ark


def resolve(path: str | Path, source: Path) -> Path:
    """The path that stands in `source`, a file or directory of a recipe.

    It is of the nearest directory above `source` from which it is there; of the current
    one where it is there from none, as with experiments on another disk.
    """
    for folder in source.absolute().parents:
        place = folder / path  # which an absolute path stays
        if ark.is_there(place):
            return Path(path) if folder == Path.cwd() else place
    return Path(path)
