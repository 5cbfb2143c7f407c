"""Options in blocks: a field of an Options dataclass may be a frozen dataclass itself.

In YAML a block is a mapping, `world: {dropout: 0.1}`; its options are named by their path,
`--world.dropout 0.1`. A `Leaf` is an option that holds a value.
"""

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from s2st_interleave.values import Range

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
REQUIRED: Any = dataclasses.MISSING


@dataclasses.dataclass(frozen=True)
class Leaf:
    """Name, type, default, help text and bounds of an option that is not a block."""

    name: str  # its path, with dots
    hint: Any
    default: Any
    text: str = ""
    runtime: bool = False
    new: bool = False
    bounds: Range = Range()  # noqa: RUF009, it is frozen


@lru_cache
def leaves(cls: type) -> dict[str, Leaf]:
    """The options of a dataclass by path, in the order of its fields."""
    hints = typing.get_type_hints(cls)
    return {
        leaf.name: leaf
        for field in dataclasses.fields(cls)
        for leaf in _leaves_of(field, hints[field.name])
    }


def missing(cls: type, values: Mapping[str, Any]) -> list[str]:
    """The options of a dataclass that must be given, and are not among `values`."""
    return [
        name
        for name, leaf in leaves(cls).items()
        if leaf.default is REQUIRED and name not in values
    ]


def _leaves_of(field: dataclasses.Field[Any], hint: Any) -> Iterator[Leaf]:
    facts = field.metadata
    if not dataclasses.is_dataclass(hint):
        about = {
            k: facts[k] for k in ("text", "runtime", "new", "bounds") if k in facts
        }
        yield Leaf(field.name, hint, field.default, **about)
        return
    for inner, leaf in leaves(typing.cast(type, hint)).items():
        default = leaf.default
        if field.default is not REQUIRED:
            default = value_at(field.default, inner)
        runtime = leaf.runtime or facts.get("runtime", False)
        new = leaf.new or facts.get("new", False)
        name = f"{field.name}.{inner}"
        yield dataclasses.replace(
            leaf, name=name, default=default, runtime=runtime, new=new
        )


def blocks(cls: type) -> dict[str, type]:
    """The types of a dataclass's blocks by name, without the blocks inside of these."""
    hints = typing.get_type_hints(cls)
    return {
        field.name: hints[field.name]
        for field in dataclasses.fields(cls)
        if dataclasses.is_dataclass(hints[field.name])
    }


def value_at(options: Any, name: str) -> Any:
    """The value of the option, or the block, at this path."""
    return attrgetter(name)(options)


def within(name: str, names: typing.Iterable[str]) -> bool:
    """Is the option among `names`, or in a block of that name?"""
    return any(name == other or name.startswith(f"{other}.") for other in names)


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """An instance of `cls` from values by path; other options have their defaults."""
    arguments: dict[str, Any] = {k: v for k, v in values.items() if "." not in k}
    defaults = {field.name: field.default for field in dataclasses.fields(cls)}
    for name, block in blocks(cls).items():
        start = f"{name}."
        inner = {
            k.removeprefix(start): v for k, v in values.items() if k.startswith(start)
        }
        if defaults[name] is not REQUIRED:
            others = {k: value_at(defaults[name], k) for k in leaves(block)}
            inner = others | inner
        arguments[name] = build(block, inner)
    return cls(**arguments)


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """A nested mapping's values by path.

    >>> flat({"a": 1, "b": {"c": 2, "d": {"e": 3}}})
    {'a': 1, 'b.c': 2, 'b.d.e': 3}
    """
    result: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            result |= {f"{key}.{inner}": v for inner, v in flat(value).items()}
        else:
            result[key] = value
    return result


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """The nested mapping of values by path.

    >>> nested({"a": 1, "b.c": 2, "b.d.e": 3})
    {'a': 1, 'b': {'c': 2, 'd': {'e': 3}}}
    """
    result: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        place = result
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return result
