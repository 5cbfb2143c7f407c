"""Reads YAML whose scalars stay as they are written.

PyYAML follows YAML 1.1, which turns 24:00:00 into 86400, 0123 into 83 and `no` into
false. Here a scalar is its text, and the caller, who knows the wanted type, converts it.
Files without such types, such as a grid, are read with the plain types of YAML 1.2.
"""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, ClassVar

import yaml

from s2st_interleave.errors import UserError

TAG = "tag:yaml.org,2002:"
NOTHING = r"~|null|"
WHOLE = r"[-+]?[0-9]+"
NUMBER = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
SWITCH = r"true|false"


# What the messages of PyYAML mean, by a part of them.
HINTS = {
    "'\\t'": "; YAML wants spaces here",
    "unexpected end of stream": "; is a quote not closed?",
    "mapping values": "; is there a ':' in the line above, and none too many in this one?",
    "expected <block end>": "; are these lines indented alike?",
    "could not find expected ':'": "; lines are 'option: value'",
    "cannot start any token": "; put quotes around the value",
}


class _Text(yaml.SafeLoader):
    """Text, lists, mappings and nothing (empty, ~, null); a key occurs once."""

    # The stubs of PyYAML declare these two as attributes of instances.
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # pyrefly: ignore[bad-override]
    yaml_constructors: ClassVar[dict[str, Any]] = {  # pyrefly: ignore[bad-override]
        tag: make
        for tag, make in yaml.SafeLoader.yaml_constructors.items()
        if tag in (None, *(f"{TAG}{name}" for name in ("null", "str", "seq", "map")))
    }

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge nothing: keys are what is written, and merged copies would multiply."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, Any]:
        lines: dict[str, int] = {}
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in lines:
                raise yaml.MarkedYAMLError(
                    problem=f"'{key.value}' occurs twice, first in line "
                    f"{lines[key.value]}",
                    problem_mark=key.start_mark,
                )
            lines[key.value] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)


def _integer(node: yaml.ScalarNode) -> int:
    try:
        return int(node.value)
    except ValueError:  # Python reads thousands of digits
        raise yaml.MarkedYAMLError(
            problem="a number of too many digits", problem_mark=node.start_mark
        ) from None


class _Typed(_Text):
    """As _Text, with the numbers and booleans of YAML 1.2."""

    yaml_constructors: ClassVar[dict[str, Any]] = _Text.yaml_constructors | {
        f"{TAG}int": lambda _, node: _integer(node),
        f"{TAG}float": lambda _, node: float(node.value),
        f"{TAG}bool": lambda _, node: node.value == "true",
    }


def _resolve(loader: type[yaml.SafeLoader], name: str, pattern: str) -> None:
    """Let `loader` read plain scalars of this pattern as the type `name`."""
    loader.add_implicit_resolver(f"{TAG}{name}", re.compile(rf"({pattern})\Z"), None)


_resolve(_Text, "null", NOTHING)
for _name, _pattern in (("int", WHOLE), ("float", NUMBER), ("bool", SWITCH)):
    _resolve(_Typed, _name, _pattern)


def read(path: Path, *, typed: bool = False) -> Any:
    """The content of a YAML file: text, None, lists and mappings.

    `typed` adds numbers and booleans. Raises UserError naming file, line and column where
    the file is no YAML, or a key of a mapping occurs twice.
    """
    return parse(path.read_bytes(), path, typed=typed)


MOST_VALUES = 1_000_000  # with those that *aliases repeat


def _check_size(value: Any, source: str) -> None:
    """UserError for a value that holds itself, or repeats itself beyond all measure."""
    counts: dict[int, int] = {}  # values within, by id; 0 while they are being counted

    def count(part: Any) -> int:
        if not isinstance(part, dict | list):
            return 1
        if id(part) not in counts:
            counts[id(part)] = 0
            inner = part.values() if isinstance(part, dict) else part
            counts[id(part)] = 1 + sum(map(count, inner))
        elif not counts[id(part)]:
            raise UserError(f"{source}: a block holds itself, by an *alias")
        return counts[id(part)]

    if count(value) > MOST_VALUES:
        raise UserError(
            f"{source}: *aliases repeat its blocks to more than {MOST_VALUES} values"
        )


def parse(text: bytes | str, source: Path | str, *, typed: bool = False) -> Any:
    """As `read`, for a text that errors call `source`."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        value = yaml.load(text, _Typed if typed else _Text)  # both are SafeLoaders
        _check_size(value, str(source))
        return value
    except RecursionError:
        raise UserError(f"{source}: blocks within blocks, too deep to read") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(f"{source}:{line}: not UTF-8 (byte {error.start})") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else str(source)
        problem = str(error.problem or error.context)
        hint = next((text for sign, text in HINTS.items() if sign in problem), "")
        raise UserError(f"{where}: {problem}{hint}") from None
    except yaml.YAMLError as error:  # a control character, which has no mark
        raise UserError(f"{source}: not YAML: {' '.join(str(error).split())}") from None
