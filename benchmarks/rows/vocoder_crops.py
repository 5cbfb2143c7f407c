"""Crops of HiFi-GAN sought in the files against whole files read for them; same samples."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.measure import Row, side_by_side
from s2st_interleave.data import ark, audio

NUM_FILES, CROP = 16, 26 * 320  # a step of the recipe, in samples at 50 units a second


def rows() -> Iterator[Row]:
    rng = np.random.default_rng(0)
    with TemporaryDirectory() as folder:
        places, packed = [], []
        archive = Path(folder) / "wav.1.ark"
        for number in range(NUM_FILES):
            seconds = float(np.clip(rng.lognormal(np.log(4.5) - 0.08, 0.4), 1, 15))
            time = np.arange(round(16_000 * seconds)) / 16_000
            noise = 0.02 * rng.standard_normal(len(time))
            path = Path(folder) / f"{number}.flac"
            audio.write(path, 0.1 * np.sin(2 * np.pi * 200 * time) + noise)
            start = int(rng.integers(len(time) - CROP))
            places.append((path, start))
            packed.append((Path(f"{archive}:{_append(archive, path)}"), start))
        yield side_by_side(
            "16 crops of 0.5 s of FLACs of 4.5 s",
            "whole files, the same samples",
            lambda: [audio.read_span(path, at, at + CROP) for path, at in places],
            lambda: [audio.read(path)[at : at + CROP] for path, at in places],
            amount=NUM_FILES,
            unit="crops/s",
        )
        yield side_by_side(
            "the same crops of FLACs in a Kaldi archive",
            "in files of their own",
            lambda: [audio.read_span(path, at, at + CROP) for path, at in packed],
            lambda: [audio.read_span(path, at, at + CROP) for path, at in places],
            amount=NUM_FILES,
            unit="crops/s",
        )


def _append(archive: Path, path: Path) -> int:
    """Put a FLAC into an archive; the offset of its recording."""
    content = path.read_bytes()
    with archive.open("ab") as stream:
        stream.write(f"{path.stem} ".encode())
        offset = stream.tell()
        stream.write(ark.head(len(content)) + content)
    return offset
