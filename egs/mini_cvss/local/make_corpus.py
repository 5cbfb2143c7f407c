#!/usr/bin/env python3
"""Make a small speech translation corpus in the layout of the real ones.

    python make_corpus.py --src es --num_train 1500 --out corpus --nj 2

writes Common Voice v4 (clips, validated.tsv), CoVoST 2 and CVSS-C, with the words' times
and parallel text for a language model. The same options give the same bytes, for any --nj
and after any interruption. Dev and test do not depend on --num_train, and none of their
meanings occurs in training, as speech or as text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from check_lexicon import check
from corpus_options import (
    Options,
    differences,
    fingerprint,
    parse_arguments,
    versions,
    voice_versions,
)
from language import load_language
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
from meaning import Draw, Meaning
from realise import normalise, realise_all
from space import CLAUSE_SIZES, SIZES, MeaningSpace

from s2st_interleave.begun import hold
from s2st_interleave.errors import UserError, script
from s2st_interleave.progress import name_lines, progress
from s2st_interleave.promises import absent, and_more
from s2st_interleave.workers import mapped

FIRST_ID = {"dev": 1_000_000, "test": 2_000_000, "train": 3_000_000}
SRC_RATE, TGT_RATE = 48_000, 24_000


class Maker:
    """Makes the clips of pairs; each process has one, set by `start_worker`."""

    def __init__(
        self, options: Options, layout: Layout, spoken_dir: Path | None
    ) -> None:
        from synthesise import Espeak, RememberingVoice, target_voice

        self.options, self.layout = options, layout
        self.voices = load_language(options.src).voices
        self.engine = Espeak()
        self.target = target_voice(options.target_voice)
        if spoken_dir:  # each version of the voice has its own folder
            words = [f"{k}-{v}" for k, v in voice_versions(options).items()]
            folder = spoken_dir / "_".join([options.target_voice, *words])
            self.target = RememberingVoice(self.target, folder)

    def make(self, pair: Pair) -> None:
        """Write a pair's clips, then its word times, which mark it as complete."""
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
    """Set up the Maker of this process."""
    global _maker
    _maker = Maker(options, layout, spoken_dir)


def make_pair(pair: Pair) -> None:
    """Make a pair by the Maker of this process."""
    assert _maker is not None
    _maker.make(pair)


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_arguments(argv)
    options = Options(**{name: getattr(args, name) for name in Options.__annotations__})
    layout = Layout(args.out, options.src)
    # 1. Compare with the corpus that is there.
    identity = options.identity | {"fingerprint": fingerprint(options)}
    # All of a corpus must be spoken by the same versions of the synthesisers.
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
        print(f"corpus: {layout.root} is up to date")
        return 0
    # 2. Make the sentences; nothing is removed or written if words are missing.
    check(options.src, MeaningSpace(options.meanings))
    layout.root.mkdir(parents=True, exist_ok=True)
    hold(layout.root)
    pairs, text = compose(options)
    if differ:
        remove(layout.outputs())
    elif gone:
        more = and_more(len(gone) - 1)
        print(f"{gone[0]}{more} is gone: {layout.root} is made again")
        layout.done.unlink()
    write_text(started, json.dumps(begun))
    # 3. Speak the pairs that are not there.
    todo = [p for p in pairs if not is_made(layout, p)]
    speak(todo, (options, layout, args.spoken_dir), args.nj)
    # 4. Write the tables, and last the mark that the corpus is complete.
    counts = write_tables(pairs, layout, load_language(options.src).voices)
    for name, sentences in text.items():
        write_lines(layout.root / "text" / name, sentences)
        counts[f"text/{name}"] = len(sentences)
    done = {"options": identity, "counts": counts, "versions": begun["versions"]}
    write_text(layout.done, json.dumps(done, indent=2) + "\n")
    remove([layout.partial])
    print(f"corpus: {layout.root}: {len(pairs)} pairs, {len(todo)} of them made now")
    return 0


def is_made(layout: Layout, pair: Pair) -> bool:
    """Does a pair have its clips and its word times, which are written last?"""
    times = layout.partial / f"{pair.utt_id}.json"
    return all(path.exists() for path in (times, layout.mp3(pair), layout.wav(pair)))


def promised(layout: Layout, counts: dict[str, int]) -> list[Path]:
    """The files of a finished corpus, by the `counts` in its mark."""
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
    """The id of a split's `number`-th utterance."""
    return f"common_voice_{src}_{FIRST_ID[split] + number}"


def compose(options: Options) -> tuple[list[Pair], dict[str, list[str]]]:
    """The pairs of all splits, and the lines of the files below `text` by name.

    Lines have the meanings of train, or of dev in the files named `dev`. Raises UserError
    if a sentence of dev or test occurs in training.
    """
    languages = [load_language(name) for name in (options.src, TGT)]
    sizes = {"train": max(options.num_train, options.num_text)}
    sizes["dev"] = max(options.num_dev, options.num_text // 40)
    sizes["test"] = options.num_test
    meanings = _meanings(options, sizes)
    pairs: list[Pair] = []
    text: dict[str, list[str]] = {}
    held_out: set[str] = set()
    for split in ("test", "dev", "train"):
        spoken = [
            tuple(realise_all(m, lang) for lang in languages) for m in meanings[split]
        ]
        sentences = {sentence for pair in spoken for sentence in pair}
        if split != "train":
            held_out |= sentences
        elif sentences & held_out:
            raise UserError(
                f"held-out text in train: {min(sentences & held_out)}: a lexicon says "
                "two meanings in the same words"
            )
        for k, texts in enumerate(spoken[: getattr(options, f"num_{split}")]):
            utt_id = utterance_id(options.src, split, k)
            pairs.append(Pair(utt_id, split, *texts))
        if split != "test":
            lines = spoken[: options.num_text if split == "train" else sizes["dev"]]
            text[f"{split}.{options.src}"] = [src for src, _ in lines]
            text[f"{split}.{TGT}"] = [tgt for _, tgt in lines]
    return sorted(pairs, key=lambda pair: pair.utt_id), text


def _meanings(
    options: Options, sizes: Mapping[str, int]
) -> dict[str, list[list[Meaning]]]:
    """The meanings of each sentence by split: clauses of a sentence are of one split."""
    number = options.clauses
    space = MeaningSpace(options.meanings, CLAUSE_SIZES if number > 1 else SIZES)
    wanted = {split: size * number for split, size in sizes.items()}
    return {
        split: [flat[k : k + number] for k in range(0, len(flat), number)]
        for split, flat in space.splits(options.seed, wanted).items()
    }


def speak(
    todo: Sequence[Pair], worker: tuple[Options, Layout, Path | None], nj: int
) -> None:
    """Make the clips of `todo` in `nj` processes, each by `start_worker(*worker)`."""
    if not todo:
        return
    start_worker(
        *worker
    )  # a missing voice is an error here, not in a process of the pool
    name_lines(f"stage 1 corpus {worker[0].src}-{TGT}")
    what = "pairs spoken"
    pairs = mapped(make_pair, todo, nj, chunk=8, begin=start_worker, begin_args=worker)
    for _ in progress(pairs, what, len(todo)):
        pass


if __name__ == "__main__":
    sys.exit(script("make_corpus", main))
