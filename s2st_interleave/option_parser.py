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
    """Appends option and text to `namespace.given`, in the order of the command line."""

    def __call__(self, parser: Any, namespace: Any, values: Any, _: Any = None) -> None:
        namespace.given.append((self.dest, values))


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
    parser = plain_parser(prog, about)
    parser.set_defaults(given=[])
    parser.add_argument("--config", action=_Given, help="YAML of these, read first")
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
    spellings = list(
        dict.fromkeys((f"--{leaf.name}", f"--{leaf.name.replace('_', '-')}"))
    )
    required = leaf.default is REQUIRED
    facts = [str(leaf.bounds), "required" if required else f"default {leaf.default}"]
    text = f"{leaf.text} ({', '.join(filter(None, facts))})".replace("%", "%%")
    group.add_argument(*spellings, action=_Given, metavar=metavar(leaf.hint), help=text)


def metavar(hint: Any) -> str:
    """The values of a type, for help.

    >>> metavar(tuple[int, ...]), metavar(bool), metavar(Literal["auto", "fp32"] | None)
    ('INT ...', 'true|false', 'auto|fp32')
    """
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return "|".join(map(str, arguments))
    if typing.get_origin(hint) is tuple:
        return f"{metavar(arguments[0])} ..."
    if is_optional(hint):
        return metavar(arguments[0])
    if hint is bool:
        return "true|false"
    return re.sub(
        "(?<=[a-z])(?=[A-Z])", "_", getattr(hint, "__name__", str(hint))
    ).upper()
