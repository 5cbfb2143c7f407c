"""Utterances of which some are too long for an LLM of few positions."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.align.words import Word, write_words
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.units import store

UNIT_SEC, POSITIONS = 0.04, 96
SIDES = {"src": "es", "tgt": "en"}
WORDS = "la casa roja come pan agua gato perro".split()


@dataclass(frozen=True)
class Nothing:
    pass


def stages_3_and_4(root: Path, split: str, lengths: dict[str, int]) -> None:
    """Utterances of so many units a side, a word in each second of them."""
    align, units = root / "align" / split, root / "units" / split
    made_of = {"lengths": str(lengths)}
    stages = [
        open_stage(
            folder, stage=name, options=Nothing(), inputs=made_of, overwrite=True
        )
        for folder, name in ((align, "align"), (units, "units"))
    ]
    if None in stages:
        return
    for role, language in SIDES.items():
        words, made = {}, {}
        for utterance, count in lengths.items():
            rng = keyed.generator(utterance, language)
            made[utterance] = rng.integers(0, 20, count).astype(np.int32)
            width = count * UNIT_SEC / 4
            words[utterance] = [
                Word(str(word), k * width, (k + 1) * width, -0.1)
                for k, word in enumerate(rng.choice(WORDS, 4))
            ]
        write_words(align / f"words.{role}.jsonl", words)
        store.write_units(units / f"units.{role}", made)
    count = len(lengths)
    stages[0].finish(num_in=count, num_out=count, sides=SIDES)
    facts = {"num_units": 20, "unit_sec": UNIT_SEC, "sides": SIDES}
    stages[1].finish(num_in=count, num_out=count, **facts)


def lengths(split: str, long: tuple[int, ...] = (), count: int = 12) -> dict[str, int]:
    return {f"{split}{k:02}": 60 if k in long else 12 + k for k in range(count)}


def llm_of(text_llm: Path, folder: Path, positions: int | None) -> Path:
    shutil.copytree(text_llm, folder)
    config = json.loads((folder / "config.json").read_text())
    config["max_position_embeddings"] = positions
    (folder / "config.json").write_text(json.dumps(config))
    return folder
