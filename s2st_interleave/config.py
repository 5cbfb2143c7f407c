"""Options: a frozen dataclass per command, filled from strict YAML and the command line.

`--config file.yaml` is read first (of several the later wins) and the command line always
wins; `-` and `_` are the same; booleans take only true/false; the error for an unknown
option names its nearest neighbour. YAML and command line read values by the same rules.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from s2st_interleave import blocks, effects, yaml_text
from s2st_interleave.blocks import REQUIRED as REQUIRED  # for those who declare options
from s2st_interleave.blocks import leaves
from s2st_interleave.effects import Place
from s2st_interleave.errors import UserError
from s2st_interleave.option_parser import option_parser
from s2st_interleave.values import Device, Range, converted, nearest

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
# The block of a recorded run's YAML with the options that had no effect on the run. They
# are an error elsewhere.
NO_EFFECT = "without_effect"
MOST_SEED = 2**32 - 1  # what numpy and scikit-learn take
MOST_JOBS = 4096  # processes and threads
MOST_IN_BATCH = 1_000_000  # a larger batch would be drawn until memory is full


def option(
    default: Any,
    text: str,
    *,
    runtime: bool = False,
    new: bool = False,
    **bounds: float | None,
) -> Any:
    """A documented field of an Options dataclass; `bounds` are those of a `Range`.

    `runtime` options (jobs, device) cannot change what is written and stay out of the
    fingerprint. The default of a `new` option is what earlier versions did, which had no
    such option: directories that they made stay up to date. A block of options (blocks.py)
    is a field whose default is a frozen dataclass.
    """
    facts = {"text": text, "runtime": runtime, "new": new, "bounds": Range(**bounds)}
    return dataclasses.field(default=default, metadata=facts)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a command runs. These options never change what it writes."""

    device: Device = option(Device("auto"), "auto, cpu, cuda, cuda:1 ...", runtime=True)
    num_threads: int = option(
        0,
        "CPU threads; 0: all there are",
        runtime=True,
        minimum=0,
        maximum=MOST_JOBS,
    )
    overwrite: bool = option(False, "make anew what differs", runtime=True)


def load_yaml(path: Path, cls: type) -> dict[str, Any]:
    """Values of the options of `cls` by path, from a YAML file.

    Raises UserError where there is no such file, it is no YAML, or has an unknown option.
    """
    without_effect, values = _load(path, cls)
    return without_effect | values


def _load(path: Path, cls: type) -> tuple[dict[str, Any], dict[str, Any]]:
    """A file's options without effect, then the options that it sets, by path."""
    if path.is_dir():
        raise UserError(f"{path}: this is a folder, not a config file")
    if not path.is_file():
        raise UserError(f"{path}: no such config file")
    content = mapping(yaml_text.read(path), str(path))
    without = mapping(content.pop(NO_EFFECT, None), f"{path}: {NO_EFFECT}")
    return _values(without, cls, str(path)), _values(content, cls, str(path))


def mapping(loaded: Any, where: str) -> dict[str, Any]:
    """`loaded`, {} for an empty YAML; UserError naming `where` for anything but a mapping."""
    if loaded is not None and not isinstance(loaded, dict):
        raise UserError(f"{where}: expected 'option: value' lines")
    if not all(isinstance(key, str) for key in loaded or {}):
        raise UserError(f"{where}: a value has no name before its ':'")
    return loaded or {}


