#!/usr/bin/env python3
"""Fetch recorded telephone prompts with their texts: real voices, as a table for run.sh.

    python local/fetch_prompts.py --lang es --out_dir downloads/prompts_es

Debian's `asterisk-core-sounds-*` packages (CC BY-SA 3.0) hold what a telephone exchange says,
one speaker a language, and the texts. A prompt that exists in both languages is a pair. The
packages are downloaded by apt-get under pinned hashes and never installed. Writes prompts.tsv,
wav/ and dropped.tsv.
"""

import gzip
import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import av
import numpy as np
import soundfile

from s2st_interleave import config
from s2st_interleave.config import REQUIRED, RunOptions, option
from s2st_interleave.errors import UserError, script
from s2st_interleave.files import atomic_write
from s2st_interleave.progress import progress
from s2st_interleave.stage_dir import open_stage

VERSION = "1.6.1-1"
PACKAGES: Mapping[str, str] = {  # end of the name -> sha256 of the package
    "en": "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50",
    "en-g722": "38c5261820b406dcb0ecb37675720da2b0864850690690352ca52707eb623806",
    "es": "9afdab7f559f036649fb406e625899306ca1004df8ebe39c30bfbd5912d66f74",
    "es-g722": "e4e3b4281057d3b81b779298fd6be705f57411513955c518eed1bcaabbd615b8",
    "fr": "04c82c78c570c43a7136cbc5e2488d0c470b775468dff9fbce4a131b18cf1056",
    "fr-g722": "7add61d5e42279ecff1bbdf842a5a946ac3644fac9a0fe44384731aa7270c8e0",
    "it": "3884d9457e12f21caa018c18f0d587df5d53ebea14b673d8453a134c5941ab3b",
    "it-g722": "46b4cf7afc508a5fcfc051b7ea233251c0d195dd4ef83cc4b7facb4c6429b016",
    "ru": "28a61616bb0cd3345a7ea532dec4df9f071e5d0fa9f8c1a563ea9669002f39ab",
    "ru-g722": "673b4238a6b8269960f055d868c6a11083f7a0d00979167cb01554046b48ed9b",
}
SAMPLE_RATE = 16_000  # Hz, that of G.722
MIN_WORDS = 3
NUM_HELD_OUT = 25  # pairs each of dev and test
BRING = "bring the packages here and name their folder with --debs"
COLUMNS = ("id", "src_audio", "src_text", "tgt_audio", "tgt_text", "split")
COLUMNS += ("src_lang", "tgt_lang")


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    lang: Literal["es", "fr", "it", "ru"] = option(
        "es", "of the prompts, beside English"
    )
    out_dir: Path = option(REQUIRED, "folder to write")
    version: str = option(VERSION, "of the packages, which pins their hashes")
    debs: Path | None = option(
        None, "folder that has the packages: nothing is downloaded", runtime=True
    )


def main() -> None:
    run(config.parse(Options, sys.argv[1:], prog="fetch_prompts", about=__doc__))


def run(options: Options, packages: Mapping[str, str] = PACKAGES) -> None:
    """Write the pairs of a language and English, with what was left out and why.

    Raises UserError where a package cannot be had or is not the pinned one.
    """
    out, lang = options.out_dir, options.lang
    stage = open_stage(
        out, stage="prompts", options=options, inputs={}, overwrite=options.overwrite
    )
    if stage is None:
        return
    with tempfile.TemporaryDirectory(dir=out, prefix=".packages.") as name:
        texts, sounds = {}, {}
        for code in (lang, "en"):
            root = Path(name) / code
            for package in (code, f"{code}-g722"):
                _unpack(_package(package, packages[package], options, root), root)
            texts[code], sounds[code] = _texts(root), _sounds(root)
        dropped = _unusable(texts[lang], texts["en"], sounds[lang], sounds["en"])
        prompts = sorted((texts[lang].keys() | texts["en"].keys()) - dropped.keys())
        for prompt in progress(prompts, f"prompts {lang}"):
            for code in (lang, "en"):
                _write_wav(sounds[code][prompt], out / _wav(prompt, code))
    splits = _splits(prompts)
    with atomic_write(out / "prompts.tsv") as stream:
        print(*COLUMNS, sep="\t", file=stream)
        for prompt in prompts:
            row = [_name(prompt)]
            for code in (lang, "en"):
                row += [_wav(prompt, code), texts[code][prompt]]
            print(*row, splits[prompt], lang, "en", sep="\t", file=stream)
    num_in = len(prompts) + len(dropped)
    stage.finish(num_in=num_in, num_out=len(prompts), dropped=dropped)
    print(f"{out / 'prompts.tsv'}: {len(prompts)} pairs of {lang} and en")


