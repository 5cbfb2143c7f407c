"""Examples drawn by batches are those drawn one by one, the plain way, to the bit."""

from dataclasses import replace

import numpy as np
import plain_draws
import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.dump import Utterance
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.layout import DIRECT, S2ST, Layout
from s2st_interleave.interleave.length import num_tokens
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.interleave.segments import Side
from s2st_interleave.interleave.task import Task
from s2st_interleave.llm.model import SpeechLlm, extend
from s2st_interleave.train.examples import check_lengths, draw_examples

PAPER = Interleaving(Schedule("step", 0.9), seed=3)
TO_TEXT = (Task(Layout.parse("src_speech -> src_text tgt_text")),)
SEVERAL = (
    Task(Layout.parse(S2ST), "s2st", 2.0),
    Task(Layout.parse(DIRECT), "direct", 0.5),
    Task(Layout.parse("src_speech src_text -> tgt_text"), "mt", 1.3),
)
VARIANTS = {
    "paper": PAPER,
    "mask": replace(PAPER, fill="mask"),
    "uniform": replace(PAPER, alignment="uniform"),
    "exact": replace(PAPER, span_rule="exact"),
    "one side": replace(PAPER, sides="tgt"),
    "long spans": replace(PAPER, span_lambda=3.0),
    "longer spans than a stream draws": replace(PAPER, span_lambda=12.0),
    "several tasks": replace(PAPER, tasks=SEVERAL),
}


@pytest.fixture(scope="module")
def llm(text_llm) -> SpeechLlm:
    return extend(text_llm, 20)


