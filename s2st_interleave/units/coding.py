"""From readings of the encoder to units: the codebook of a command, and its parts."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy

from s2st_interleave.encoder.reader import Reading
from s2st_interleave.files import atomic_write
from s2st_interleave.stage_dir import read_done
from s2st_interleave.units.kmeans import Codebook

if TYPE_CHECKING:
    from s2st_interleave.encoder.speech_encoder import Reduce


class Coder:
    """The codebook of a command, loaded when the first recording is coded.

    `batched`: units are assigned on the model's device, else by numpy on the CPU, as
    earlier versions did. They differ where two centroids are equally near but for the last
    bits.
    """

    def __init__(self, kmeans: Path, *, batched: bool):
        self.kmeans, self.batched = kmeans, batched

    @cached_property
    def codebook(self) -> Codebook:
        return Codebook.load(self.kmeans)

    @cached_property
    def layer(self) -> int:
        """The layer whose features the codebook clusters."""
        return read_done(self.kmeans, "kmeans")["options"]["layer"]

    @cached_property
    def reduce(self) -> "Reduce | None":
        """What the reader does to features on the device; None: nothing."""
        return self.codebook.on_device() if self.batched else None

    def units(self, reading: Reading) -> np.ndarray:
        """int32 (num_units,) of a reading whose frames `reduce` has been applied to."""
        assert reading.frames is not None
        if self.batched:
            return reading.frames
        return self.codebook.assign(reading.frames)


def write_part(path: Path, units: Mapping[str, np.ndarray]) -> None:
    """Write units by utterance id, as a part of the work."""
    with atomic_write(path, "wb") as stream:
        stream.write(safetensors.numpy.save(dict(units)))


def read_parts(paths: tuple[Path, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """Utterance ids and units of all parts, one part in memory at a time."""
    for path in paths:
        part = safetensors.numpy.load_file(path)
        yield from sorted(part.items())
