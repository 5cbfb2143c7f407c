#!/usr/bin/env python3
"""Train a small Llama on turns of text: it stands in for a real text LLM.

    PYTHONPATH=../../mini_cvss/local python train_text_llm.py \\
        --text_dir downloads/corpus/text --out_dir downloads/llm

A turn is two lines, "User: ..." and "Agent: ..."; no meaning of dev or test is among
them. Model and training are those of the mini CVSS recipes.
"""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from text_llm import LlmOptions, train_llm

from s2st_interleave import config, parallel
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.errors import script
from s2st_interleave.stage_dir import Input

SIDES = ("user", "agent")


@dataclass(frozen=True, kw_only=True)
class Options(LlmOptions):
    text_dir: Path = option(REQUIRED, "{train,dev}.{user,agent}, line by line")
    num_merges: int = option(371, "of the byte-level BPE, as Llama's", minimum=0)


def main() -> None:
    options = config.parse(Options, sys.argv[1:], prog="train_text_llm", about=__doc__)
    names = [f"{part}.{side}" for part in ("train", "dev") for side in SIDES]
    train_llm(
        options,
        inputs={name: Input(options.text_dir / name) for name in names},
        documents=lambda part: documents(options.text_dir, part),
        num_merges=options.num_merges,
    )


def documents(folder: Path, part: str) -> list[str]:
    """A document a turn: what the user asks, and what the agent answers."""
    texts = (
        (folder / f"{part}.{side}").read_text("utf-8").splitlines() for side in SIDES
    )
    return [
        f"User: {user}\nAgent: {agent}\n" for user, agent in zip(*texts, strict=True)
    ]


if __name__ == "__main__":
    parallel.exit_with(partial(script, "train_text_llm", main))
