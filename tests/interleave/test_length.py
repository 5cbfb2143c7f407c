"""The length of a sequence is known without building it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from answers import translate
from transformers import PreTrainedConfig

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.dump import Dump, Dumps, Subset, Utterance, write
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.layout import S2ST, Layout
from s2st_interleave.interleave.length import doubtful, most_tokens, num_tokens
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.interleave.segments import Side
from s2st_interleave.interleave.task import Task
from s2st_interleave.llm.model import reader
from s2st_interleave.train.examples import draw_examples


@pytest.fixture
def llm(text_llm, tmp_path) -> Path:
    """With positions for 96 tokens."""
    folder = Path(shutil.copytree(text_llm, tmp_path / "a short llm"))
    config = json.loads((folder / "config.json").read_text())
    config["max_position_embeddings"] = 96
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_decoding_names_who_has_no_room_for_an_answer(llm):
    short = reader(llm)
    sources = {"fine": np.arange(5), "a": np.arange(94), "b": np.arange(200)}
    with pytest.raises(UserError, match="2 utterances leave no room") as caught:
        translate(sources, short)
    assert "  a: 96 tokens\n  b: 202 tokens" in str(caught.value)


@pytest.mark.parametrize(
    "line", [S2ST, "src_speech -> tgt_speech", "tgt_text -> tgt_speech"]
)
def test_lengths_are_those_of_the_sequences(llm, small_dump, line):
    """No ratio, fill or alignment makes a sequence longer than `most_tokens` says."""
    layout = Layout.parse(line)
    interleaving = Interleaving(Schedule("constant", 0.5), tasks=(Task(layout),))
    no_limit = SimpleNamespace(config=PreTrainedConfig())
    free = replace(reader(llm), model=no_limit)
    for utterance in small_dump:
        tgt = utterance.sides["tgt"]
        few = Side(tgt.units[:2], tgt.words, np.minimum(tgt.spans, 2))
        for pair in ("", "es-en:"):
            sides = {"src": utterance.sides["src"], "tgt": few}
            given = Utterance(utterance.id, sides, pair)
            (plain,) = draw_examples([given], 0.0, 0, interleaving, free)
            at_0 = len(plain.example.ids)
            assert num_tokens(given, free.encode, layout, pair) == at_0
            most = most_tokens(given, free.encode, layout, pair)
            assert doubtful([given], most - 1) == [0] and not doubtful([given], 10_000)
            for step, variant in enumerate(variants(interleaving)):
                (drawn,) = draw_examples([given], 0.8, step, variant, free)
                assert len(drawn.example.ids) <= most


def test_a_dump_doubts_whom_its_utterances_doubt(small_dump, tmp_path):
    """By its index, which counts a byte more for each gap without a space."""
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        write(path, small_dump, small_dump.vocabulary)
    joined = Dumps(
        [Dump(path, pair) for path, pair in zip(paths, ("", "pt-en:"), strict=True)]
    )
    part = Subset(joined, 7)
    for utterances in (joined, part):
        listed = [utterances[index] for index in range(len(utterances))]
        for positions in (500, 1000, 1200, 1500, 3000):
            sure = set(doubtful(listed, positions))
            assert sure <= set(doubtful(utterances, positions))
            assert set(doubtful(utterances, positions)) <= set(
                doubtful(listed, positions - 2 * 12 * 2 * 2)
            )


def variants(interleaving: Interleaving) -> list[Interleaving]:
    return [
        replace(interleaving, fill=fill, alignment=alignment, span_rule=rule)
        for fill in ("text", "mask")
        for alignment in ("words", "uniform")
        for rule in ("literal", "exact")
    ]
