"""The command-line parser of a command; `--help` shows default and range of each option."""

import argparse
import dataclasses
import re
import typing
from typing import Any, Literal, NoReturn

from s2st_interleave.blocks import REQUIRED, Leaf, blocks, leaves
from s2st_interleave.values import is_optional


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Print the error alone: the usage, with fifty options, would hide it."""
        name = self.prog.partition("s2st_interleave ")[2].partition(" ")[0]
        self.exit(2, f"error: {name or self.prog}: {message}\n")


class _Given(argparse.Action):
    """Appends option and text to `namespace.given`, in the order of the command line.

    Several words of one option are a list, one word is the text that it is.
    """

    def __call__(self, parser: Any, namespace: Any, values: Any, _: Any = None) -> None:
        alone = values[0] if isinstance(values, list) and len(values) == 1 else values
        namespace.given.append((self.dest, alone))


def plain_parser(command: str, about: str | None) -> Parser:
    """A parser of a command's line, without options; errors are one line."""
    return Parser(
        prog=f"python -m s2st_interleave {command}",
        description=about,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def option_parser(cls: type, prog: str, about: str | None) -> Parser:
    """A parser whose result has `given`: (option, text) pairs as they stand on the line."""
    spelling = "In the names of options - and _ are the same."
    parser = plain_parser(prog, f"{about.strip()}\n\n{spelling}" if about else spelling)
    parser.usage = "%(prog)s [--config FILE] [--name value ...]"
    parser.set_defaults(given=[])
    parser.add_argument(
        "--config", action=_Given, metavar="FILE", help="YAML of these, read first"
    )
    groups = {
        field.name: parser.add_argument_group(f"{field.name}: {field.metadata['text']}")
        for field in dataclasses.fields(cls)
        if field.name in blocks(cls)
    }
    for leaf in leaves(cls).values():
        group = groups.get(leaf.name.partition(".")[0], parser)
        _add_option(group, leaf)
    return parser


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
