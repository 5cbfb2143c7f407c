"""Stages 9 and 10 of tasks other than the paper's: what they answer with is scored."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "score"))

from made import HEARD, SOURCE, TARGET, WRITTEN, data_dir, system

from s2st_interleave.data import kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json, write_json
from s2st_interleave.score import answers, records
from s2st_interleave.score.records import SystemScore
from s2st_interleave.stages import compare, results, score, task_sides

ASR = "src_speech -> src_text"
S2TT = "src_speech -> src_text tgt_text"
DIRECT = "src_speech -> tgt_speech"
TTS = "tgt_text -> tgt_speech"
# Of 33 words five are wrong, and the seven of u5, whose source nobody can hear, missing.
SOURCE_WER = 100 * 11 / 35


def scored(root: Path, layout: str, name: str = "baseline", **more) -> SystemScore:
    written = more.pop("written", WRITTEN)
    options = system(root, name, layout, written)
    score.run(score.Options(**options, **more))
    path = options["decode_dir"] / "score.json"
    return records.read(SystemScore, path)


def table(root: Path, name: str = "baseline") -> list[list[str]]:
    path = root / "exp" / name / "greedy_last" / "test" / "score" / "utterances.tsv"
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_a_transcript_is_scored_by_its_errors_and_nothing_is_heard(tmp_path):
    found = scored(tmp_path, ASR)
    assert found.primary == "wer" and list(found.metrics) == ["wer", "cer"]
    assert found.src_wer == found.metrics["wer"].value == pytest.approx(SOURCE_WER)
    assert found.asr is None and found.asr_bleu is None and found.ci95 is not None
    assert found.normalizer.startswith("BasicTextNormalizer")
    assert (found.num_utterances, found.num_missing) == (6, 1)
    assert not (tmp_path / "exp/baseline/greedy_last/test/score/hyp").exists()


def test_text_of_speech_is_scored_by_bleu_and_its_transcript_by_errors(tmp_path):
    found = scored(tmp_path, S2TT, mos="dnsmos")
    assert list(found.metrics) == ["text_bleu", "chrf", "wer"]
    assert found.primary == "text_bleu" and found.asr is None and found.mos is None
    whole = scored(tmp_path / "s2st", "src_speech -> src_text tgt_text tgt_speech")
    assert found.text_bleu == whole.text_bleu and found.src_wer == whole.src_wer
    assert found.ci95 == whole.metrics["text_bleu"].ci95
    assert found.normalizer == whole.normalizer


def test_direct_speech_has_the_papers_scores_and_no_text(tmp_path):
    found = scored(tmp_path, DIRECT)
    assert list(found.metrics) == ["asr_bleu", "chrf"]
    assert found.asr_bleu == pytest.approx(11.872116996431165)
    assert found.text_bleu is found.src_wer is None


def test_speech_that_reads_out_a_text_is_scored_by_what_is_misheard(tmp_path):
    found = scored(tmp_path, TTS, mos="dnsmos")
    assert list(found.metrics) == ["wer", "asr_bleu", "chrf", "mos"]
    assert found.src_wer is None and found.asr_bleu is not None
    assert found.num_missing == 1  # a source that nobody can hear is not asked for
    assert table(tmp_path)[0] == ["id", *found.metrics, "reference", "hypothesis"]


def test_utterances_are_sorted_from_the_worst_by_the_primary_metric(tmp_path):
    scored(tmp_path, ASR)
    names, *rows = table(tmp_path)
    rates = [float(row[names.index("wer")]) for row in rows]
    assert rates == sorted(rates, reverse=True) and rates[-1] == 0 < rates[1] < rates[0]
    assert rows[0][0] == "u5" and rows[0][-1] == ""
    first = next(row for row in rows if row[0] == "u1")
    assert first[-2:] == [SOURCE["u1"], "mi hermana come pan"]


def test_a_further_metric_has_a_value_a_column_and_a_comparison(tmp_path):
    extra = ("ter", "exact", "exact:src_text", "duration_ratio", "loops")
    layout = "src_speech -> src_text tgt_text tgt_speech"
    better = WRITTEN | {"src": SOURCE}
    ours = scored(tmp_path, layout, metrics=extra)
    theirs = scored(tmp_path, layout, "scheduled", written=better, metrics=extra)
    assert list(ours.metrics)[-5:] == list(extra)
    # u0, u1 and u3 differ, u2 loops, u4 and u5 are missing.
    assert ours.metrics["exact"].value == 0
    assert ours.metrics["exact:src_text"].value == pytest.approx(100 * 3 / 6)
    assert theirs.metrics["exact:src_text"].value == pytest.approx(100 * 5 / 6)
    assert (
        ours.metrics["loops"].value == 25 and ours.metrics["loops"].num_utterances == 4
    )
    assert table(tmp_path)[0] == ["id", *ours.metrics, "reference", "hypothesis"]
    page = compared(tmp_path, "", "exact:src_text")
    assert (
        "| TER | exact % | transcript exact % | duration by reference | loops % |"
        in page
    )
    assert "| scheduled | last | asr_bleu | +0.0 |" in page
    assert "| scheduled | last | exact:src_text | +33.3 |" in page


def compared(root: Path, *metrics: str, toplines: bool = True) -> str:
    """RESULTS.md of baseline and scheduled, which were compared by these metrics."""
    decodes = [root / "exp" / n / "greedy_last/test" for n in ("scheduled", "baseline")]
    for metric in metrics:
        options = dict(zip(("system_dir", "baseline_dir"), decodes, strict=True))
        compare.run(
            compare.Options(
                data_dir=root / "data/test", metric=metric, num_resamples=50, **options
            )
        )
    page = root / "RESULTS.md"
    speaks = read_json(decodes[0] / "score.json")["asr"]
    if speaks:
        from test_recorded_scores import write_toplines

        write_toplines(root, system(root))
    results.run(
        results.Options(
            title="a task",
            src_lang="es",
            topline_dir=root / "topline" if toplines else None,
            exp_dir=root / "exp",
            systems=("baseline", "scheduled"),
            decode_tags=("greedy_last",),
            out=page,
        )
    )
    return page.read_text()


def test_the_page_of_a_task_without_speech_has_no_toplines(tmp_path, capsys):
    scored(tmp_path, S2TT)
    scored(tmp_path, S2TT, "scheduled", written={"src": SOURCE, "tgt": TARGET})
    page = compared(tmp_path, "")
    assert "BLEU, 95% interval | chrF | transcript WER | missing | tokens seen" in page
    assert "Toplines" not in page and "of resynthesis" not in page and "MOS" not in page
    assert "| scheduled | last | text_bleu | +" in page
    assert "paper's figures" not in page
    assert "BLEU, 95% interval" in capsys.readouterr().out


def test_a_page_may_do_without_toplines_that_were_not_scored(tmp_path):
    layout = "src_speech -> src_text tgt_text tgt_speech"
    for name in ("baseline", "scheduled"):
        scored(tmp_path, layout, name, written=WRITTEN | {"src": SOURCE})
    page = compared(tmp_path, "", toplines=False)
    assert "ASR-BLEU, 95% interval" in page
    assert "Toplines" not in page and "of resynthesis" not in page


def test_systems_of_different_tasks_do_not_share_a_table(tmp_path):
    scored(tmp_path, ASR)
    scored(tmp_path, S2TT, "scheduled")
    with pytest.raises(UserError, match="baseline has no score 'text_bleu'"):
        compared(tmp_path, "")


CHOOSING = r"""
set -euo pipefail
checkpoint_names=(last) test_names=(test) expdir=exp system_names=("$2")
. "$1/egs/cvss/utils/answers.sh"
echo "$baseline"
"""


def test_a_baseline_of_another_task_is_not_chosen_by_itself(tmp_path):
    """Stage 9 stopped at its comparison, "baseline has no score 'text_bleu'"."""

    def chosen(system: str) -> list[str]:
        root = str(Path(__file__).parents[2])
        words = ["bash", "-c", CHOOSING, "bash", root, system]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    assert chosen("asr") == ["asr"]
    scored(tmp_path, ASR)
    assert chosen("asr") == ["baseline"]  # which is not scored yet
    scored(tmp_path, ASR, "asr")
    assert chosen("asr") == ["baseline"]
    scored(tmp_path, S2TT, "s2tt")
    told, name = chosen("s2tt")
    assert name == "s2tt"
    message = (
        "compare: s2tt is not compared with baseline, which has no score 'text_bleu'"
    )
    assert told == f"{message}; --baseline names another one"


def test_text_needs_no_recogniser_of_its_language(tmp_path):
    """Whisper knows no Irish: speech in it cannot be scored, text can."""
    data_dir(tmp_path, {"src": "es", "tgt": "ga"})
    assert scored(tmp_path, S2TT).text_bleu > 0
    with pytest.raises(UserError, match="Whisper does not know Irish"):
        scored(tmp_path, DIRECT, "spoken")


def test_speech_is_heard_in_the_language_of_its_side(tmp_path, monkeypatch):
    heard = {}
    monkeypatch.setattr(
        answers, "recognise", lambda wavs, asr, _: heard.update({asr.language: 1}) or {}
    )
    scored(tmp_path, "src_text -> src_speech")
    assert heard == {"es": 1}


def test_a_tasks_file_says_what_it_is_scored_by(tmp_path):
    task = tmp_path / "asr.yaml"
    task.write_text(f"layout: {ASR}\nmetrics: [cer, exact]\n")
    found = scored(tmp_path, ASR, task=task)
    assert found.primary == "cer" and list(found.metrics) == ["cer", "exact"]
    # A system with another layout has the metrics of its own.
    assert scored(tmp_path / "other", S2TT, task=task).primary == "text_bleu"


def test_a_metric_that_does_not_apply_is_refused_before_anything_is_heard(tmp_path):
    with pytest.raises(UserError, match="loops is for a block of speech, and task"):
        scored(tmp_path, ASR, metrics=("loops",))
    with pytest.raises(UserError, match="no metric 'terr'; did you mean 'ter'"):
        scored(tmp_path, ASR, metrics=("terr",))
    with pytest.raises(UserError, match="'source_duration_ratio' wants speech"):
        scored(tmp_path / "tts", TTS, metrics=("source_duration_ratio",))


def test_scores_of_an_earlier_version_are_up_to_date_and_compared(tmp_path):
    """They have neither `metrics` nor counts, but what was heard."""
    layout = "src_speech -> src_text tgt_text tgt_speech"
    for name in ("baseline", "scheduled"):
        scored(tmp_path, layout, name)
        decode = tmp_path / "exp" / name / "greedy_last/test"
        stored = read_json(decode / "score.json")
        for key in ("metrics", "primary", "layout"):
            del stored[key]
        write_json(decode / "score.json", stored)
        (decode / "score" / score.COUNTS).unlink()
        done = read_json(decode / "score/stage.json")
        del done["options"]["metrics"], done["files"][score.COUNTS], done["digests"]
        done["options"] |= {"src_lang": "es", "tgt_lang": "en"}
        write_json(decode / "score/stage.json", done | {"fingerprint": "of before"})
        size = (decode / "score.json").stat().st_size
        done["files"]["../score.json"] = size
        write_json(decode / "score/stage.json", done)
    before = (decode / "score.json").read_bytes()
    options = system(tmp_path, "scheduled", layout)
    score.run(score.Options(**options))
    assert (decode / "score.json").read_bytes() == before
    page = compared(tmp_path, "")
    assert "| scheduled | last | asr_bleu | +0.0 | [0.0, 0.0] | no | 1.0000 |" in page
    with pytest.raises(UserError, match="--overwrite true"):
        compared(tmp_path, "chrf")


def test_real_time_is_computing_by_speech_made(tmp_path):
    found = scored(tmp_path, DIRECT, metrics=("real_time_factor",))
    decode = tmp_path / "exp/baseline/greedy_last/test"
    computing = sum(
        read_json(folder / "stage.json")["wall_sec"]
        for folder in (decode, decode / "vocode")
    )
    wavs = kaldi.read_table(decode / "vocode/wav.scp")
    assert set(wavs) - {"u5"} == set(HEARD) - {"u5"}
    assert found.metrics["real_time_factor"].value >= 0 and computing >= 0
    assert found.metrics["real_time_factor"].ci95 is None
    with np.load(decode / "score" / score.COUNTS) as counts:
        assert counts["real_time_factor"][:, 0].sum() == pytest.approx(computing)


@pytest.mark.parametrize("fact", ["copied_from", "num_copied"])
def test_real_time_of_copied_answers_is_not_known(tmp_path, fact):
    """A decode that only copies takes no time: it was said to be a thousand times faster."""
    options = system(tmp_path, layout=DIRECT)
    folder = options["decode_dir" if fact == "copied_from" else "vocode_dir"]
    done = read_json(folder / "stage.json")
    done["facts"] |= {fact: "exp/other" if fact == "copied_from" else 3}
    write_json(folder / "stage.json", done)
    score.run(score.Options(**options, metrics=("real_time_factor",)))
    found = read_json(options["decode_dir"] / "score.json")["metrics"]
    assert found["real_time_factor"]["value"] is None
    assert found["real_time_factor"]["signature"].endswith("answers were copied")


def test_an_empty_text_is_a_missing_one(tmp_path):
    """The LLM had no room for the question, and stage 7 writes an empty line."""
    found = scored(
        tmp_path, ASR, written={"src": WRITTEN["src"] | {"u1": "", "u2": ""}}
    )
    assert (found.num_utterances, found.num_missing) == (6, 3)


@pytest.mark.parametrize(
    ("folder", "name", "message"),
    [
        ("decode_dir", "train", r"test was not made with .*exp/baseline: .* stage 7"),
        ("vocode_dir", "units", r"vocode was not made with .*test: .* stage 8"),
    ],
)
def test_what_was_made_of_something_else_is_not_scored(tmp_path, folder, name, message):
    """Speech of another system gave its score to this one."""
    options = system(tmp_path, layout=DIRECT)
    done = read_json(options[folder] / "stage.json")
    done["inputs"][name] = "of something else"
    write_json(options[folder] / "stage.json", done)
    with pytest.raises(UserError, match=message):
        score.run(score.Options(**options))


def test_speech_of_two_sides_is_not_scored_as_one(tmp_path):
    """What one side said was held against the other's references."""
    options = system(tmp_path, layout="tgt_text -> src_speech tgt_speech")
    with pytest.raises(UserError, match="answers in speech of src and tgt"):
        score.run(score.Options(**options))
    task = tmp_path / "both.yaml"
    task.write_text("layout: tgt_text -> src_speech tgt_speech\n")
    with pytest.raises(UserError, match="train a task for each"):
        task_sides.speaker(task, ["src", "tgt"])