def as_drawn(each) -> plain_draws.Drawn:
    made = each.example
    return plain_draws.Drawn(
        made.ids.tolist(), made.labels.tolist(), made.blocks, each.task, each.realised
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_a_batch_is_what_its_utterances_are_one_by_one(name, llm, small_dump):
    interleaving, drawer = VARIANTS[name], plain_draws.Drawer(llm)
    pairs = ("", "pt-en:")
    utterances = [
        Utterance(each.id, each.sides, pairs[number % 2])
        for number, each in enumerate(small_dump)
    ]
    for step, ratio in enumerate([0.0, 0.1, 0.5, 0.9, 1.0] * 3):
        drawn = draw_examples(utterances, ratio, step, interleaving, llm)
        for utterance, each in zip(utterances, drawn, strict=True):
            wanted = drawer.draw(utterance, ratio, step, interleaving)
            assert as_drawn(each) == wanted
        backward = draw_examples(utterances[::-1], ratio, step, interleaving, llm)
        assert backward[::-1] == drawn


def test_arrays_are_narrow_and_can_be_written_to(llm, small_dump):
    (drawn,) = draw_examples([small_dump[0]], 0.5, 0, PAPER, llm)
    assert drawn.example.ids.dtype == drawn.example.labels.dtype == "int32"
    drawn.example.ids[0] = 1
    assert draw_examples([], 0.5, 0, PAPER, llm) == []


def test_all_utterances_of_a_batch_that_are_too_long_are_named(llm, small_dump):
    llm.model.config.max_position_embeddings, most = 30, llm.max_length
    try:
        with pytest.raises(
            UserError, match="positions for 30 tokens, too few for"
        ) as e:
            draw_examples(list(small_dump), 0.0, 0, PAPER, llm)
    finally:
        llm.model.config.max_position_embeddings = most
    assert str(e.value).count("utterance u") > 1


def test_a_word_of_more_tokens_than_units_is_too_long_before_any_step(llm, small_dump):
    """At ratio 0 it fitted: the step that showed it as text ended a training of hours."""
    words, spans = ("xyzxyzxyz", "qqqwwwqqq"), np.array([[0, 2], [2, 4]], np.int32)
    side = Side(np.zeros(40, np.int32), words, spans)
    long = [Utterance("long", {"src": side, "tgt": side}), *list(small_dump)[:3]]
    layout = PAPER.tasks[0].layout
    most = llm.max_length
    llm.model.config.max_position_embeddings = num_tokens(long[0], llm.encode, layout)
    try:
        check_lengths(long, PAPER, llm)
        with pytest.raises(UserError, match="utterance long makes up to"):
            check_lengths(long, PAPER, llm, ratio=0.9)
        with pytest.raises(UserError, match="too few for 1 utterances"):
            draw_examples(long, 1.0, 0, PAPER, llm)
    finally:
        llm.model.config.max_position_embeddings = most


def test_what_is_not_shown_as_text_is_not_too_long_as_text(llm, small_dump):
    """A training with masks, or with text on the other side alone, was refused."""
    words, spans = ("xyzxyzxyz", "qqqwwwqqq"), np.array([[0, 2], [2, 4]], np.int32)
    short = small_dump[0].sides["tgt"]
    side = Side(np.zeros(40, np.int32), words, spans)
    long = [Utterance("long", {"src": side, "tgt": short})]
    layout, most = PAPER.tasks[0].layout, llm.max_length
    llm.model.config.max_position_embeddings = num_tokens(long[0], llm.encode, layout)
    try:
        with pytest.raises(UserError, match="makes up to"):
            check_lengths(long, PAPER, llm, ratio=0.9)
        for rule in (replace(PAPER, fill="mask"), replace(PAPER, sides="none")):
            check_lengths(long, rule, llm, ratio=0.9)
            draw_examples(long, 1.0, 0, rule, llm)
    finally:
        llm.model.config.max_position_embeddings = most


def test_stage_5_is_told_how_long_the_prompt_is(llm, small_dump):
    """Run again as the message said, it dropped nothing again."""
    layout, most = PAPER.tasks[0].layout, llm.max_length
    tasks = (Task(layout, "some name"), Task(layout, "a longer name"))
    utterances = [small_dump[0]]
    llm.model.config.max_position_embeddings = num_tokens(
        utterances[0], llm.encode, layout
    )
    try:
        check_lengths(utterances, PAPER, llm)
        num_prompt = len(llm.encode("a longer name:"))
        with pytest.raises(UserError, match=f"--prompt_tokens {num_prompt}, for the"):
            check_lengths(utterances, replace(PAPER, tasks=tasks), llm)
    finally:
        llm.model.config.max_position_embeddings = most


def realised(interleaving, step, llm, dump) -> dict[str, list[float]]:
    ratios = interleaving.ratios(step)
    drawn = draw_examples(list(dump), ratios, step, interleaving, llm)
    return {side: [each.realised[side] for each in drawn] for side in ("src", "tgt")}


def test_a_side_whose_falls_come_sooner_is_units_alone_from_then_on(llm, small_dump):
    early = replace(PAPER, side_every=(("tgt", 100),))
    assert early.ratios(899) == {"src": 0.7, "tgt": 0.1}
    assert early.ratios(900) == {"src": 0.6, "tgt": 0.0}
    shown = realised(early, 900, llm, small_dump)
    assert not any(shown["tgt"]) and all(shown["src"])
    # The other side draws what it draws without it.
    assert shown["src"] == realised(PAPER, 900, llm, small_dump)["src"]


def test_a_share_of_utterances_shows_no_text_at_any_step(llm, small_dump):
    """Both sides of an utterance alike, other utterances at each step."""
    half = replace(PAPER, speech_only=0.5)
    chosen = []
    for step in range(20):
        shown, paper = (realised(i, step, llm, small_dump) for i in (half, PAPER))
        assert [p > 0 for p in shown["src"]] == [p > 0 for p in shown["tgt"]]
        chosen.append([p == 0 for p in shown["src"]])
        pairs = zip(shown["src"], paper["src"], strict=True)
        assert all(mine in (0, theirs) for mine, theirs in pairs)
    assert 0.4 < sum(map(sum, chosen)) / sum(map(len, chosen)) < 0.6
    assert chosen[0] != chosen[1]


def test_the_ratio_is_that_of_the_side_with_more_text():
    """A log that gave the schedule's own showed 0 while both sides still had text."""
    late = replace(PAPER, side_every=(("src", 1000), ("tgt", 500)))
    assert late.ratio(3000) == late.ratios(3000)["src"] == 0.6
    assert late.ratios(3000)["tgt"] == 0.3 and PAPER.ratio(3000) == 0
    assert replace(PAPER, sides="none").ratio(0) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"side_every": (("target", 100),)},
            "no side 'target' is spoken, only src tgt",
        ),
        ({"side_every": (("tgt", 9), ("tgt", 5))}, "names 'tgt' twice"),
        ({"side_every": (("tgt", 9),), "sides": "src"}, "'tgt' is not interleaved"),
        ({"sides": "tgt", "tasks": TO_TEXT}, "one that is spoken: src"),
        ({"side_every": (("tgt", 9),), "tasks": TO_TEXT}, "no side 'tgt' is spoken"),
    ],
)
def test_a_side_that_cannot_be_interleaved_so_is_named(change, message):
    """Some of these were a baseline in silence."""
    with pytest.raises(UserError, match=message):
        replace(PAPER, **change)
