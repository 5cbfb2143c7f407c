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


def beside(path: str | Path, table: Path) -> Path:
    """The file that `path`, which stands in `table`, names: the table's own, if it has one.

    A folder that was copied or renamed brings its files along, `units.src.ark` beside the
    table or `wav/a.wav` below it, and the table's paths lead to those of the original.
    """
    path = Path(path)
    for name in (path.name, Path(path.parent.name, path.name)):
        if (own := table.parent / name).is_file():
            return own
    return path
