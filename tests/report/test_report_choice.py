"""The utterances of a report are taken from both ends and the middle of its rankings."""

from dataclasses import replace
from pathlib import Path

from s2st_interleave.report.choice import choose
from s2st_interleave.report.systems import Row, System
from s2st_interleave.score.records import SystemScore

SCORE = SystemScore(
    system="baseline",
    split="test",
    asr_bleu=40.0,
    chrf=None,
    ci95=None,
    signature="",
    num_utterances=9,
    num_missing=0,
    text_bleu=None,
    src_wer=None,
    mos=None,
    asr=None,
    normalizer="",
    checkpoint="last",
    seed=1,
    git="",
    tokens_seen=1,
    train_sec=1.0,
)


def system(name: str, scores: dict[str, float | None], primary="asr_bleu") -> System:
    rows = {utterance: Row(score, "", "") for utterance, score in scores.items()}
    return System(name, Path(name), replace(SCORE, system=name, primary=primary), rows)


BASELINE = system("baseline", {f"u{k}": 10.0 * k for k in range(9)})


def test_one_system_shows_its_worst_median_and_best():
    chosen = choose([BASELINE], "baseline", (), 3)
    assert [(each.id, each.reasons) for each in chosen] == [
        ("u0", ("baseline: worst",)),
        ("u4", ("baseline: median",)),
        ("u8", ("baseline: best",)),
    ]


def test_where_less_is_better_the_worst_has_the_highest_rate():
    rates = system("asr", {"a": 0.0, "b": 150.0, "c": 20.0}, "wer")
    chosen = choose([rates], "baseline", (), 3)
    assert [each.id for each in chosen] == ["b", "c", "a"]


def test_an_answer_without_a_score_is_the_worst_one():
    some = system("some", {"a": 5.0, "b": None, "c": 80.0})
    assert choose([some], "baseline", (), 1)[0].id == "b"


def test_differences_to_the_baseline_come_first():
    other = system("scheduled", {f"u{k}": 40.0 for k in range(9)})
    chosen = choose([BASELINE, other], "baseline", (), 9)
    reasons = {each.id: each.reasons for each in chosen}
    assert chosen[0].id == "u8"
    assert reasons["u8"][:2] == ("scheduled: most below baseline", "baseline: best")
    assert "scheduled: most above baseline" in reasons["u0"]


def test_no_more_are_chosen_than_asked_for_and_none_twice():
    for count in range(12):
        chosen = [each.id for each in choose([BASELINE], "baseline", ("u4",), count)]
        assert chosen[0] == "u4" and len(set(chosen)) == len(chosen)
        assert len(chosen) == min(count + 1, 9)


def test_ties_are_broken_by_id_so_that_the_choice_is_the_same():
    same = system("same", {f"u{k}": 1.0 for k in (3, 1, 2)})
    assert [each.id for each in choose([same], "", (), 3)] == ["u1", "u2", "u3"]
