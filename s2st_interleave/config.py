"""Options: a frozen dataclass per command, filled from strict YAML and the command line.

`--config file.yaml` is read first (of several the later wins) and the command line always
wins; `-` and `_` are the same; booleans take only true/false; an unknown option names its
nearest neighbour.
"""

import argparse
import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from s2st_interleave.errors import UserError

T = TypeVar("T")
REQUIRED: Any = dataclasses.MISSING


def option(default: Any, text: str, *, runtime: bool = False) -> Any:
    """A documented field of an Options dataclass.

    `runtime` options (jobs, device) cannot change what is written and stay out of the
    fingerprint.
    """
    return dataclasses.field(
        default=default, metadata={"help": text, "runtime": runtime}
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a command runs; nothing of it changes what is written."""

    device: str = option("auto", "auto, cpu, cuda, cuda:1 ...", runtime=True)
    num_threads: int = option(0, "CPU threads; 0: all there are", runtime=True)
    overwrite: bool = option(False, "make anew what differs", runtime=True)


def nearest(name: str, known: Iterable[str]) -> str:
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{match[0]}'?" if match else ""


def load_yaml(path: Path, cls: type) -> dict[str, Any]:
    """Read one mapping of option names to values; unknown keys are errors."""
    if not path.is_file():
        raise UserError(f"{path}: no such config file")
    loaded = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    if not isinstance(loaded, dict):
        raise UserError(f"{path}: expected 'option: value' lines")
    known = typing.get_type_hints(cls)
    values = {}
    for key, value in loaded.items():
        name = str(key).replace("-", "_")
        if name not in known:
            raise UserError(f"{path}: unknown option '{key}'{nearest(name, known)}")
        values[name] = convert(name, value, known[name], source=str(path))
    return values


def parse(cls: type[T], argv: list[str], *, prog: str, about: str | None = None) -> T:
    """Build `cls` from `--config` and the command line; exits with 2 on a bad option."""
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    parser = argparse.ArgumentParser(
        prog=f"python -m s2st_interleave {prog}",
        description=about,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config", type=Path, action="append", help="YAML of these options, read first"
    )
    for name, field in fields.items():
        spellings = list(dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}")))
        default = (
            "required" if field.default is REQUIRED else f"default {field.default}"
        )
        text = f"{field.metadata.get('help', '')} ({default})".replace("%", "%%")
        parser.add_argument(*spellings, metavar=_metavar(hints[name]), help=text)
    known, unknown = parser.parse_known_args(argv)
    if unknown:
        name = unknown[0].lstrip("-").split("=")[0].replace("-", "_")
        parser.error(f"unknown option '{unknown[0]}'{nearest(name, fields)}")
    given = {k: v for k, v in vars(known).items() if v is not None and k != "config"}
    try:
        values: dict[str, Any] = {}
        for path in known.config or ():
            values |= load_yaml(path, cls)
        for name, text in given.items():
            values[name] = convert(name, text, hints[name], source="command line")
        missing = [
            n for n, f in fields.items() if f.default is REQUIRED and n not in values
        ]
        if missing:
            raise UserError("missing " + ", ".join(f"--{name}" for name in missing))
        return cls(**values)
    except UserError as error:
        parser.error(str(error))


def convert(name: str, value: Any, hint: Any, *, source: str) -> Any:
    """Turn a YAML value or a word of the command line into the field's type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    try:
        if origin in (typing.Union, types.UnionType):
            if value is None or value in ("", "none"):
                return None
            hint = next(a for a in arguments if a is not type(None))
            return convert(name, value, hint, source=source)
        if origin is typing.Literal:
            if value in arguments:
                return value
            raise ValueError(f"one of {', '.join(map(str, arguments))}")
        if origin is tuple:
            items = _words(value, arguments[0]) if isinstance(value, str) else value
            return tuple(convert(name, v, arguments[0], source=source) for v in items)
        if hint is bool:
            if isinstance(value, bool) or value in ("true", "false"):
                return str(value).lower() == "true"
            raise ValueError("true or false")
        if isinstance(value, bool):
            raise ValueError(_metavar(hint))
        if hint is int and not isinstance(value, int):
            return int(str(value))
        return hint(value)
    except UserError as error:  # a type of our own says what it wants, once
        text, where = str(error), f"{source}: option '{name}'"
        raise UserError(
            text if text.startswith(where) else f"{where}: {text}"
        ) from None
    except (TypeError, ValueError) as error:
        wanted = error if "invalid literal" not in str(error) else "an integer"
        raise UserError(
            f"{source}: option '{name}' is '{value}', wants: {wanted}"
        ) from None


def _words(text: str, hint: Any) -> list[str]:
    """`text` at its spaces; one path that exists is one, with spaces in its name."""
    is_one = hint is Path and text.strip() and Path(text).exists()
    return [text] if is_one else text.split()


def _metavar(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return "|".join(map(str, typing.get_args(hint)))
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return _metavar(typing.get_args(hint)[0])
    if hint is bool:
        return "true|false"
    return getattr(hint, "__name__", str(hint)).upper()


def to_dict(options: Any) -> dict[str, Any]:
    """Resolved options as plain JSON values, in field order."""
    return {
        field.name: _plain(getattr(options, field.name))
        for field in dataclasses.fields(options)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Path | str):
        return str(value)
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return value
