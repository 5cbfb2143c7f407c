"""A user's copy of egs/mini_cvss, or of egs/cvss, with a grid of tiny cells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
CORPUS = "--num_train 24 --num_dev 2 --num_test 3 --num_text 200"
GRID = """
version: 1
page: ..
command: egs/mini_cvss/paper.sh
pairs: [pt_en]
groups:
  - {table: 2, pairs: all, systems: [scheduled], seeds: [1]}
  - {table: 1, pairs: all, systems: [no_cot], units: untrained, llm: [mono], seeds: [2]}
"""
QUICK = """
version: 1
command: egs/mini_cvss/paper.sh --quick true
pairs: [pt_en]
groups:
  - {table: 2, pairs: all, systems: [baseline], seeds: [1]}
"""
FULL_SIZE = """
version: 1
page: ..
command: egs/cvss/paper.sh
pairs: [pt_en]
groups:
  - {table: 2, pairs: all, systems: [scheduled], seeds: [1]}
  - {table: 1, pairs: all, systems: [no_cot], units: untrained, seeds: [1]}
"""
TINY = {
    "sizes.yaml": {"train": {"pt": 20}},
    "train.yaml": {"max_steps": 4, "text_ratio_every": 1, "eval_every": 2},
    "decode.yaml": {"max_unit_ratio": 1.2, "max_text_tokens": 12},
    "vocoder.yaml": {"max_steps": 4, "eval_every": 4},
    "align.yaml": {"min_median_score": None, "min_score": None},  # it hears nothing
    "x_en/encoder.yaml": {"max_steps": 20, "num_pieces": 90, "eval_every": 20},
    "x_en/kmeans.yaml": {"num_units": 20, "num_utterances": 20},
    "x_en/text_llm.yaml": {"max_steps": 4, "merges_per_language": 40, "eval_every": 4},
}


def copy_recipes(root: Path) -> Path:
    """egs/mini_cvss of a copy in `root`: the real parts, very little of everything."""
    made = ("downloads", "data", "dump", "exp", "shared", "cells", "toplines")
    ignored = shutil.ignore_patterns(*made, "RESULTS.md", "results.json")
    shutil.copytree(ROOT / "egs", root / "egs", ignore=ignored)
    shutil.copytree(ROOT / "tools", root / "tools")
    folder = root / "egs" / "mini_cvss"
    (folder / "paper" / "grid.yaml").write_text(GRID)
    (folder / "quick" / "grid.yaml").write_text(QUICK)
    for name, values in TINY.items():
        path = folder / "conf" / name
        known = yaml.safe_load(path.read_text()) if path.is_file() else {}
        path.write_text(yaml.safe_dump(known | values))
    return folder


def run(folder: Path, *options: str, **settings: str) -> str:
    """What paper.sh says, `settings` in its environment, once it has succeeded."""
    bin_dir = str(Path(sys.executable).parent)
    env = {"PATH": f"{bin_dir}:{os.environ['PATH']}", "MINI_CORPUS": CORPUS}
    done = subprocess.run(
        [folder / "paper.sh", *options],
        env=os.environ | env | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout
