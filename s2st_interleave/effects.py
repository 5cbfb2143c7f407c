"""Options that change nothing as others are set, and where that is a mistake.

An option that has no effect is refused. Only what comes after it may make it so: a file
by `--config` that stands behind it, or the command line where a file has set it. Thus
systems share conf/train.yaml, and conf/systems/baseline.yaml sets `text_ratio: 0`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from s2st_interleave.blocks import leaves, value_at, within
from s2st_interleave.errors import UserError


class Void(NamedTuple):
    """Options, or blocks of them, that have an effect only where `choice` is as `wanted`."""

    choice: str
    wanted: str
    names: Sequence[str]


class Place(NamedTuple):
    """Where an option was set: in the file of this number, or behind it on the line."""

    number: float
    on_line: bool = False

    def may_void(self, other: "Place") -> bool:
        if self.on_line:
            return not other.on_line
        return self.number > other.number


def voids(options: Any) -> list[Void]:
    """What has no effect as `options` are: what their method `voids` says, if any."""
    return options.voids() if hasattr(options, "voids") else []


def void_names(options: Any) -> set[str]:
    """Paths of the options that have no effect as `options` are."""
    names = [name for void in voids(options) for name in void.names]
    return {name for name in leaves(type(options)) if within(name, names)}


def check(options: Any, places: Mapping[str, Place]) -> None:
    """Raise UserError for an option that was set to another value in vain."""
    known = leaves(type(options))
    for choice, wanted, names in voids(options):
        by = places.get(choice)
        for name in sorted(name for name in places if within(name, names)):
            if value_at(options, name) == known[name].default:
                continue
            if by is None or not by.may_void(places[name]):
                raise UserError(
                    f"option '{name}' has no effect with {choice} "
                    f"{value_at(options, choice)}: it is for {choice} {wanted}"
                )
