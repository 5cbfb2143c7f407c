"""`compare DIR DIR ...`: any systems and metric, and only of one test set."""

import json
from pathlib import Path

import numpy as np
import pytest
from made import HEARD, system

from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.score.several import COUNTS, Scored, main
from s2st_interleave.stages import compare, score


@pytest.fixture
def scored(tmp_path, monkeypatch) -> dict[str, Path]:
    """Three systems in two recipes, the third of which says less."""
    monkeypatch.chdir(tmp_path)
    heard = {"baseline": HEARD, "scheduled": HEARD | {"u4": "we bought green apples"}}
    heard["silent"] = dict(list(HEARD.items())[:3])
    folders = {}
    for number, (name, texts) in enumerate(heard.items()):
        root = tmp_path / ("one" if number < 2 else "another")
        options = system(root, name, heard=texts)
        score.run(score.Options(**options))
        folders[name] = options["decode_dir"]
    return folders


def rows(capsys, *words: str) -> list[dict]:
    capsys.readouterr()
    assert compare.main([*words, "--json", "true"]) == 0
    return json.loads(capsys.readouterr().out)


def test_two_systems_compare_as_stage_9_compares_them(scored, capsys):
    baseline, scheduled = scored["baseline"], scored["scheduled"]
    data = baseline.parents[4] / "one" / "data" / "test"
    compare.main(
        f"--data_dir {data} --system_dir {scheduled} --baseline_dir {baseline}".split()
    )
    known = read_json(scheduled / "compare.json")
    first, other = rows(capsys, str(baseline), str(scheduled))
    assert first["delta"] is None and other["delta"] == known["delta"]
    assert other["p_value"] == known["p_value"] and other["p_holm"] is None
    assert other["delta_ci95"] == known["ci95"]


def test_several_of_any_metric_are_corrected_for_their_number(scored, capsys):
    words = [*map(str, scored.values()), "--metric", "chrf"]
    _, *others = rows(capsys, *words)
    assert [each["metric"] for each in others] == ["chrf", "chrf"]
    assert all(each["p_holm"] >= each["p_value"] for each in others)
    assert compare.main(words) == 0
    said = capsys.readouterr().out
    assert "differs  p one-sided" in said and "  no  " in said
    assert said.startswith("chrF; test")
    assert "p, Holm" in said and "other metrics of all of them: asr_bleu" in said


def test_the_errors_of_one_transcript_compare_between_tasks(scored, tmp_path, capsys):
    """ASR has as `wer` what S2ST has as `wer:src_text`, and had no score of that name."""
    options = system(tmp_path / "one", "asr", "src_speech -> src_text")
    score.run(score.Options(**options))
    both = [str(scored["baseline"]), str(options["decode_dir"])]
    for words in (both, both[::-1]):
        first, other = rows(capsys, *words, "--metric", "wer:src_text")
        assert first["value"] == other["value"] > 0 and other["delta"] == 0
        assert main([*words, "--metric", "wer:src_text"]) == 0
        assert "WER, lower is better; test" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"asr/.* has no score 'text_bleu:tgt_text'"):
        main([*both, "--metric", "text_bleu:tgt_text"])


def test_a_system_stands_for_its_only_scored_decode(scored, capsys):
    systems = [str(scored[name].parents[1]) for name in ("baseline", "silent")]
    assert rows(capsys, *systems)[1]["system"] == "silent"


def test_of_several_decodes_the_one_that_lies_alike_is_taken_or_all_are_named(scored):
    decode = scored["baseline"]
    best = decode.parents[1] / "greedy_best" / "test"
    best.mkdir(parents=True)
    (best / "score.json").write_bytes((decode / "score.json").read_bytes())
    baseline, silent = decode.parents[1], scored["silent"]
    assert main([str(baseline), str(silent)]) == 0
    with pytest.raises(UserError, match=r"2 scored decodes, name one:\n.*greedy_best"):
        main([str(baseline), str(baseline)])


def test_other_utterances_are_counted_and_named(scored):
    path = scored["silent"] / "score" / "utterances.tsv"
    text = path.read_text().replace("my brother eats bread", "my brother ate bread")
    path.write_text(text)
    with pytest.raises(UserError, match="1 utterances differ in their reference: u1"):
        main([str(scored["baseline"]), str(scored["silent"])])
    import numpy as np

    counts = scored["scheduled"] / "score" / COUNTS
    with np.load(counts) as stored:
        kept = {key: value[:-1] for key, value in stored.items()}
    np.savez_compressed(counts, **kept)
    with pytest.raises(UserError, match=r"1 utterances only .*baseline.* has: u5"):
        main([str(scored["baseline"]), str(scored["scheduled"])])


def test_scores_by_other_rules_and_unknown_metrics_are_refused(scored):
    both = [str(scored["baseline"]), str(scored["silent"])]
    with pytest.raises(UserError, match="has no score 'ter'"):
        main([*both, "--metric", "ter"])
    path = scored["silent"] / "score.json"
    path.write_text(path.read_text().replace('"float32"', '"int8"'))
    with pytest.raises(UserError, match="asr_bleu does not compare"):
        main(both)
    with pytest.raises(UserError, match="name two or more"):
        main(both[:1])


@pytest.mark.parametrize("content", ["", "id\treference\nu1\n", "id\tothers\nu1\tx\n"])
def test_a_damaged_table_of_utterances_is_named(tmp_path, content):
    """It was a traceback that named no file."""
    (tmp_path / "score").mkdir()
    (tmp_path / "score" / "utterances.tsv").write_text(content)
    with pytest.raises(ValueError, match=r"utterances\.tsv:\d: .* run stage 9 again"):
        Scored(tmp_path, None).references(["u1"])


def test_counts_of_fewer_utterances_are_named(tmp_path):
    (tmp_path / "score").mkdir()
    path = tmp_path / "score" / "counts.npz"
    np.savez(path, ids=np.array(["u1", "u2"]), chrf=np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"counts\.npz: 1 rows of chrf for 2"):
        Scored(tmp_path, None).counts("chrf")
