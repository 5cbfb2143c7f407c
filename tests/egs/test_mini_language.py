"""An eighth language of the mini corpus is one file: Dutch, in tests/egs/nl.yaml."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import warm_python

ROOT = Path(__file__).resolve().parents[2]
LEXICON = Path(__file__).with_name("nl.yaml").read_text()
LITTLE = {
    "MINI_CORPUS": "--num_train 12 --num_dev 3 --num_test 1 --num_text 100",
    "MINI_LLM": "--max_steps 2 --eval_every 2",
}
FAST = {
    "encoder_args": "--max_steps 6 --eval_every 6 --num_pieces 90 --batch_size 4",
    "align_args": "--min_median_score none --min_score none",  # it hears nothing
    "kmeans_args": "--num_units 20 --num_utterances 6",
    "train_args": "--max_steps 6 --eval_every 6 --batch_size 4",
    "decode_args": "--max_unit_ratio 1.2 --max_text_tokens 12",
    "vocoder_args": "--max_steps 2 --eval_every 2",
    "checkpoints": "last",
    "systems": "baseline",
    "test_sets": "dev",  # one split less
    "num_gpus": "1",
    "parallel_systems": "1",
    "nj": "1",
}
ARGUMENTS = [word for name, value in FAST.items() for word in (f"--{name}", value)]


@pytest.fixture
def recipes(tmp_path) -> Path:
    """A user's copy of egs/mini_cvss."""
    root = tmp_path / "a user's copy"
    made = ("downloads", "data", "dump", "exp", "shared", "RESULTS.md", "results.json")
    shutil.copytree(ROOT / "egs", root / "egs", ignore=shutil.ignore_patterns(*made))
    shutil.copytree(ROOT / "tools", root / "tools")
    return root / "egs" / "mini_cvss"


def run(recipes: Path, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [recipes / script, *options],
        env=os.environ | LITTLE | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )


