"""Warnings about trainings that learn nothing, and none about trainings that do (numbers)."""

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import small_runs

from s2st_interleave.__main__ import main
from s2st_interleave.decode import looping
from s2st_interleave.decode.outputs import Answer
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.train.interleaved import InterleavedTask
from s2st_interleave.train.learning import MeanShares, Watch
from s2st_interleave.units import usage

ROOT = Path(__file__).resolve().parents[2]
CELLS = sorted((ROOT / "egs/mini_cvss/paper/cells").glob("*.json"))


def doubts_of(out: str) -> list[str]:
    return re.findall(r"warning: (.*)", out)


@pytest.fixture(scope="module")
def command(tmp_path_factory, text_llm, small_dump):
    root = tmp_path_factory.mktemp("learning")
    return partial(
        small_runs.command, small_runs.make_corpus(root, text_llm, small_dump)
    )


SIXTY = {"max_steps": 60, "save_every": 60, "eval_every": 60, "text_ratio_every": 6}


@pytest.mark.slow
@pytest.mark.parametrize(("lr", "num_doubts"), [(1e-9, 1), (3e-3, 0)])
def test_a_dev_loss_that_does_not_move_is_told_once(command, capsys, lr, num_doubts):
    options = {"lr": lr, "eval_every": 3, "max_steps": 24, "save_every": 24}
    assert main(command("llm", f"lr {lr}", **options)) == 0
    doubts = doubts_of(capsys.readouterr().out)
    assert len(doubts) == num_doubts
    assert all("dev_loss has not moved" in d and "4 evaluations" in d for d in doubts)


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["literal", "exact"])
@pytest.mark.parametrize("stale", [False, True])
def test_words_shown_by_another_ratio_than_the_schedules_are_told(
    command, capsys, monkeypatch, stale, rule
):
    """As where workers go on with the ratio that they began with."""
    if stale:
        ratios, draw = Interleaving.ratios, InterleavedTask._draw_share

        def draw_stale(task: InterleavedTask, step: int, rule: Interleaving):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Interleaving, "ratios", lambda rule, _: ratios(rule, 0))
                return draw(task, step, rule)

        monkeypatch.setattr(InterleavedTask, "_draw_share", draw_stale)
    words = command("llm", f"{rule} {stale}", **SIXTY, stop=rule, lr=1e-3)
    assert main(words) == 0
    doubts = doubts_of(capsys.readouterr().out)
    assert len(doubts) == stale
    assert all("departs from the schedule" in d and "60 steps" in d for d in doubts)


@pytest.mark.parametrize("plain_loss", [True, False])
def test_terms_that_dev_has_not_are_no_progress(plain_loss):
    """Heads made the first loss higher than dev's: a training that stood still had "gained"."""
    watch = Watch(100, plain_loss=plain_loss)
    lines = [{"step": n, "loss": 6.0} for n in range(100)]
    for line in lines[19::20]:
        line["dev_loss"] = 5.6
    told = [doubt for line in lines for doubt in watch.add(line)]
    assert bool(told) == (not plain_loss)


def test_no_committed_training_gives_rise_to_a_doubt(count):
    """Curves of the paper's tables in miniature, of which each has 15 evaluations."""
    told = 0
    for path in CELLS:
        curve = json.loads(path.read_text())["curve"]
        names = ("step", "loss", "dev_loss", "text_ratio")
        lines = [
            {k: v for k, v in zip(names, row, strict=True) if v is not None}
            for row in zip(*(curve[name] for name in names), strict=True)
        ]
        watch = Watch(int(lines[-1]["step"]) + 1)
        told += sum(len(watch.add(line)) for line in lines)
    assert len(CELLS) > 100 and told == 0
    count("doubts", healthy_trainings=len(CELLS), false_alarms=told)


def test_the_expected_share_is_what_algorithm_1_gives():
    """`exact` gives the ratio itself; `literal` passes it by less than a span's rest."""
    words = {"src": np.array([3, 5, 8, 8]), "tgt": np.array([10])}
    exact = MeanShares(words, 1.0, "exact")
    literal = MeanShares(words, 1.0, "literal", "src")
    assert exact(0.3) == pytest.approx({"src": 0.3, "tgt": 0.3})
    assert 0.3 < literal(0.3)["src"] < 0.3 + 2 / 3 and literal(0.3)["tgt"] == 0.0
    assert literal(0.0) == {"src": 0.0, "tgt": 0.0}


def test_units_that_collapse_are_told_with_the_evidence():
    even, few = np.full(200, 30), np.zeros(200, int)
    few[[7, 9]] = 5900, 100
    assert usage.doubt(even) == "" == usage.doubt(even // 10)
    told = usage.doubt(few)
    assert "2 of 200 are used" in told and "unit 7 makes up 98% of 6000 frames" in told
    assert usage.perplexity(even) == pytest.approx(200)


def test_answers_that_loop_are_told_with_the_evidence():
    fine = Answer({"tgt_text": "the train leaves at nine"}, {})
    loop = replace(fine, texts={"tgt_text": "at nine " * 20})
    answers = {f"u{n:02}": loop if n < 5 else fine for n in range(20)}
    told = looping.doubt(answers)
    assert "tgt_text loops in 5 of 20 answers (u00 (and 4 more)" in told
    assert looping.doubt(answers | {"u00": fine}) == ""
