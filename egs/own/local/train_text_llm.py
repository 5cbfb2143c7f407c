#!/usr/bin/env python3
"""Train a small Llama on the sentences of a corpus: it stands in for a real text LLM.

    PYTHONPATH=../mini_cvss/local python local/train_text_llm.py \\
        --train_dir data/train --dev_dir data/dev --out_dir downloads/llm

An utterance is a line for each side, "German: ...", then "English: ..."; sides that speak
one language are called by their roles. Model and training are those of the mini recipes.
"""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from text_llm import LlmOptions, train_llm

from s2st_interleave import config, parallel
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.kaldi import DataDir
from s2st_interleave.data.languages import language
from s2st_interleave.errors import script
from s2st_interleave.stage_dir import Input


@dataclass(frozen=True, kw_only=True)
class Options(LlmOptions):
    train_dir: Path = option(REQUIRED, "data/train")
    dev_dir: Path = option(REQUIRED, "data/dev")
    num_merges: int = option(371, "of the byte-level BPE, as Llama's", minimum=0)


def main() -> None:
    options = config.parse(Options, sys.argv[1:], prog="train_text_llm", about=__doc__)
    parts = {"train": DataDir(options.train_dir), "dev": DataDir(options.dev_dir)}
    files = {
        f"{part}.{side}": Input(data.file("text", side))
        for part, data in parts.items()
        for side in data.sides
    }
    train_llm(
        options,
        inputs=files,
        documents=lambda part: documents(parts[part]),
        num_merges=options.num_merges,
    )


def documents(data: DataDir) -> list[str]:
    """A line a side for each utterance, in the order in which the sides speak."""
    names = [language(code).name for code in data.sides.values()]
    if len(set(names)) < len(names):
        names = [side.capitalize() for side in data.sides]
    texts = [data.texts(side) for side in data.sides]
    return [
        "".join(
            f"{name}: {text[key]}\n" for name, text in zip(names, texts, strict=True)
        )
        for key in texts[0]
        if all(key in text for text in texts)
    ]


if __name__ == "__main__":
    parallel.exit_with(partial(script, "train_text_llm", main))
