"""JSON objects as frozen dataclasses: exactly their keys, exactly their types."""

import dataclasses
import sys
import types
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from s2st_interleave.errors import UserError
from s2st_interleave.values import nearest

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")


def read(cls: type[Record], data: Any, origin: str, *, others: bool = False) -> Record:
    """Build `cls` from the JSON object `data` of the file `origin`.

    A field with a default may be missing: earlier versions did not write it. `others`
    allows keys that are not fields, here and in objects within. Raises UserError, naming
    `origin` and key, for a missing or unknown key and for a value of another type.
    """
    if not isinstance(data, Mapping):
        raise UserError(f"{origin}: expected an object, not {data!r}")
    field_types = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for key in data:
        if key not in fields and not others:
            raise UserError(f"{origin}: unknown key {key!r}{nearest(str(key), fields)}")
    missing = [k for k, f in fields.items() if k not in data and not _has_default(f)]
    if missing:
        raise UserError(f"{origin}: missing keys: {', '.join(missing)}; was it edited?")
    return cls(
        **{
            key: typed(field_types[key], data[key], f"{origin}: {key}", others)
            for key in fields
            if key in data
        }
    )


def _has_default(field: "dataclasses.Field[Any]") -> bool:
    absent = dataclasses.MISSING
    return field.default is not absent or field.default_factory is not absent


def typed(wanted: Any, value: Any, origin: str, others: bool = False) -> Any:
    """Return `value` as the type `wanted`, or raise UserError naming `origin`."""
    if isinstance(wanted, type) and dataclasses.is_dataclass(wanted):
        return read(wanted, value, origin, others=others)
    kind, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if isinstance(wanted, types.UnionType):  # float | None
        (inner,) = (each for each in arguments if each is not type(None))
        return None if value is None else typed(inner, value, origin, others)
    if kind in (Mapping, dict):
        if isinstance(value, Mapping):
            inner = arguments[1]
            return {
                k: typed(inner, v, f"{origin}: {k}", others) for k, v in value.items()
            }
    elif kind is list:
        if isinstance(value, list):
            return [typed(arguments[0], each, origin, others) for each in value]
    elif kind is tuple:
        if isinstance(value, list | tuple) and len(value) == len(arguments):
            pairs = zip(arguments, value, strict=True)
            return tuple(typed(inner, each, origin, others) for inner, each in pairs)
    elif wanted is float:
        # JSON may write 100.0 as 100; NaN is refused, since a failed score is NaN.
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and abs(value) <= sys.float_info.max:
            return float(value)
    elif wanted is object or type(value) is wanted:
        return value
    raise UserError(f"{origin}: expected {_name(wanted)}, not {value!r}")


def _name(wanted: Any) -> str:
    if wanted == tuple[float, float]:
        return "[low, high]"
    if typing.get_origin(wanted) in (Mapping, dict):
        return "an object"
    return getattr(wanted, "__name__", str(wanted))
