"""A training of tiny parts, its draws, and utterances in several scripts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import tiny_parts
import yaml

from s2st_interleave import config
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.dump import Utterance
from s2st_interleave.interleave.segments import Side
from s2st_interleave.show.picture import Picture
from s2st_interleave.show.training import Training, read_llm
from s2st_interleave.stage_dir import Stage, open_stage
from s2st_interleave.stages.train_options import Options

NUM_UNITS, UNIT_SEC = 20, 0.04
LANGUAGES = {"src": "es", "tgt": "en"}


def spoken(words: str, units_per_word: int = 5, gap: int = 0) -> Side:
    """A side whose words last equally long, with `gap` units before each."""
    named = tuple(words.split())
    step = units_per_word + gap
    ends = [step * (k + 1) for k in range(len(named))]
    spans = np.array([[end - units_per_word, end] for end in ends], dtype=np.int32)
    units = (np.arange(ends[-1] + 2) * 7 % NUM_UNITS).astype(np.int32)
    return Side(units, named, spans)


@pytest.fixture(scope="session")
def made_options(text_llm: Path) -> Options:
    return Options(
        llm=text_llm,
        train_dir=(Path("dump/interleave/train"),),
        dev_dir=(Path("dump/interleave/dev"),),
        out_dir=Path("exp/scheduled"),
        max_steps=40,
        text_ratio_every=4,
        batch_size=4,
        seed=3,
    )


@pytest.fixture(scope="session")
def make_training(made_options: Options) -> Callable[..., Training]:
    llm = read_llm(made_options, None, NUM_UNITS)

    def make(**more) -> Training:
        options = replace(made_options, **more)
        return Training("exp/scheduled", options, options.interleaving(), llm)

    return make


@pytest.fixture
def draw(make_training) -> Callable[..., Picture]:
    """Draws a picture of words of two sides, or of an utterance, at a step."""

    def drawn(src="la casa roja", tgt="the red house", step=9, name="u1", **more):
        sides = {"src": spoken(src, gap=1), "tgt": spoken(tgt)}
        training = make_training(**more)
        course = training.course((2, 9, 30))
        utterance = Utterance(name, sides)
        return training.draw(utterance, step, UNIT_SEC, LANGUAGES, course)

    return drawn


@dataclass(frozen=True)
class Made:
    """Options of a stage whose inputs lie elsewhere."""

    align_dir: Path = Path("dump/align/train")
    data_dir: Path = Path("data/train")


def begun(directory: str, stage: str) -> Stage:
    opened = open_stage(Path(directory), stage=stage, options=Made(), inputs={})
    assert opened
    return opened


@pytest.fixture
def recipe(tmp_path, made_options, monkeypatch) -> Path:
    """The current directory: dumps of train and dev, and a training that has begun."""
    monkeypatch.chdir(tmp_path)
    utterances = tiny_parts.utterances()
    units = dump.UnitVocabulary(NUM_UNITS, UNIT_SEC)
    for split, some in (("train", utterances[:20]), ("dev", utterances[20:28])):
        folder = f"dump/interleave/{split}"
        opened = begun(folder, "dump")
        dump.write(Path(folder), some, units)
        opened.finish(num_in=len(some), num_out=len(some), sides=LANGUAGES)
    for folder, stage, dropped in (
        ("data/train", "data", {"u90": "no audio: it cannot be read"}),
        ("dump/align/train", "align", {"u91": "bad alignment: score -9"}),
    ):
        begun(folder, stage).finish(num_in=30, num_out=29, dropped=dropped)
    Path("exp/scheduled").mkdir(parents=True)
    text = yaml.safe_dump(config.record(made_options), sort_keys=False)
    Path("exp/scheduled/config.yaml").write_text(text)
    return tmp_path
