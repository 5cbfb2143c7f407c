"""The command-line parser of a command; `--help` shows default and range of each option."""

import argparse
import dataclasses
import re
import sys
import typing
from pathlib import Path
from typing import Any, Literal, NoReturn

from s2st_interleave.blocks import REQUIRED, Leaf, blocks, leaves
from s2st_interleave.stage_list import MODULES
from s2st_interleave.values import is_optional


class Parser(argparse.ArgumentParser):
    command = ""

    def error(self, message: str) -> NoReturn:
        """Print the error alone: the usage, with fifty options, would hide it."""
        self.exit(2, f"error: {self.command or self.prog}: {message}\n")


class _Given(argparse.Action):
    """Appends option and text to `namespace.given`, in the order of the command line.

    Several words of one option are a list, one word is the text that it is.
    """

    def __call__(self, parser: Any, namespace: Any, values: Any, _: Any = None) -> None:
        alone = values[0] if isinstance(values, list) and len(values) == 1 else values
        namespace.given.append((self.dest, alone))


def plain_parser(command: str, about: str | None) -> Parser:
    """A parser of the line of a command, or of a script; errors are one line."""
    of_package = command.partition(" ")[0] in MODULES
    prog = (
        f"python -m s2st_interleave {command}" if of_package else Path(sys.argv[0]).name
    )
    parser = Parser(
        prog=prog,
        description=about,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.command = command.partition(" ")[0]
    return parser


def option_parser(cls: type, prog: str, about: str | None) -> Parser:
    """A parser whose result has `given`: (option, text) pairs as they stand on the line."""
    spelling = "In the names of options - and _ are the same."
    parser = plain_parser(prog, f"{about.strip()}\n\n{spelling}" if about else spelling)
    parser.usage = "%(prog)s [--config FILE] [--name value ...]"
    parser.set_defaults(given=[])
    parser.add_argument(
        "--config", action=_Given, metavar="FILE", help="YAML of these, read first"
    )
    required = parser.add_argument_group("required")
    groups = {
        field.name: parser.add_argument_group(f"{field.name}: {field.metadata['text']}")
        for field in dataclasses.fields(cls)
        if field.name in blocks(cls)
    }
    optional = parser.add_argument_group("optional")
    for leaf in sorted(leaves(cls).values(), key=lambda leaf: _depth(cls, leaf)):
        plain = required if leaf.default is REQUIRED else optional
        _add_option(groups.get(leaf.name.partition(".")[0], plain), leaf)
    return parser


def _depth(cls: type, leaf: Leaf) -> int:
    """How far from a command its option is declared: its own come first."""
    name = leaf.name.partition(".")[0]
    return next(k for k, kind in enumerate(cls.__mro__) if name in kind.__annotations__)


def _add_option(group: argparse._ActionsContainer, leaf: Leaf) -> None:
    required = leaf.default is REQUIRED
    default = "required" if required else f"default {shown(leaf.default)}"
    text = f"{leaf.text} ({', '.join(filter(None, [str(leaf.bounds), default]))})"
    # Words in quotes would be cut where a recipe passes them on (`--score_args "..."`).
    is_list = typing.get_origin(leaf.hint) is tuple
    number = "+" if is_list else None
    group.add_argument(
        f"--{leaf.name}",
        action=_Given,
        nargs=number,
        metavar=metavar(leaf.hint).removesuffix(" ...")
        if is_list
        else metavar(leaf.hint),
        help=text.replace("%", "%%"),
    )
    if "_" in leaf.name:  # the other spelling, which the help's first lines tell of
        dashed = f"--{leaf.name.replace('_', '-')}"
        group.add_argument(
            dashed,
            dest=leaf.name,
            action=_Given,
            nargs=number,
            help=argparse.SUPPRESS,
        )


def shown(value: Any) -> str:
    """A default as one would type it.

    >>> shown(("es", "en")), shown(True), shown(())
    ('es en', 'true', 'none')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return " ".join(map(shown, value)) or "none"
    return "none" if value is None or str(value) == "" else str(value)


def metavar(hint: Any) -> str:
    """What `--help` calls a value of a type.

    >>> metavar(tuple[float, ...]), metavar(int | None), metavar(bool)
    ('NUMBER ...', 'INTEGER', 'true|false')
    """
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return "|".join(map(str, arguments))
    if typing.get_origin(hint) is tuple:
        inner = metavar(arguments[0])
        return f"{inner} ..." if inner != "TEXT" else "WORD ..."
    if is_optional(hint):
        return metavar(next(a for a in arguments if a is not type(None)))
    known = {bool: "true|false", int: "INTEGER", float: "NUMBER", str: "TEXT"}
    # LanguageCode -> LANGUAGE_CODE
    return known.get(hint) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", hint.__name__).upper()