def _package(end: str, sha256: str, options: Options, root: Path) -> Path:
    """The .deb file of a package, downloaded unless --debs has it."""
    name, folder = f"asterisk-core-sounds-{end}", options.debs or root / "deb"
    if options.debs is None:
        _download(f"{name}={options.version}", folder)
    files = sorted(folder.glob(f"{name}_{options.version}_*.deb"))
    if len(files) != 1:
        raise UserError(
            f"{folder}: {len(files)} files {name}_{options.version}_*.deb, wanted is one"
        )
    with files[0].open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256:
        raise UserError(f"{files[0]}: its sha256 is {digest}, not the pinned {sha256}")
    return files[0]


def _download(package: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = ["apt-get", "download", "--quiet=2", package]
    try:
        done = subprocess.run(command, cwd=folder, stdout=sys.stderr, check=False)
    except FileNotFoundError:
        raise UserError(f"no apt-get here to download {package}: {BRING}") from None
    if done.returncode != 0:
        raise UserError(f"apt-get could not download {package}, see above: {BRING}")


def _unpack(package: Path, root: Path) -> None:
    """Unpack a package whose hash was right, by Debian's own tool; nothing is installed."""
    try:
        subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    except FileNotFoundError:
        raise UserError("no dpkg-deb here, which unpacks the packages") from None


def _texts(root: Path) -> dict[str, str]:
    """Texts by prompt, from lines `prompt: text`; `;` begins a comment."""
    (path,) = root.glob("usr/share/doc/*/core-sounds-*.txt.gz")
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()
    parts = [line.partition(":") for line in lines if not line.startswith(";")]
    # Where a prompt is there twice, the first counts: it is the one that was recorded.
    texts: dict[str, str] = {}
    for prompt, _, text in parts:
        if prompt.strip():
            texts.setdefault(prompt.strip(), " ".join(text.split()))
    return texts


def _sounds(root: Path) -> dict[str, Path]:
    """Recordings by prompt, a path below the speaker's folder without its ending."""
    (speaker,) = (root / "usr/share/asterisk/sounds").iterdir()
    return {
        path.relative_to(speaker).with_suffix("").as_posix(): path
        for path in speaker.rglob("*.g722")
    }


def _unusable(
    source: Mapping[str, str],
    english: Mapping[str, str],
    source_sounds: Mapping[str, Path],
    english_sounds: Mapping[str, Path],
) -> dict[str, str]:
    """The reasons, by prompt, of those that are no pair of recorded sentences."""
    dropped = {}
    for prompt in source.keys() | english.keys():
        if prompt not in source or prompt not in english:
            dropped[prompt] = "text in one language only"
        elif re.search(r"[][()]", source[prompt] + english[prompt]):
            dropped[prompt] = "brackets: a sound or a remark, not words alone"
        elif min(map(_num_words, (source[prompt], english[prompt]))) < MIN_WORDS:
            dropped[prompt] = f"fewer than {MIN_WORDS} words"
        elif prompt not in source_sounds or prompt not in english_sounds:
            dropped[prompt] = "recording in one language only"
    return dropped


def _num_words(text: str) -> int:
    return len(re.findall(r"\w+", text))


def _splits(prompts: Sequence[str]) -> dict[str, str]:
    """A split for each prompt, drawn by its name: test, dev, and the rest for train."""
    order = sorted(prompts, key=lambda p: hashlib.sha256(p.encode()).hexdigest())
    held_out = ["test"] * NUM_HELD_OUT + ["dev"] * NUM_HELD_OUT
    return dict(zip_longest(order, held_out[: len(order)], fillvalue="train"))


def _name(prompt: str) -> str:
    return prompt.replace("/", "-")


def _wav(prompt: str, code: str) -> str:
    return f"wav/{_name(prompt)}.{code}.wav"


def _write_wav(recording: Path, wav: Path) -> None:
    """Decode a raw G.722 recording (16 kHz, mono) to 16-bit WAV."""
    with av.open(str(recording), format="g722") as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    with atomic_write(wav, "wb") as stream:
        soundfile.write(stream, np.concatenate(frames), SAMPLE_RATE, format="WAV")


if __name__ == "__main__":
    sys.exit(script("fetch_prompts", main))
