"""Options that have no effect because of another option, and where that is a mistake.

Setting an option that has no effect is refused, unless what takes its effect away comes
later: a `--config` file after the one that set the option, or the command line after any
file. Thus systems share conf/train.yaml, and conf/systems/baseline.yaml sets
`text_ratio: 0`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from s2st_interleave.blocks import leaves, value_at, within
from s2st_interleave.errors import UserError


class Void(NamedTuple):
    """Options, or blocks, that have an effect only if the option `choice` is `wanted`."""

    choice: str
    wanted: str
    names: Sequence[str]


class Place(NamedTuple):
    """Where an option was set: in the `number`-th file, or on the command line.

    On the line the number is that of the last file before the option.
    """

    number: float
    on_line: bool = False

    def may_void(self, other: "Place") -> bool:
        """May an option set here take the effect away from one set in `other`?"""
        if self.on_line:
            return not other.on_line
        return self.number > other.number


def voids(options: Any) -> list[Void]:
    """Options without effect, by the method `voids` of `options`, if they have one."""
    return options.voids() if hasattr(options, "voids") else []


def void_names(options: Any) -> set[str]:
    """Paths of the options that have no effect as `options` are."""
    names = [name for void in voids(options) for name in void.names]
    return {name for name in leaves(type(options)) if within(name, names)}


def check(options: Any, places: Mapping[str, Place]) -> None:
    """Raise UserError for an option without effect that was set to another value."""
    known = leaves(type(options))
    for choice, wanted, names in voids(options):
        by = places.get(choice)
        for name in sorted(name for name in places if within(name, names)):
            if value_at(options, name) == known[name].default:
                continue
            if by is None or not by.may_void(places[name]):
                value = value_at(options, choice)
                shown = " ".join(map(str, value)) if isinstance(value, tuple) else value
                raise UserError(
                    f"option '{name}' has no effect with {choice} {shown}: it is for "
                    f"{choice} {wanted}"
                )
