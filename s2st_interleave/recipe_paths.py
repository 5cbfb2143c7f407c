"""Where a path lies that a stage wrote into a file of its recipe.

A stage runs in its recipe's directory and writes paths relative to it, such as
`dump/interleave/train`. Who reads them may be in another recipe, which has such a
directory as well.
"""

from pathlib import Path

from s2st_interleave.data import ark


def resolve(path: str | Path, source: Path) -> Path:
    """The path that stands in `source`, a file or directory of a recipe.

    It is of the nearest directory above `source` from which it is there, or, of a file that
    is gone, its directory; of the current one where these are there from none, as with
    experiments on another disk.
    """
    path = Path(path)
    for wanted in (path, path.parent):
        for folder in source.absolute().parents if wanted.parts else ():
            if ark.is_there(folder / wanted):  # an absolute path stays as it is
                return path if folder == Path.cwd() else folder / path
    return path
