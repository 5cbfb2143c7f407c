#!/usr/bin/env python3
"""Where wrong answers arise: how many turns are right to the word, step by step.

    python local/check_errors.py --exp_dir exp --data_dir data/test

The toplines first: what the recogniser hears of the recordings and of their units through
the vocoder, and what the text LLM answers to the transcript. Then, of each system, how many
transcripts, texts and spoken answers are right, and how many of the wrong spoken answers
were wrong before in the transcript, or only in the text, or in the speech alone.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave import config
from s2st_interleave.config import option
from s2st_interleave.data import kaldi
from s2st_interleave.decode.outputs import read_texts
from s2st_interleave.errors import script
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.results import markdown_table

TOPLINES = {
    "recordings, recognised": "hyp.reference",
    "their units through the vocoder, recognised": "hyp.resynthesis",
    "text LLM, asked the transcript": "hyp.cascade",
}


@dataclass(frozen=True, kw_only=True)
class Options:
    exp_dir: Path = option(Path("exp"), "of the recipe")
    data_dir: Path = option(Path("data/test"), "the references")
    systems: tuple[str, ...] = option(("baseline", "scheduled"), "which")
    decode_tag: str = option("greedy_last", "which of their decodes")


@dataclass(frozen=True)
class Right:
    """Ids of the turns of a system that are right, by what it answers with."""

    user_text: set[str]
    agent_text: set[str]
    agent_speech: set[str]


def main() -> None:
    options = config.parse(Options, sys.argv[1:], prog="check_errors", about=__doc__)
    data = kaldi.DataDir(options.data_dir)
    agent, user = data.texts("agent"), data.texts("user")
    split = options.data_dir.name
    folder = options.exp_dir / "topline" / split
    rows = [
        [name, f"{len(right(agent, kaldi.read_table(folder / file)))}"]
        for name, file in TOPLINES.items()
    ]
    print(markdown_table(["topline", f"right, of {len(agent)}"], rows), end="\n\n")
    rows = []
    for system in options.systems:
        decode = options.exp_dir / system / options.decode_tag / split
        found = Right(
            right(user, read_texts(decode, "user")),
            right(agent, read_texts(decode, "agent")),
            right(agent, kaldi.read_table(decode / "score" / "hyp")),
        )
        rows.append([system, *(f"{number}" for number in counts(found, set(agent)))])
    header = "system,user_text right,agent_text right,agent_speech right".split(",")
    wrong = "wrong since user_text,since agent_text,in agent_speech alone".split(",")
    print(markdown_table([*header, *wrong], rows))


def right(references: Mapping[str, str], hypotheses: Mapping[str, str]) -> set[str]:
    """Ids of those that are the reference, once both are normalised as in stage 9."""
    normalize = Normalizer("en").normalize
    return {
        utterance
        for utterance, text in hypotheses.items()
        if normalize(text) == normalize(references[utterance])
    }


def counts(found: Right, everyone: set[str]) -> tuple[int, ...]:
    """The right ones of each step, and the wrong answers by the first step that was."""
    wrong = everyone - found.agent_speech
    return (
        len(found.user_text),
        len(found.agent_text),
        len(found.agent_speech),
        len(wrong - found.user_text),
        len((wrong & found.user_text) - found.agent_text),
        len(wrong & found.user_text & found.agent_text),
    )


if __name__ == "__main__":
    sys.exit(script("check_errors", main))
