"""Stage 9 knows sides and their languages by the data directory, as stages 3 to 8 do."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "score"))

from made import TARGET, data_dir, finished, recogniser, remember, system, vocoded
from test_recorded_scores import write_toplines

from s2st_interleave.config import parse
from s2st_interleave.data import kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json, write_json
from s2st_interleave.stages import compare, score, topline


def as_earlier(folder: Path, **options: str) -> None:
    """Have a stage's record say what an earlier version's options said."""
    done = read_json(folder / "stage.json")
    kept = {k: v for k, v in done["options"].items() if k not in ("side", "source")}
    done["options"] = kept | options
    write_json(folder / "stage.json", done | {"fingerprint": "of before"})


def test_what_an_earlier_version_has_scored_by_language_is_up_to_date(tmp_path, capsys):
    ours, theirs = system(tmp_path), system(tmp_path, "scheduled")
    directories = {
        "system_dir": theirs["decode_dir"],
        "baseline_dir": ours["decode_dir"],
    }
    for _ in range(2):
        capsys.readouterr()
        for options in (ours, theirs):
            score.run(score.Options(**options))
            as_earlier(options["out_dir"], src_lang="es", tgt_lang="en")
        compare.run(compare.Options(data_dir=ours["data_dir"], **directories))
        as_earlier(theirs["decode_dir"] / "compare", tgt_lang="en")
        write_toplines(tmp_path, ours)
        as_earlier(tmp_path / "topline", src_lang="es", tgt_lang="en")
    said = capsys.readouterr().out
    assert "up to date, skipped" in said and " finished: " not in said


def test_toplines_are_of_the_side_that_answers(tmp_path):
    """In a dialogue of one language only its role tells it from the other."""
    data = kaldi.DataDir(data_dir(tmp_path, {"user": "en", "agent": "en"}))
    remember(tmp_path, data.wavs("agent"), TARGET)
    made = topline.Options(
        data_dir=data.path,
        asr=recogniser(tmp_path),
        asr_cache=tmp_path / "cache",
        vocode_dir=vocoded(tmp_path, tmp_path / "resynthesis", TARGET, 0.7),
        out_dir=tmp_path / "topline",
        llm=finished(tmp_path / "llm", "text_llm", lambda _: None),
        side="agent",
        source="user",
        num_resamples=10,
    )
    with pytest.raises(
        ValueError, match=r"'cascade_prompt' is 'en:': it has no {text}"
    ):
        topline.run(topline.Options(**vars(made) | {"cascade_prompt": "en:"}))
    topline.run(made)
    found = read_json(made.out_dir / "score.json")
    assert found["reference_asr_bleu"] == found["resynthesis_asr_bleu"] > 99
    with pytest.raises(UserError, match=r"has no one side 'en'; it has user \(en\)"):
        topline.run(topline.Options(**vars(made) | {"side": "en"}))


def test_a_task_whose_sides_the_data_has_not_is_refused(tmp_path):
    options = system(tmp_path, layout="user_speech -> tgt_text")
    with pytest.raises(
        UserError, match=r"data/test has no one side 'user'; it has src"
    ):
        score.run(score.Options(**options))


@pytest.mark.parametrize("cls", [score.Options, topline.Options, compare.Options])
def test_a_language_that_is_told_to_stage_9_is_refused(cls, capsys):
    with pytest.raises(SystemExit):
        parse(cls, ["--tgt_lang", "en"], prog="stage 9")
    assert "stage 1 has written which side speaks what" in capsys.readouterr().err
