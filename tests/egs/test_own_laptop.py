"""egs/own/run.sh --preset laptop on a few pairs, to its page, with few steps of everything."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import warm_python

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

WORDS = {
    "de": "der Lehrer liest heute ein Buch im Garten und die Mutter trinkt Wasser".split(),
    "en": "the teacher reads a book today in the garden and mother drinks water".split(),
}
FAST = [
    "--encoder_args",
    "--max_steps 12 --eval_every 12",
    "--align_args",
    "--min_median_score none --min_score none",  # in 12 steps it hears nothing
    "--kmeans_args",
    "--num_units 20",
    "--train_args",
    "--max_steps 4 --text_ratio_every 1 --eval_every 4 --save_every 4 --batch_size 4",
    "--decode_args",
    "--max_unit_ratio 1.2 --max_text_tokens 8",
    "--vocode_args",
    "--nj 1",  # each process of a pool would load torch
    "--vocoder_args",
    "--max_steps 4 --eval_every 4 --save_every 4",
]


@pytest.fixture(scope="module")
def tsv(tmp_path_factory) -> Path:
    """18 pairs spoken by espeak-ng."""
    folder = tmp_path_factory.mktemp("my corpus")
    sys.path.insert(0, str(ROOT / "egs" / "mini_cvss" / "local"))
    from espeak import Espeak

    sys.path.pop(0)
    engine, rng = Espeak(), np.random.default_rng(1)
    lines = ["id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text\tsplit"]
    for number in range(18):
        row = [f"u{number:02}"]
        for side, (lang, words) in zip(("src", "tgt"), WORDS.items(), strict=True):
            text = " ".join(rng.permutation(words)[:6])
            samples, rate, _ = engine.speak(text, lang, 175, 50, 50)
            soundfile.write(folder / f"{row[0]}.{side}.wav", samples, rate)
            row += [f"{row[0]}.{side}.wav", text]
        row.append("test" if number < 3 else "dev" if number < 6 else "train")
        lines.append("\t".join(row))
    (folder / "my.tsv").write_text("\n".join(lines) + "\n")
    return folder / "my.tsv"


@pytest.fixture(scope="module")
def egs(tmp_path_factory, python) -> Path:
    root = tmp_path_factory.mktemp("laptop") / "a user's copy"
    made = ("downloads", "data", "dump", "exp", "shared", "RESULTS.md")
    ignored = shutil.ignore_patterns(*made)
    shutil.copytree(ROOT / "egs", root / "egs", ignore=ignored)
    shutil.copytree(ROOT / "tools", root / "tools")
    warm_python.put_into(root, python)
    return root / "egs"


def run(egs: Path, *options: str, cwd: Path, status: int = 0) -> str:
    bin_dir = str(Path(sys.executable).parent)
    few = {"MINI_LLM": "--max_steps 4 --eval_every 4", "HF_HUB_OFFLINE": "1"}
    env = os.environ | few | {"PATH": f"{bin_dir}:{os.environ['PATH']}"}
    done = subprocess.run(
        [egs / "own" / "run.sh", "--preset", "laptop", *options],
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert done.returncode == status, done.stdout[-8000:]
    return done.stdout


def test_a_small_corpus_goes_through_all_stages_without_a_large_model(egs, tsv):
    options = ["--tsv", tsv.name, "--src_lang", "de", "--tgt_lang", "en", *FAST]
    output = run(egs, *options, cwd=tsv.parent)
    first, *lines = output.splitlines()
    assert first.startswith("preset laptop: small models that learn from this corpus")
    assert any(line.startswith("data/train: 12 pairs, ") for line in lines)
    assert sum(line.startswith("warning: that is less than 200") for line in lines) == 1
    assert lines[-1].endswith("expect no translator")
    assert "on a laptop" in (egs / "own/exp/RESULTS.md").read_text()
    score = json.loads(
        (egs / "own/exp/scheduled/greedy_last/test/score.json").read_text()
    )
    assert score["num_utterances"] == 3
    assert run(egs, *options, cwd=tsv.parent).count(" finished: ") == 0


def test_the_language_model_has_read_both_sides_of_train_alone(egs, tsv):
    made = json.loads((egs / "own/downloads/llm/stage.json").read_text())
    assert made["counts"]["in"] == 12
    assert set(made["inputs"]) == {"train.src", "train.tgt", "dev.src", "dev.tgt"}


def test_languages_are_checked_before_anything_is_made(egs, tsv):
    options = ["--tsv", str(tsv), "--expdir", "other", "--datadir", "other"]
    output = run(egs, *options, "--src_lang", "German", cwd=tsv.parent, status=1)
    assert "'German' is no language code" in output and "did you mean 'de'?" in output
    more = ["--src_lang", "de", "--tgt_lang", "english"]
    output = run(egs, *options, *more, cwd=tsv.parent, status=1)
    assert "'english' is no language code" in output and "did you mean 'en'?" in output
    assert not (egs / "own" / "other").exists()
