"""Units on disk: `units.<side>.{ark,scp}`, int32 vectors in Kaldi's format."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.data.kaldi import read_table, write_table
from s2st_interleave.files import atomic_write
from s2st_interleave.weights import reading


def _kaldiio() -> Any:
    """kaldiio, which has no types."""
    import kaldiio

    return kaldiio


def write_units(stem: Path, units: Mapping[str, np.ndarray]) -> None:
    """Write `<stem>.ark` and, last, `<stem>.scp`, both sorted by utterance id."""
    write_in_order(stem, ((key, units[key]) for key in sorted(units)))


def write_in_order(stem: Path, units: Iterable[tuple[str, np.ndarray]]) -> None:
    """Write `<stem>.ark` in the order given, and `<stem>.scp` sorted by utterance id."""
    kaldiio = _kaldiio()
    ark = stem.with_name(f"{stem.name}.ark")
    offsets = {}
    with atomic_write(ark, "wb") as stream:
        for utterance, each in units:
            stream.write(f"{utterance} ".encode())
            offsets[utterance] = f"{ark}:{stream.tell()}"
            kaldiio.matio.write_array(stream, each.astype(np.int32))
    write_table(stem.with_name(f"{stem.name}.scp"), offsets)


def read_units(stem: Path) -> dict[str, np.ndarray]:
    """int32 (num_units,) by utterance id, through `<stem>.scp`; UserError if broken."""
    table = read_table(stem.with_name(f"{stem.name}.scp"))
    load = _kaldiio().load_mat
    with reading(stem.with_name(f"{stem.name}.ark")):
        return {utterance: load(place) for utterance, place in table.items()}
