"""What a user does wrong with a recipe, and the one line that says so, before any work."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EGS = Path(__file__).resolve().parents[2] / "egs"
MINI, CVSS = "mini_cvss/es_en/run.sh", "cvss/es_en/run.sh"
SHARED, GRID = "cvss/x_en/run.sh", "mini_cvss/paper.sh"
OWN, DIALOGUE = "own/run.sh", "mini_dialogue/run.sh"

# Of a driver: the words behind it, and what its line says. They fail before the
# environment is looked at, so that they answer at once.
OPTIONS: list[tuple[str, list[str], str]] = [
    (MINI, ["--stage", "12"], "--stage 12: the stages are 1 to 11"),
    (MINI, ["--stop-stage", "100"], "--stop-stage 100: the stages are 1 to 11"),
    (MINI, ["--stage", "abc"], "takes a whole number or a name (data encoder align"),
    (MINI, ["--stage", "alin"], "not 'alin'; did you mean align?"),
    (MINI, ["--stop_stage", "Train"], "did you mean train?"),
    (MINI, ["--stage", ""], "--stage takes a whole number or a name"),
    (
        MINI,
        ["--stage", "5", "--stop_stage", "3"],
        "--stage 5 comes after --stop_stage 3",
    ),
    (CVSS, ["--stage", "train", "--stop_stage", "dump"], "--stage 6 comes after"),
    (OWN, ["--stage", "pack"], "--stage 11 comes after --stop_stage 10; set both"),
    (DIALOGUE, ["--stop_stage", "0"], "--stage 1 comes after --stop_stage 0"),
    (SHARED, ["--stage", "align", "--stop_stage", "align"], "stages here are 1 2 4 8"),
    (SHARED, ["--stage", "vocode", "--stop_stage", "2"], "--stage 8 comes after"),
    ("mini_cvss/x_en/run.sh", ["--stage", "9", "--stop_stage", "9"], "are 1 2 4 8"),
    ("cvss/x_en/multilingual.sh", ["--stage", "x"], "takes a whole number or a name"),
    (GRID, ["--stage", "3"], "unknown option --stage"),
    (GRID, ["--pages", "true"], "unknown option --pages, did you mean --page?"),
    ("cvss/paper.sh", ["--page", "yes"], "--page takes true or false, not 'yes'"),
    (MINI, ["--encodr", "x"], "unknown option --encodr, did you mean --encoder?"),
    (MINI, ["--num_threads", "-1"], "takes a whole number, not '-1'"),
    (MINI, ["--stage=3"], "write '--stage 3', with a space"),
    (MINI, ["3"], "unexpected argument '3'"),
    (MINI, ["--config", "no.conf"], "--config: no such file: no.conf"),
    (MINI, ["--config", "."], "--config: no such file: ."),
    ("cvss/shared.sh", ["--nj", "2"], "start x_en/run.sh, which calls this"),
    ("mini_cvss/local/prepare.sh", [], "MINI_SRC: is not set: stage 1 of a recipe"),
    (MINI, ["--zebra", "1"], "unknown option --zebra"),
    (MINI, ["--lr", "1e-4"], '--train_args "--lr 1e-4" (or --encoder_args'),
    (MINI, ["--max-drop-rate", "0.1"], '--align_args "--max_drop_rate 0.1"'),
    (CVSS, ["--lora_rnk", "8"], 'did you mean: --train_args "--lora_rank 8"'),
    (SHARED, ["--world.dropout", "2"], '--vocoder_args "--world.dropout 2"'),
]
# They are found in the environment, whose Python says what may have been meant.
NAMES: list[tuple[str, list[str], str]] = [
    (MINI, ["--nj", "0"], "--nj takes a whole number of 1 or more, not '0'"),
    (MINI, ["--gpu_nj", "x"], "--gpu_nj takes a whole number of 1 or more, not 'x'"),
    (MINI, ["--device", "gpu"], "not 'gpu'; did you mean cuda?"),
    (
        OWN,
        ["--tsv", "t.tsv", "--sides", "user=en agent=en"],
        "has the sides src tgt, the corpus has user agent",
    ),
    (
        OWN,
        ["--tsv", "t.tsv", "--sides", "user:en agent:en"],
        "'user:en' is no side: write",
    ),
    (MINI, ["--conf", "nowhere"], "--conf nowhere: no such folder"),
    (MINI, ["--task", "s2t"], "there is no 's2t'; did you mean 's2tt'?"),
    (MINI, ["--checkpoints", "last bset"], "no 'bset'; did you mean 'best'?"),
    (MINI, ["--systems", "scheduld"], "no 'scheduld'; did you mean 'scheduled'?"),
    (MINI, ["--systems", "", "--stage", "train"], "--systems is empty, and stage 6"),
    (MINI, ["--systems", "", "--stage", "7"], "--systems is empty, and stages 7"),
    (
        MINI,
        ["--checkpoints", "", "--stage", "10"],
        "--checkpoints is empty, and stages",
    ),
    (MINI, ["--test_sets", "", "--stage", "10"], "--test_sets is empty, and stages"),
    (
        MINI,
        ["--systems", "baseline baseline"],
        "--systems names baseline more than once",
    ),
    (MINI, ["--expdir", ""], "--expdir is empty, and wants a folder"),
    (MINI, ["--dumpdir", "/x/JOB_4/d"], "--dumpdir /x/JOB_4/d: JOB stands for a job's"),
    (MINI, ["--llm", "/x/JOB_4/m"], "--llm /x/JOB_4/m: JOB stands for a job's name"),
    (MINI, ["--trained", "/JOB"], "--trained /JOB: JOB stands for a job's name"),
    (MINI, ["--test_sets", "test tset"], "no 'tset'; did you mean 'test'?"),
    (OWN, "--src_lang de --valid_set dve".split(), "no 'dve'; did you mean 'dev'?"),
    (MINI, ["--baseline", "basline"], "no 'basline'; did you mean 'baseline'?"),
    (MINI, ["--src_lang", "German"], "'German' is no language code"),
    ("cvss/s2st.sh", [], "--src_lang is not set: the language of the source"),
    (OWN, [], "--src_lang is not set: the language of the source"),
    (OWN, "--src_lang xx --tgt_lang en".split(), "xx"),
    (MINI, ["--preflight", "yes"], "--preflight takes true or false, not 'yes'"),
    # Another way to write it trained what cells share by the settings of another grid.
    (GRID, ["--grid", "../mini_cvss/paper"], "--grid takes the name of a folder in"),
    (GRID, ["--grid", "gaet"], "with a grid.yaml, not 'gaet'"),
    (GRID, "--quick true --grid gate".split(), "and --grid gate was asked for"),
    (GRID, "--grid gate --pair xx_en --page true".split(), "no pair 'xx_en' in gate"),
    ("cvss/paper.sh", ["--grid", "x_en"], "with a grid.yaml, not 'x_en'"),
    ("mini_cvss/x_en/run.sh", ["--nj", "0"], "--nj takes a whole number of 1 or more"),
    ("mini_cvss/x_en/run.sh", ["--text_llms", "mino"], "did you mean 'mono'?"),
]


def said(
    driver: str,
    words: list[str],
    folder: Path,
    *,
    plan: bool = False,
    **environment: str,
) -> list[str]:
    """The errors of a driver, started from another folder; only its `plan` may be printed."""
    kept = {k: v for k, v in os.environ.items() if k != "HOME"}
    active = os.environ.get("PYTHONPATH", "")
    kept["PYTHONPATH"] = f"{EGS.parent}{os.pathsep}{active}".strip(os.pathsep)
    done = subprocess.run(
        [str(EGS / driver), *words],
        env=kept | {"VIRTUAL_ENV": sys.prefix} | environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr and (plan or done.stdout == "")
    return [r for r in done.stderr.splitlines() if not r.startswith("setup: note: ")]


@pytest.mark.parametrize(("driver", "words", "message"), OPTIONS)
def test_a_mistake_in_an_option_of_a_recipe_is_one_line(
    driver, words, message, tmp_path
):
    (line,) = said(driver, words, tmp_path)
    assert message in line


@pytest.mark.parametrize(("driver", "words", "message"), NAMES)
def test_a_name_that_is_not_there_is_told_before_any_work(
    driver, words, message, tmp_path
):
    (line,) = said(driver, words, tmp_path)
    assert message in line
    assert not (tmp_path / "exp").exists()


def test_systems_without_a_baseline_are_compared_with_the_first(tmp_path):
    words = ["--systems", "scheduled tgt_early", "--expdir", str(tmp_path / "exp")]
    lines = said(
        MINI, ["--stage", "score", "--toplines", "false", *words], tmp_path, plan=True
    )
    assert "log/score.scheduled.last.test.log" in lines[-1]


def test_a_conf_is_found_beside_the_table_where_both_are_typed(tmp_path):
    """The table was taken from there and the folder from egs/own, whatever docs said."""
    tasks = tmp_path / "my conf" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "talk.yaml").write_text("layout: user_speech -> agent_text agent_speech\n")
    words = ["--tsv", "t.tsv", "--sides", "user=en agent=en", "--conf", "my conf"]
    (line,) = said(OWN, [*words, "--task", "talk", "--checkpoints", "bset"], tmp_path)
    assert "no 'bset'; did you mean 'best'?" in line


def test_a_conf_of_tasks_alone_is_told_what_it_lacks(tmp_path):
    """It said that there is no 'baseline', and of those that there are an empty list."""
    tasks = tmp_path / "my_conf/tasks"
    tasks.mkdir(parents=True)
    (tasks / "back.yaml").write_text("layout: tgt_speech -> src_speech\n")
    (line,) = said(MINI, ["--conf", f"{tmp_path}/my_conf", "--task", "back"], tmp_path)
    assert line.endswith(
        "has no systems/*.yaml: copy egs/cvss/conf, and change the copy"
    )


def test_stages_have_the_names_of_the_list():
    from s2st_interleave.stage_list import STAGES

    files = sorted(path.stem for path in EGS.glob("cvss/stages/*.sh"))
    assert files == [stage.script for stage in STAGES]


def test_a_name_stands_for_the_number_of_its_stage():
    script = """
    stage=1 stop_stage=10
    . "$0" --stage align --stop-stage vocode
    echo "$stage $stop_stage"
    """
    words = ["bash", "-euc", script, EGS / "cvss/utils/parse_options.sh"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("3 8\n", "")


def test_every_option_of_this_kind_is_known_to_the_hints():
    from s2st_interleave.passing import COMMANDS_OF, options_of

    text = (EGS / "cvss/s2st.sh").read_text()
    assert set(re.findall(r"^(\w+_args)=", text, re.M)) == set(COMMANDS_OF)
    assert all(options_of(name) for names in COMMANDS_OF.values() for name in names)


def test_a_gpu_that_is_not_there_is_told_before_any_work(tmp_path):
    """`--device cuda` spoke a whole corpus, and failed in stage 2."""
    for name in ("cuda", "cuda:1"):
        (line,) = said(MINI, ["--device", name], tmp_path, CUDA_VISIBLE_DEVICES="")
        assert f"--device {name}: this machine has no GPU that PyTorch can use" in line


STAGE_2 = ["--stage", "2", "--stop_stage", "2", "--expdir"]


def test_a_quick_run_of_any_pair_is_a_quick_one(tmp_path):
    """Six of seven pairs read `--quick true`, and made the corpus of the full recipe."""
    words = ["--quick", "true", *STAGE_2, str(tmp_path / "exp")]
    done = subprocess.run(
        [str(EGS / "mini_cvss/pt_en/run.sh"), *words],
        env=os.environ | {"VIRTUAL_ENV": sys.prefix},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "quick/data/train is missing" in done.stdout
    assert "--stop_stage 1 --quick true" in done.stdout


def test_a_shared_model_that_is_not_there_is_told_of(tmp_path):
    """Stage 2 called a folder that does not exist shared, and was done."""
    words = [*STAGE_2, str(tmp_path / "exp")]
    nowhere = {"MINI_SHARED": "shared/nowhere"}
    (line,) = said("mini_cvss/pt_en/run.sh", words, tmp_path, plan=True, **nowhere)
    assert "shared/nowhere/exp/encoder is shared, and is not finished" in line


def test_a_task_that_speaks_with_its_first_side_gets_a_vocoder_of_it(tmp_path):
    """Stage 8 said of its answers in speech that they are text alone, and made none."""
    conf = tmp_path / "conf"
    shutil.copytree(EGS / "mini_cvss/conf", conf)
    (conf / "tasks").mkdir(exist_ok=True)
    layout = "layout: tgt_speech -> tgt_text src_text src_speech\n"
    (conf / "tasks/back.yaml").write_text(layout)
    decode = tmp_path / "exp/baseline/greedy_last/test"
    decode.mkdir(parents=True)
    for name in ("stage.json", "units.src.scp"):
        (decode / name).write_text("{}\n")
    folders = ["--expdir", str(tmp_path / "exp"), "--conf", str(conf)]
    words = [*folders, "--task", "back", "--systems", "baseline", "--stage", "vocode"]
    said(MINI, words, tmp_path, plan=True)
    log = (tmp_path / "exp/log/vocoder.log").read_text()
    assert "--side src" in log
