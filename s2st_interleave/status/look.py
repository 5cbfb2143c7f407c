"""Asks a stage, by its own code, whether its directory is what its command would make today.

The command is the one in the log, which reads today's YAML files; where no log is left, the
options in the directory's record stand in for it. As with $S2ST_LOOK (stage_dir.py) the
stage opens its directory and does nothing else: torch is not loaded, and files that have
not changed are not read again.
"""

import contextlib
import dataclasses
import importlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from s2st_interleave import blocks, config, files
from s2st_interleave.data.archive import ORIGIN, is_archive, without_ending
from s2st_interleave.digests import digests
from s2st_interleave.errors import UserError
from s2st_interleave.stage_dir import LOOK, OutdatedError
from s2st_interleave.stage_list import MODULES

LARGE = 1 << 20  # bytes of a file whose hash is kept from one call to the next


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`differs`: lines about what differs. `unsure`: why nobody can tell, or ""."""

    differs: tuple[str, ...] = ()
    unsure: str = ""


def look(
    command: str, words: Sequence[str], record: Mapping[str, Any], recipe: Path
) -> Verdict:
    """Whether a directory is up to date; paths of its options are relative to `recipe`."""
    module = importlib.import_module(f"s2st_interleave.{MODULES[command]}")
    said = io.StringIO()
    with (
        contextlib.chdir(recipe),
        looking(),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        try:
            options = _options(module.Options, command, words, record)
            if archive := _unlisted(options):
                return Verdict(unsure=f"the list of {archive} is gone")
            module.run(options)
        except OutdatedError as error:
            return Verdict(error.difference)
        except FileNotFoundError as error:
            return Verdict((str(error),))
        except (UserError, OSError, ImportError, KeyError) as error:
            return Verdict(unsure=str(error).partition("\n")[0])
        except SystemExit as end:
            if end.code == 2:  # the line is not understood any more
                last = said.getvalue().strip().splitlines()[-1:]
                return Verdict(unsure="".join(last).removeprefix("error: "))
            return Verdict(_reasons(said.getvalue()))
    return Verdict()


def _reasons(said: str) -> tuple[str, ...]:
    """Why a stage would go on: what it has said, or that its command asks for more."""
    lines = [line for line in said.splitlines() if "no longer whole" in line]
    return tuple(lines) or ("its command asks for more than was made, it would go on",)


def _options(
    cls: type, command: str, words: Sequence[str], record: Mapping[str, Any]
) -> Any:
    if words:
        options = config.parse(cls, list(words), prog=command)
    else:
        given = blocks.flat(record["options"]) | record["paths"]
        values = {
            name: config.value_of(cls, name, _scalars(value), source="stage.json")
            for name, value in given.items()
            if name in blocks.leaves(cls)
        }
        if missing := blocks.missing(cls, values):
            raise UserError(f"its record has no --{missing[0]}")
        options = blocks.build(cls, values)
    if hasattr(options, "overwrite"):
        options = dataclasses.replace(options, overwrite=False)
    if hasattr(options, "shard"):
        options = dataclasses.replace(options, shard="")
    return options


def _scalars(value: Any) -> Any:
    """A value of JSON as YAML has it: numbers and booleans are text."""
    if isinstance(value, list):
        return [_scalars(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)


def _unlisted(options: Any) -> str:
    """An archive that stage 1 would read before it opens its directory; "": none."""
    into = getattr(options, "unpack_dir", None)
    if into is None:
        return ""
    for name in ("common_voice", "covost", "cvss"):
        path = getattr(options, name)
        origin = into / without_ending(path.name) / ORIGIN
        if not is_archive(path):
            continue
        if not origin.is_file() or "files" not in files.read_json(origin):
            return str(path)
    return ""


@contextlib.contextmanager
def looking() -> Iterator[None]:
    """Inside, commands only look whether their stages have something to do."""
    before = os.environ.get(LOOK)
    os.environ[LOOK] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[LOOK]
        else:
            os.environ[LOOK] = before


@contextlib.contextmanager
def hashes_kept(cache: Path | None = None) -> Iterator[None]:
    """Inside, a large file is hashed only where its size or times have changed.

    `cache` keeps the hashes, as stage 1 keeps those of recordings (digests.py). Where there
    is none, or it cannot be written, hashes are kept for this call alone.
    """
    seen: dict[tuple[str, int, int], str] = {}

    def kept(path: Path) -> str:
        state = path.stat()
        key = (os.path.abspath(path), state.st_size, state.st_mtime_ns)
        if key not in seen:
            with contextlib.suppress(OSError):
                if cache and state.st_size >= LARGE and cache.parent.is_dir():
                    seen[key] = digests([path], cache)[path]
            if not seen.get(key):
                seen[key] = files.read_digest(path)
        return seen[key]

    with files.digests_by(kept):
        yield
