"""`status` shows the scores that stage 9 has written."""

import dataclasses
from pathlib import Path

from s2st_interleave.files import write_json
from s2st_interleave.score.records import MetricScore, SystemScore
from s2st_interleave.status.folders import Record
from s2st_interleave.status.scores import lines, render

SCORE = SystemScore(
    system="scheduled",
    split="test",
    asr_bleu=40.0,
    chrf=None,
    ci95=(37.2, 42.9),
    signature="sig",
    num_utterances=100,
    num_missing=2,
    text_bleu=None,
    src_wer=None,
    mos=None,
    asr=None,
    normalizer="norm",
    checkpoint="last",
    seed=1,
    git="abc1234",
    tokens_seen=1,
    train_sec=1.0,
    metrics={
        "asr_bleu": MetricScore(40.0, (37.2, 42.9), "sig", 98),
        "wer:src_text": MetricScore(12.0, (10.0, 14.0), "sig", 98),
        "mos": MetricScore(None, None, "sig", 0),
    },
)


def record(recipe: Path, name: str, stage: str = "score") -> Record:
    return Record(recipe / name / "score", True, {"stage": stage}, recipe)


def test_each_score_has_its_interval_and_a_file_of_no_use_is_left_out(tmp_path):
    good, bad, other = "exp/a/greedy_last/test", "exp/b/greedy_last/test", "exp/c/test"
    write_json(tmp_path / good / "score.json", dataclasses.asdict(SCORE))
    write_json(tmp_path / bad / "score.json", {"system": "b"})
    found = lines("es_en", [record(tmp_path, n) for n in (good, bad)])
    found += lines(
        "es_en", [record(tmp_path, good, "topline"), record(tmp_path, other)]
    )
    assert [line.name for line in found] == [good]
    assert (
        found[0].to_json()["decode"] == good and found[0].to_json()["num_missing"] == 2
    )
    head, row = render(found, with_recipe=True).splitlines()
    assert head.split()[0] == "decode" and "ASR-BLEU" in head
    assert row.startswith(f"es_en/{good}") and row.endswith("2")
    assert "40.0 [37.2, 42.9]" in row and "12.0 [10.0, 14.0]" in row and "n/a" in row
    assert render([], with_recipe=True) == ""
