"""Every configuration of every recipe is read as its stage would read it."""

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from s2st_interleave import config
from s2st_interleave.config import load_yaml
from s2st_interleave.stages import train

ROOT = Path(__file__).resolve().parents[2]
# Not a stage's: read by a script of the mini recipes, and by the launcher.
OTHERS = ("text_llm", "slurm", "sizes", "meanings")
CONFS = [*ROOT.glob("egs/*/conf/*.yaml"), *ROOT.glob("egs/*/conf/quick/*.yaml")]
CONFS = [path for path in sorted(CONFS) if path.stem not in OTHERS]
QUICK = ROOT / "egs" / "mini_cvss" / "conf" / "quick"
SYSTEMS = sorted(ROOT.glob("egs/*/conf/systems/*.yaml"))
RECIPES = sorted([*ROOT.glob("egs/*/run.sh"), *ROOT.glob("egs/*/*/run.sh")])


@pytest.mark.parametrize("path", CONFS, ids=lambda p: f"{p.parts[-3]}-{p.stem}")
def test_every_stage_config_is_known_to_its_stages(path):
    for stage in ("align", "units") if path.stem == "encoding" else (path.stem,):
        module = importlib.import_module(f"s2st_interleave.stages.{stage}")
        assert load_yaml(path, module.Options)


@pytest.mark.parametrize("path", SYSTEMS, ids=lambda p: f"{p.parts[-4]}-{p.stem}")
def test_every_system_is_a_training_one_could_start(path):
    argv = ["--config", path.parents[1] / "train.yaml", "--config", path]
    needed = ["--llm", "l", "--train_dir", "t", "--dev_dir", "d", "--out_dir", "o"]
    options = config.parse(train.Options, [str(a) for a in argv + needed], prog="train")
    interleaving = options.interleaving()
    if path.stem.startswith("baseline") or path.stem == "no_cot":
        assert (
            interleaving.schedule.shape == "constant"
            and interleaving.schedule.start == 0
        )
    else:
        assert interleaving.schedule.start > 0
    if path.stem == "scheduled":
        every = options.text_ratio_every
        assert options.max_steps >= (interleaving.schedule.num_drops + 1) * every


def test_the_schedule_of_a_quick_run_falls_to_0():
    argv = ["--config", QUICK.parent / "train.yaml", "--config", QUICK / "train.yaml"]
    needed = ["--llm", "l", "--train_dir", "t", "--dev_dir", "d", "--out_dir", "o"]
    options = config.parse(train.Options, [str(a) for a in argv + needed], prog="train")
    drops = options.interleaving().schedule.num_drops
    assert options.max_steps >= (drops + 1) * options.text_ratio_every


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.parts[-2])
def test_a_recipe_is_short_and_explains_itself(path):
    # A pair's recipe names it and no more; x_en trains what the pairs share.
    is_pair = path.parts[-2].endswith("_en") and path.parts[-2] != "x_en"
    assert len(path.read_text().splitlines()) <= 25 or not is_pair
    done = subprocess.run(["bash", "-n", path], capture_output=True)
    assert done.returncode == 0


ASK = '. ../cvss/utils/environment.sh; echo "$S2ST_ROOT|$train_cmd|${own:-}"'


def test_recipes_share_cmd_and_path_and_any_may_have_its_own(tmp_path):
    """`own` is set by the file that a recipe has beside its run.sh."""
    root = tmp_path / "a user's copy"
    shared = [f"egs/{name}" for name in ("cmd.sh", "path.sh")]
    for name in (*shared, "egs/cvss/utils/environment.sh", "tools/activate.sh"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / "tools/setup.sh").write_text(f"echo {sys.prefix}\n")

    def ask(recipe: str) -> list[str]:
        folder = root / "egs" / recipe
        folder.mkdir(exist_ok=True)
        command = ["bash", "-euc", ASK]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        return done.stdout.strip().split("|")

    launch = "python -m s2st_interleave launch --backend local --resources train_cmd"
    assert ask("one") == [str(root), launch, ""]
    (root / "egs" / "two").mkdir()
    commands = ". ../cmd.sh\nown=mine\n"
    (root / "egs" / "two" / "cmd.sh").write_text(commands)
    assert ask("two") == [str(root), launch, "mine"]
    (root / "egs" / "two" / "path.sh").write_text("S2ST_ROOT=elsewhere\n")
    assert ask("two") == ["elsewhere", launch, "mine"]
    assert ask("one") == [str(root), launch, ""]


@pytest.mark.parametrize("recipe", ["mini_cvss/es_en", "mini_dialogue"])
def test_a_committed_page_says_of_its_corpus_what_its_recipe_says(recipe):
    folder = ROOT / "egs" / recipe
    notes = (
        *folder.glob("conf/corpus_note.txt"),
        *folder.glob("../conf/corpus_note.txt"),
    )
    note = " ".join(notes[0].read_text("utf-8").split())
    assert note in (folder / "RESULTS.md").read_text("utf-8").splitlines()