def contents(folder: Path) -> dict[Path, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {p: p.read_bytes() for p in files if "__pycache__" not in p.parts}


@pytest.mark.slow
@pytest.mark.nightly
def test_dutch_runs_from_its_lexicon_to_its_results(recipes, python):
    warm_python.put_into(recipes.parents[1], python)
    before = contents(recipes)
    lexicon = recipes / "local" / "lexicon" / "nl.yaml"
    lexicon.write_text(LEXICON)
    done = run(recipes, "run.sh", "--src", "nl", *ARGUMENTS)
    assert done.returncode == 0, done.stdout[-8000:]

    folder = recipes / "nl_en"
    page = (folder / "exp" / "RESULTS.md").read_text()
    assert "mini CVSS, nl-en" in page and "egs/mini_cvss/nl_en/run.sh" in page
    path = folder / "exp" / "baseline" / "greedy_last" / "dev" / "score.json"
    score = json.loads(path.read_text())
    assert score["num_utterances"] == 3 and 0 <= score["asr_bleu"] <= 100
    llm = json.loads((folder / "downloads" / "llm" / "stage.json").read_text())
    assert llm["inputs"]["name.nl"] == "Dutch" and "name.en" not in llm["inputs"]
    assert " het " in (folder / "data" / "train" / "text.src").read_text()

    # No file that was there is another one, and all that is new is the language's.
    after = contents(recipes)
    assert {path: after[path] for path in before} == before
    assert all(lexicon == p or folder in p.parents for p in after.keys() - before)
    again = run(
        recipes, "nl_en/run.sh", *ARGUMENTS, "--stage", "5", "--stop_stage", "5"
    )
    assert again.returncode == 0 and again.stdout.count("up to date, skipped") == 3


def broken(old: str, new: str) -> str:
    assert old in LEXICON
    return LEXICON.replace(old, new, 1)


@pytest.mark.parametrize(
    ("lexicon", "message"),
    [
        (broken("name: Dutch\n", ""), "nl.yaml: no 'name:'"),
        (broken("name: Dutch", "name: 31"), "nl.yaml: '31' is not a name"),
        (
            broken("teacher: leraar/c", "teacher: leraar/cc"),
            "teacher: no paradigm 'cc'",
        ),
        (broken("\n  teacher: leraar/c", ""), "nl.yaml: nouns lacks teacher"),
        (broken("zullen}", "zullen"), "nl.yaml:47:7: "),
        (broken("future: {sg: zal, ", "future: {"), "no form for"),
        (broken("voices:", "voice:"), "unknown part 'voice'; did you mean 'voices'?"),
        (broken("nl+f4", "nl+f44"), "no variant 'f44' of a voice; did you mean 'f4'?"),
        (broken("nl+f4", "nll+f4"), "espeak-ng has no voice 'nll+f4'"),
        (broken("nl+f4: female", "nl+f4: woman"), "nl+f4 is female or male"),
        (broken("teacher: leraar/c", "teacher:"), "teacher: 'None' is no word"),
        (broken("  doctor:", "  teacher:"), "'teacher' occurs twice"),
        (broken("mass: {", "masse: {"), "determiners lacks mass"),
        (broken(" recipient object manner", " object manner"), "no slot for"),
    ],
)
def test_a_lexicon_that_lacks_something_is_refused_in_one_line(
    recipes, lexicon, message
):
    (recipes / "local" / "lexicon" / "nl.yaml").write_text(lexicon)
    before = contents(recipes)
    done = run(recipes, "run.sh", "--src", "nl")
    assert done.returncode == 1
    said = [line for line in done.stdout.splitlines() if "setup: note" not in line]
    assert len(said) == 1 and message in said[0]
    assert contents(recipes) == before


def test_a_language_without_a_lexicon_is_told_which_there_are(recipes):
    done = run(recipes, "run.sh", "--src", "nl")
    assert done.returncode == 1 and "(have: ca, de, en, es, fr" in done.stdout
    assert "Usage: ./run.sh --src nl" in run(recipes, "run.sh").stdout


@pytest.mark.parametrize(
    ("source", "name"),
    [("nl", "Dutch"), ("es", "Spanish"), ("pt", "Portuguese"), ("yue", "Yue Chinese")],
)
def test_a_recipe_takes_the_languages_name_from_its_lexicon(recipes, source, name):
    """Quoted or not, with or without a comment, as YAML reads it."""
    lexicons = recipes / "local" / "lexicon"
    for code, line in (
        ("nl", "name:  'Dutch' # of Flanders too"),
        ("yue", f"name: {name}"),
    ):
        (lexicons / f"{code}.yaml").write_text(broken("name: Dutch", line))
    command = f'. ../local/pair.sh {source}; printf "%s\n" "${{recipe[@]}}"'
    done = subprocess.run(
        ["bash", "-euc", command], cwd=recipes / "es_en", capture_output=True, text=True
    )
    assert f"--cascade_prompt\n{name}: {{text}}\nEnglish:\n" in done.stdout


def test_a_name_that_went_missing_later_is_told(recipes):
    path = recipes / "local" / "lexicon" / "es.yaml"
    path.write_text(path.read_text().replace("name: Spanish\n", ""))
    done = run(recipes, "es_en/run.sh")
    assert done.returncode == 1
    assert "es.yaml has no line such as 'name: Dutch'" in done.stdout


def test_a_corpus_is_begun_only_for_a_lexicon_that_is_complete(recipes):
    """Else it would have to be overwritten once the slip is mended."""
    (recipes / "local" / "lexicon" / "nl.yaml").write_text(
        broken("leraar/c", "leraar/x")
    )
    out = recipes / "corpus"
    command = [sys.executable, "local/make_corpus.py", "--src", "nl", "--out", out]
    done = subprocess.run(command, cwd=recipes, capture_output=True, text=True)
    assert done.returncode == 1 and not out.exists()
    assert done.stderr == "error: make_corpus: nl.yaml: teacher: no paradigm 'x'\n"


def test_one_slip_among_several_languages_stops_them_before_the_first(recipes):
    (recipes / "local" / "lexicon" / "nl.yaml").write_text(
        broken("leraar/c", "leraar/x")
    )
    done = run(recipes, "x_en/run.sh", "--sources", "pt nl")
    assert done.returncode == 1 and "teacher: no paradigm 'x'" in done.stdout
    assert not (recipes / "x_en" / "shared").exists()


def test_the_papers_pairs_are_lines_of_the_same_recipe():
    pairs = sorted((ROOT / "egs" / "mini_cvss").glob("??_en/run.sh"))
    assert len(pairs) == 7
    for path in pairs:
        source = path.parent.name[:2]
        assert f'/../run.sh" --src {source} "$@"' in path.read_text()