@pytest.mark.parametrize(
    ("folder", "name", "message"),
    [
        ("decode_dir", "train", "is of an earlier training of .*: run stages 7 to 9"),
        ("out_dir", "decode", "score is of an earlier decode: run stage 9 again"),
    ],
)
def test_a_score_of_an_earlier_training_is_on_no_page(tmp_path, folder, name, message):
    """A training that went on left its earlier scores, which stage 10 showed as its own."""
    for system_name in ("baseline", "scheduled"):
        scored(tmp_path, S2TT, system_name)
    compared(tmp_path, "")
    directory = system(tmp_path, layout=S2TT)[folder]
    done = read_json(directory / "stage.json")
    done["inputs"][name] = "of before"
    write_json(directory / "stage.json", done)
    with pytest.raises(UserError, match=message):
        compared(tmp_path)
    (tmp_path / "exp/baseline/stage.json").rename(
        tmp_path / "exp/baseline/stage.open.json"
    )
    with pytest.raises((UserError, FileNotFoundError)):
        compared(tmp_path)


@pytest.mark.parametrize("name", ["scheduled", "baseline"])
def test_a_comparison_of_an_earlier_score_is_on_no_page(tmp_path, name):
    """The table said 2.9 and 13.7, and the differences below it -5.4."""
    for system_name in ("baseline", "scheduled"):
        scored(tmp_path, S2TT, system_name)
    compared(tmp_path, "", "chrf")
    scored(tmp_path, S2TT, name, metrics=("ter",), overwrite=True)
    with pytest.raises(UserError, match=rf"compare is of an earlier .*{name}.*stage 9"):
        compared(tmp_path)
    options = system(tmp_path, "scheduled", S2TT)["decode_dir"]
    for metric in ("", "chrf"):
        compare.run(
            compare.Options(
                data_dir=tmp_path / "data/test",
                metric=metric,
                num_resamples=50,
                system_dir=options,
                baseline_dir=tmp_path / "exp/baseline/greedy_last/test",
                overwrite=True,
            )
        )
    assert "| scheduled | last | chrf |" in compared(tmp_path)
