"""Every configuration of every recipe is read as its stage would read it."""

import importlib
import subprocess
from pathlib import Path

import pytest

from s2st_interleave import config
from s2st_interleave.config import load_yaml
from s2st_interleave.stages import train

ROOT = Path(__file__).resolve().parents[1]
# Not a stage's: read by a script of the mini recipes, and by the launcher.
OTHERS = ("text_llm", "slurm")
CONFS = [p for p in sorted(ROOT.glob("egs/*/conf/*.yaml")) if p.stem not in OTHERS]
SYSTEMS = sorted(ROOT.glob("egs/*/conf/systems/*.yaml"))
RECIPES = sorted(ROOT.glob("egs/*/*/run.sh"))


@pytest.mark.parametrize("path", CONFS, ids=lambda p: f"{p.parts[-3]}-{p.stem}")
def test_every_stage_config_is_known_to_its_stage(path):
    module = importlib.import_module(f"s2st_interleave.stages.{path.stem}")
    assert load_yaml(path, module.Options)


@pytest.mark.parametrize("path", SYSTEMS, ids=lambda p: f"{p.parts[-4]}-{p.stem}")
def test_every_system_is_a_training_one_could_start(path):
    argv = ["--config", path.parents[1] / "train.yaml", "--config", path]
    needed = ["--llm", "l", "--train_dir", "t", "--dev_dir", "d", "--out_dir", "o"]
    options = config.parse(train.Options, [str(a) for a in argv + needed], prog="train")
    how = options.interleaving()
    if path.stem in ("baseline", "no_cot"):
        assert how.schedule.shape == "constant" and how.schedule.start == 0
    else:
        assert how.schedule.start > 0
    if path.stem == "scheduled":
        every = options.text_ratio_every
        assert options.max_steps >= (how.schedule.num_drops + 1) * every


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.parts[-2])
def test_a_recipe_is_short_and_explains_itself(path):
    assert len(path.read_text().splitlines()) <= 25
    done = subprocess.run(["bash", "-n", path], capture_output=True)
    assert done.returncode == 0
    for name in ("cmd.sh", "path.sh"):  # one text in all recipes
        same = {p.read_text() for p in ROOT.glob(f"egs/*/*/{name}")}
        assert len(same) == 1