def _values(given: Mapping[str, Any], cls: type, source: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    misplaced = []
    for name, value in _paths(given, cls, source):
        if name in values:
            raise UserError(f"{source}: option '{name}' occurs twice")
        if name not in leaves(cls) and (places := _places(name, cls)):
            misplaced.append(f"'{name}' is '{places}'")
            continue
        values[name] = value_of(cls, name, value, source=source)
    if misplaced:
        raise UserError(
            f"{source}: options that belong in a block: {', '.join(misplaced)}; write "
            "them below the block's name, indented"
        )
    return values


def _paths(
    given: Mapping[str, Any], cls: type, source: str, start: str = ""
) -> Iterator[tuple[str, Any]]:
    """Paths of options and their values, from mappings within mappings."""
    for key, value in given.items():
        name = start + str(key).replace("-", "_")
        if name not in leaves(cls) and any(
            blocks.within(n, [name]) for n in leaves(cls)
        ):
            inner = mapping(value, f"{source}: {name}")
            yield from _paths(inner, cls, source, f"{name}.")
        else:
            yield name, value


def _places(name: str, cls: type) -> str:
    """Paths of the options of this name that lie in blocks, for an error message."""
    return "' or '".join(n for n in leaves(cls) if n.endswith(f".{name}"))


def value_of(
    cls: type, name: str, value: Any, *, source: str, also: Iterable[str] = ()
) -> Any:
    """An option's value from text or YAML.

    Raises UserError for an option that `cls` does not have (the message names the nearest
    of its options and of `also`), a value of another type or out of its range.
    """
    if name not in leaves(cls):
        raise UserError(f"{source}: {_unknown(cls, name, name, also)}")
    leaf = leaves(cls)[name]
    result = convert(name, value, leaf.hint, source=source)
    for number in result if isinstance(result, tuple) else (result,):
        if isinstance(number, int | float) and number not in leaf.bounds:
            shown = number if isinstance(number, int) else f"{number:g}"
            raise UserError(
                f"{source}: option '{name}' is {shown}, wants: {leaf.bounds}"
            )
    if result == () != leaf.default:
        raise UserError(f"{source}: option '{name}' is empty, wants at least one")
    return result


def _unknown(cls: type, name: str, given: str, also: Iterable[str] = ()) -> str:
    """The error message for an option that `cls` does not have under this name."""
    removed = getattr(cls, "removed", {})  # name -> what to do instead
    if name in removed:
        return f"there is no option '{given}' any more: {removed[name]}"
    if places := _places(name, cls):
        return f"unknown option '{given}'; it is '{places}'"
    near = nearest(name, [*leaves(cls), *blocks.blocks(cls), *also])
    return f"unknown option '{given}'{near}"


def _unknown_word(cls: type, word: str) -> str:
    """The error message for a word of a command line that is no option of `cls`."""
    return _unknown(cls, word.lstrip("-").split("=")[0].replace("-", "_"), word)


def parse(cls: type[T], argv: list[str], *, prog: str, about: str | None = None) -> T:
    """Build `cls` from `--config` and the command line; exits with 2 on a bad option."""
    parser = option_parser(cls, prog, about)
    known, unknown = parser.parse_known_args(argv)
    if unknown:
        parser.error(f"{_unknown_word(cls, unknown[0])} (--help lists them)")
    values: dict[str, Any] = {}
    places: dict[str, Place] = {}
    try:
        # 1. Read the files, then the command line, which wins.
        line: dict[str, tuple[str, int]] = {}
        number = 0
        for name, text in known.given:
            if name != "config":
                line[name] = (text, number)
                continue
            number += 1
            for part, loaded in zip((0.5, 0), _load(Path(text), cls), strict=True):
                values |= loaded
                places |= dict.fromkeys(loaded, Place(number - part))
        for name, (text, number) in line.items():
            values[name] = value_of(cls, name, text, source="command line")
            places[name] = Place(number, True)
        # 2. Refuse missing options and options without effect.
        if missing := blocks.missing(cls, values):
            raise UserError("missing " + ", ".join(f"--{name}" for name in missing))
        options = blocks.build(cls, values)
        effects.check(options, places)
        return options
    except UserError as error:
        parser.error(str(error))


def given(cls: type, words: Sequence[str], *, source: str) -> dict[str, Any]:
    """Values of the options of `cls`, by path, that a part of a command line sets.

    Raises UserError for what is no such option, and as `load_yaml` for a `--config`.
    """
    known, unknown = option_parser(cls, source, None).parse_known_args(list(words))
    if unknown:
        raise UserError(f"{source}: {_unknown_word(cls, unknown[0])}")
    values: dict[str, Any] = {}
    for name, text in known.given:
        if name == "config":
            values |= load_yaml(Path(text), cls)
    for name, text in known.given:
        if name != "config":
            values[name] = value_of(cls, name, text, source=source)
    return values


def convert(name: str, value: Any, hint: Any, *, source: str) -> Any:
    """Turn a YAML value or a word of the command line into the field's type.

    Raises UserError naming `source` and option where that cannot be.
    """
    try:
        return converted(value, hint)
    except UserError as error:  # raised by a type of this package, with a whole message
        raise UserError(f"{source}: option '{name}': {error}") from None
    except ValueError as error:
        raise UserError(
            f"{source}: option '{name}' is '{'' if value is None else value}', "
            f"wants: {error}"
        ) from None


def to_dict(options: Any) -> dict[str, Any]:
    """Resolved options as plain JSON values, in field order."""
    return {
        field.name: plain(getattr(options, field.name))
        for field in dataclasses.fields(options)
    }


def record(options: Any) -> dict[str, Any]:
    """Resolved options for a YAML; those without effect are in the block NO_EFFECT."""
    values = blocks.flat(to_dict(options))
    void = effects.void_names(options)
    without = {name: value for name, value in values.items() if name in void}
    with_effect = {name: value for name, value in values.items() if name not in void}
    block = {NO_EFFECT: blocks.nested(without)} if without else {}
    return blocks.nested(with_effect) | block


def plain(value: Any) -> Any:
    """An option's value as plain JSON: paths as text, tuples as lists, blocks as objects."""
    if isinstance(value, Path | str):
        return str(value)
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    return value
