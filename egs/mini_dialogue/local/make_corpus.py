#!/usr/bin/env python3
"""Make the corpus of a conversation: a TSV of turns, their recordings, and text alone.

    PYTHONPATH=../../mini_cvss/local python make_corpus.py --out_dir downloads/corpus

Users speak by several espeak-ng voices, the agent by flite's slt. `turns.tsv` has a line a
turn, with the sides `user` and `agent`; `text/{train,dev}.{user,agent}` are turns for the
text LLM, which has seen no meaning of dev or test.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from conversation import SPLITS, Turn, turns
from layout import write_lines, write_rows
from meaning import Draw
from synthesise import Espeak, encode, finish, source_voice, target_voice

from s2st_interleave import config
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.errors import UserError, script
from s2st_interleave.files import atomic_write
from s2st_interleave.progress import name_lines, progress
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.workers import mapped

RATE = 16_000
VOICES = {f"en-us+{name}": "" for name in "f2 f3 f4 m1 m3 m4 m7".split()}
COLUMNS = "id user_audio user_text agent_audio agent_text split".split()


@dataclass(frozen=True, kw_only=True)
class Options:
    out_dir: Path = option(REQUIRED, "folder to write the corpus to")
    num_train: int = option(1500, "turns of speech to train on", minimum=1)
    num_dev: int = option(40, "turns of speech for development", minimum=1)
    num_test: int = option(150, "turns of speech for the test", minimum=1)
    num_text: int = option(12_000, "turns of text", minimum=1)
    seed: int = option(1, "another seed is another corpus", minimum=0)
    target_voice: str = option("flite", "the agent's voice: flite or piper")
    nj: int = option(2, "processes", runtime=True, minimum=1)
    overwrite: bool = option(False, "make it anew", runtime=True)


def run(options: Options) -> None:
    stage = open_stage(
        options.out_dir,
        stage="conversation",
        options=options,
        inputs={},
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    # 1. What is said: speech is the first part of the text.
    sizes = {
        "train": max(options.num_train, options.num_text),
        "dev": options.num_dev,
        "test": options.num_test,
    }
    said = turns(options.seed, sizes)
    spoken = {
        f"{split}{number:05}": turn
        for split in SPLITS
        for number, turn in enumerate(said[split][: getattr(options, f"num_{split}")])
    }

    # 2. Say it; a clip appears whole, so that a rerun makes what is missing.
    speak(spoken, options)

    # 3. The tables.
    rows = [COLUMNS]
    for name, turn in sorted(spoken.items()):
        clips = [str(clip(Path(), name, side)) for side in ("user", "agent")]
        split = name.rstrip("0123456789")
        rows.append([name, clips[0], turn.user, clips[1], turn.agent, split])
    write_rows(options.out_dir / "turns.tsv", rows)
    for split in ("train", "dev"):
        for side in ("user", "agent"):
            lines = [getattr(turn, side) for turn in said[split]]
            write_lines(options.out_dir / "text" / f"{split}.{side}", lines)
    stage.finish(num_in=len(spoken), num_out=len(spoken))


def clip(folder: Path, name: str, side: str) -> Path:
    return folder / "clips" / side / f"{name}.flac"


class Speaker:
    """Speaks turns; each process has one."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.engine = Espeak()
        self.agent = target_voice(options.target_voice)

    def speak(self, name: str, turn: Turn) -> None:
        seed = self.options.seed
        _, user = source_voice(self.engine, VOICES, seed, name)
        draw = Draw(seed, "silence", name)
        for side, voice in (("user", user), ("agent", self.agent)):
            path = clip(self.options.out_dir, name, side)
            text = getattr(turn, side)
            speech = finish(voice.speak(text, text.split()), RATE, draw)
            if not path.is_file():
                with atomic_write(path, "wb") as stream:
                    stream.write(encode(speech, "FLAC"))


_speaker: Speaker | None = None


def start(options: Options) -> None:
    global _speaker
    _speaker = Speaker(options)


def say(item: tuple[str, Turn]) -> None:
    assert _speaker is not None
    _speaker.speak(*item)


def speak(spoken: dict[str, Turn], options: Options) -> None:
    todo = [
        (name, turn)
        for name, turn in spoken.items()
        if not clip(options.out_dir, name, "agent").is_file()  # the last of the two
    ]
    start(options)  # fails here, in words, if a voice is missing
    done = mapped(say, todo, options.nj, chunk=8, begin=start, begin_args=(options,))
    name_lines("stage 1 conversation")
    for _ in progress(done, "turns spoken", len(todo)):
        pass


def main() -> int:
    if shutil.which("flite") is None:
        raise UserError("flite is missing: type apt-get install flite")
    run(config.parse(Options, sys.argv[1:], prog="make_corpus", about=__doc__))
    return 0


if __name__ == "__main__":
    sys.exit(script("make_corpus", main))
