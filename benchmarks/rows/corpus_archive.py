"""Stage 1 of a corpus in archives: read as they are, against unpacked, a FLAC an utterance.

The plain way unpacks the archives, converts the clips, and writes a FLAC for each. Bytes
and files are what stage 1 leaves in `dump`, with the clips that were unpacked.
"""

import contextlib
import io
import shutil
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from benchmarks.measure import Row, figure
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.digests import digests
from s2st_interleave.stages import data

NUM_CLIPS, SECONDS = 1000, 1.5  # of each side: 2,000 recordings


@dataclass(frozen=True)
class Cost:
    seconds: float  # CPU seconds of all threads
    again: float  # of a second run, which finds all as it should be
    files: int
    bytes: int


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        _corpus(root)
        with contextlib.redirect_stdout(io.StringIO()):
            ours, other = _cost(root, "new"), _cost(root, "old")
        what, against = "stage 1 of 1,000 pairs in archives", "unpacked, single FLACs"
        yield figure(what, against, ours.seconds, other.seconds, "CPU s")
        yield figure(f"{what}, a second run", against, ours.again, other.again, "CPU s")
        yield figure(
            f"{what}: files in dump", against, ours.files, other.files, "files"
        )
        yield figure(f"{what}: dump", against, ours.bytes, other.bytes, "bytes")
        yield _hashing(root)


def _corpus(root: Path) -> None:
    """Archives as those of Common Voice and CVSS, of MP3s and WAVs of noise and tones."""
    clips, cvss = root / "cv" / "clips", root / "cvss"
    clips.mkdir(parents=True)
    (cvss / "train").mkdir(parents=True)
    rng = np.random.default_rng(0)
    validated, covost, rows_ = "client_id\tpath\tsentence\n", "path\tsplit\n", ""
    time_ = np.arange(round(48_000 * SECONDS)) / 48_000
    tone = 0.1 * np.sin(2 * np.pi * 200 * time_)
    for number in range(NUM_CLIPS):
        name = f"clip{number:04}.mp3"
        noise = tone + 0.02 * rng.standard_normal(len(tone))
        soundfile.write(clips / name, noise, 48_000, format="MP3")
        soundfile.write(cvss / "train" / f"{name}.wav", noise[::2], 24_000)
        validated += f"spk\t{name}\thola\n"
        covost += f"{name}\ttrain\n"
        rows_ += f"{name}\thello\n"
    (root / "cv" / "validated.tsv").write_text(validated)
    (root / "covost.tsv").write_text(covost)
    (cvss / "train.tsv").write_text(rows_)
    for name in ("cv", "cvss"):
        with tarfile.open(root / f"{name}.tar.gz", "w:gz", compresslevel=1) as tar:
            tar.add(root / name, name)
        shutil.rmtree(root / name)


def _cost(root: Path, name: str) -> Cost:
    dump, is_new = root / name, name == "new"

    def run() -> float:
        started = time.process_time()
        place = {part: root / f"{part}.tar.gz" for part in ("cv", "cvss")}
        if not is_new:
            place = {part: dump / "unpacked" / part for part in place}
            for part, folder in place.items():
                if not folder.is_dir():
                    shutil.unpack_archive(root / f"{part}.tar.gz", folder.parent)
        data.run(
            data.Options(
                common_voice=place["cv"],
                covost=root / "covost.tsv",
                cvss=place["cvss"],
                unpack_dir=dump / "unpacked",
                data_dir=root / f"data {name}",
                audio_dir=dump / "audio",
                audio_format="ark" if is_new else "flac",
                split="train",
                src_lang=LanguageCode("es"),
                nj=2,
            )
        )
        return time.process_time() - started

    first = run()
    paths = [path for path in dump.rglob("*") if path.is_file()]
    return Cost(first, run(), len(paths), sum(path.stat().st_size for path in paths))


def _hashing(root: Path) -> Row:
    """The sha256 of all audio: of archives, and of single files."""
    places = [root / "new" / "audio", root / "old" / "audio"]
    archives = sorted(places[0].rglob("*.ark"))
    flacs = sorted(places[1].rglob("*.flac"))

    def hashed(paths: list[Path], name: str) -> float:
        started = time.process_time()
        digests(paths, root / name)
        return time.process_time() - started

    what = f"sha256 of all audio, {len(archives)} archives"
    ours, other = hashed(archives, "of archives"), hashed(flacs, "of FLACs")
    return figure(what, f"{len(flacs)} FLACs", ours, other, "CPU s")
