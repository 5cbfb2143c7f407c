"""What a task is scored by follows from its layout; what is chosen is named the same way."""

import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import DIRECT, S2ST, Layout
from s2st_interleave.score.choice import choices, choose, default_metrics, title
from s2st_interleave.score.metrics import METRICS

LANGUAGES = {"src": "es", "tgt": "en", "user": "en", "agent": "en"}
DIALOGUE = "user_speech -> user_text agent_text agent_speech"


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        (S2ST, "asr_bleu chrf text_bleu wer:src_text"),
        (DIRECT, "asr_bleu chrf"),
        ("src_speech -> src_text tgt_text", "text_bleu chrf wer"),
        ("src_speech -> tgt_text", "text_bleu chrf"),
        ("src_text -> tgt_text", "text_bleu chrf"),
        ("src_speech -> src_text", "wer cer"),
        ("tgt_text -> tgt_speech", "wer asr_bleu chrf"),
        ("src_text -> tgt_text tgt_speech", "asr_bleu chrf text_bleu"),
        (DIALOGUE, "asr_bleu chrf text_bleu wer:user_text"),
    ],
)
def test_the_primary_metric_is_that_of_the_last_block(layout, names):
    found = default_metrics(Layout.parse(layout), LANGUAGES)
    assert found == tuple(names.split())
    assert tuple(c.key for c in choices(found, Layout.parse(layout))) == found


def test_transcripts_without_spaces_are_scored_in_characters():
    for layout, names in (
        (S2ST, "asr_bleu chrf text_bleu cer:src_text"),
        ("src_speech -> src_text", "cer"),
    ):
        found = default_metrics(Layout.parse(layout), LANGUAGES | {"src": "zh-CN"})
        assert found == tuple(names.split())


def test_a_name_alone_is_the_last_block_that_it_applies_to():
    layout = Layout.parse(S2ST)
    assert choose("exact", layout).block.name == "tgt_speech"
    assert choose("exact:tgt_speech", layout) == choose("exact", layout)
    assert choose("exact:src_text", layout).key == "exact:src_text"
    assert choose("text_bleu", layout).block.name == "tgt_text"
    twice = choices(["exact", "exact:tgt_speech", "ter"], layout)
    assert [choice.key for choice in twice] == ["exact", "ter"]


def test_a_column_names_its_block_where_it_is_not_the_answers_last():
    def titles(line: str, *names: str) -> list[str]:
        layout = Layout.parse(line)
        return [title(choose(name, layout), layout) for name in names]

    assert titles(S2ST, "asr_bleu", "text_bleu", "wer:src_text") == [
        "ASR-BLEU",
        "translation BLEU",
        "transcript WER",
    ]
    assert titles("src_speech -> src_text", "wer") == ["WER"]
    assert titles(DIALOGUE, "exact:agent_text") == ["agent_text exact %"]


@pytest.mark.parametrize(
    ("wanted", "layout", "said"),
    [
        ("exct", S2ST, "no metric 'exct'; did you mean 'exact'"),
        ("mos", "src_speech -> src_text", "mos is for a block of speech, .* src_text"),
        ("wer:tgt_text", S2ST, "wer is for a block of speech or transcript"),
        ("wer:src_txt", S2ST, "answers with src_text tgt_text tgt_speech"),
        ("comet", "tgt_text -> tgt_speech", "'comet' wants another side"),
        ("blaser", "src_text -> tgt_speech", "'blaser' wants speech"),
    ],
)
def test_what_does_not_apply_is_refused(wanted, layout, said):
    with pytest.raises(UserError, match=said):
        choose(wanted, Layout.parse(layout))


def test_every_metric_is_described_for_tables():
    for name, metric in METRICS.items():
        assert name == metric.name and metric.roles and metric.title
        assert name.isidentifier() and "|" not in metric.title
