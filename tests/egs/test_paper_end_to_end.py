"""paper.sh of both recipes as a user types it: tiny cells of each kind, then the page."""

import json
import signal
import subprocess

import pytest
import tiny_cvss
import tiny_paper
import warm_python
from tiny_paper import run

pytestmark = pytest.mark.slow


def test_a_warm_python_ends_as_another_would(python):
    def start(*words: str) -> subprocess.Popen:
        pipe = subprocess.PIPE
        command = [python, "-m", "s2st_interleave", *words]
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)

    process = start("train", "--llm", "x")
    assert "error: train: missing" in process.communicate()[1]
    assert process.returncode == 2
    process = start("launch", "/dev/null", "sh", "-c", "echo there; sleep 60")
    assert process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 128 + signal.SIGTERM


@pytest.mark.nightly  # test_paper_pairs.py runs the script, with stand-ins for the recipes
def test_a_cell_of_each_kind_and_the_page(tmp_path, python):
    recipe = tiny_paper.copy_recipes(tmp_path / "a user's copy")
    warm_python.put_into(tmp_path / "a user's copy", python)

    # 1. All of them, by one command.
    output = run(recipe, "--nj", "1")
    assert "cells to run: 2" in output and "2 of 2 cells done" in output

    # 2. Text is kept, checkpoints and audio are not.
    cells = sorted(path.stem for path in (recipe / "paper" / "cells").glob("*.json"))
    assert cells == ["pt_en.no_cot.untrained.mono.s2", "pt_en.scheduled.s1"]
    kept = json.loads((recipe / "paper/cells/pt_en.scheduled.s1.json").read_text())
    assert len(kept["scores"]["best"]["hyp"]) <= 3
    assert len(kept["scores"]["last"]["utterance_mos"]) <= 3
    assert kept["probes"]["similarity_src"] and kept["curve"]["dev_loss"]
    assert not list((recipe / "pt_en/shared/paper/exp/cells").glob("*/*"))

    # 3. The page shows them; a third run has nothing to do but the page.
    shown_in = recipe / "x_en/shared/paper/exp/results"
    results = json.loads((shown_in / "results.json").read_text())
    shown = {cell["system"] for cell in results["cells"]}
    assert shown == {"scheduled", "no_cot.untrained.mono"}
    assert len(results["claims"]) == 8
    page = (shown_in / "RESULTS.md").read_text()
    assert "cells to run: 0" in run(recipe)
    assert (shown_in / "RESULTS.md").read_text() == page

    # 4. The quick grid has cells and a page of its own.
    run(recipe, "--quick", "true", "--page", "true")
    quick = recipe / "x_en/shared/quick/exp/results/RESULTS.md"
    assert "0 of 1 cells are there" in quick.read_text()
    assert (shown_in / "RESULTS.md").read_text() == page

    # 5. What is committed is written where that is asked for.
    assert not (recipe / "RESULTS.md").exists()
    run(recipe, "--page", "true", "--publish", "true")
    published = (recipe / "RESULTS.md").read_text()
    assert published.replace("](paper/", "](./") == page


@pytest.mark.nightly
def test_the_tables_at_full_size_with_tiny_models(tmp_path, python, text_llm):
    """Corpora as they are distributed, models that db.sh names, the page of the same code."""
    root = tmp_path / "a user's copy"
    recipe = tiny_cvss.copy_recipes(root, text_llm) / "cvss"
    warm_python.put_into(root, python)
    (recipe / "paper" / "grid.yaml").write_text(tiny_paper.FULL_SIZE)

    # 1. Nothing is started to say what is left.
    assert "2 of 2 cells to run" in run(recipe, "--plan", "true")
    assert not (recipe / "x_en" / "exp").exists()

    # 2. All cells, their stages jobs of cmd.sh; the plan knows the dump by then.
    output = run(recipe, "--device", "cpu", "--nj", "1", "--num_threads", "1")
    assert "plan: 2 of 2 cells to run; trainings: " in output
    assert "2 of 2 cells done" in output
    kept = json.loads((recipe / "paper/cells/pt_en.scheduled.s1.json").read_text())
    score = kept["scores"]["last"]
    assert len(score["hyp"]) == score["num_utterances"] - score["num_missing"] == 4
    assert not list(recipe.glob("pt_en/exp/cells/*"))  # went with their checkpoints

    # 3. The page has the paper's tables and scores, and no word of the mini corpus.
    page = (recipe / "x_en/exp/results/paper/RESULTS.md").read_text()
    assert "# The paper at full size" in page
    assert (
        "| Portuguese | 19 | n/a | " in page
        and "| 7 | 10.3 | 19.5 | 12.0 | +9.2 |" in page
    )
    for word in ("mini corpus", "miniature", "grammar", "dnsmos", "random weights"):
        assert word not in page.lower()
    assert (recipe / "x_en/exp/results/paper/figure3.svg").is_file()
    assert "cells to run: 0" in run(recipe)
    assert (recipe / "x_en/exp/results/paper/RESULTS.md").read_text() == page
