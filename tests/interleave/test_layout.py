"""A task is a line of blocks; a line that is none is refused with what is wrong."""

import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Block, Layout

S2ST = "src_speech -> src_text tgt_text tgt_speech"


def test_the_papers_task_is_read_and_written_back():
    layout = Layout.parse(S2ST)
    assert layout.given == (Block("src", "speech"),)
    assert [block.name for block in layout.wanted] == [
        "src_text",
        "tgt_text",
        "tgt_speech",
    ]
    assert str(layout) == S2ST and layout.sides == ("src", "tgt") and layout.speaks


@pytest.mark.parametrize(
    ("line", "sides", "speaks"),
    [
        ("src_speech -> tgt_speech", ("src", "tgt"), True),
        ("src_speech -> src_text", ("src",), False),
        ("tgt_text -> tgt_speech", ("tgt",), True),
        (
            "user_speech -> user_text agent_text agent_speech",
            ("user", "agent"),
            True,
        ),
        ("src_speech src_text -> tgt_text", ("src", "tgt"), False),
    ],
)
def test_other_tasks_are_other_lines(line, sides, speaks):
    layout = Layout.parse(line)
    assert (str(layout), layout.sides, layout.speaks) == (line, sides, speaks)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("src_speech tgt_text", "both sides of one '->'"),
        ("-> tgt_text", "both sides of one '->'"),
        ("src_speech ->", "both sides of one '->'"),
        (
            "src_speach -> tgt_text",
            "'src_speach' is no block.*did you mean 'src_speech'",
        ),
        ("speech -> tgt_text", "'speech' is no block"),
        ("src_speech -> src_speech", "a block occurs twice"),
        ("src_speech -> tgt_text -> tgt_speech", "'->' is no block"),
    ],
)
def test_a_line_that_is_no_task_says_why(line, what):
    with pytest.raises(UserError, match=what):
        Layout.parse(line)


def test_blocks_of_other_sides_than_source_and_target_go_by_their_own_names():
    """Two rows of a report were called transcript, and a dialogue's answer translation."""
    pair = Layout.parse("src_speech -> src_text tgt_text tgt_speech")
    titles = [pair.title(block) for block in pair.wanted]
    assert titles == ["transcript", "translation", "speech"]
    three = Layout.parse("left_speech right_speech -> left_text right_text out_text")
    assert [three.title(block) for block in three.wanted] == [
        "left_text",
        "right_text",
        "out_text",
    ]
    assert pair.translates({"src": "es", "tgt": "en"})
    assert not pair.translates({"src": "en", "tgt": "en"})
    assert not three.translates({"left": "es", "right": "en", "out": "en"})
