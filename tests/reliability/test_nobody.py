"""Nobody gets in: no code of others is run, no network asked, nothing private let out."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from s2st_interleave import errors
from s2st_interleave.pack.command import _home_left_out
from s2st_interleave.stage_dir import Stage

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CANARIES = ("canary-home", "canary-user", "hf_canary0123456789abcdefghijklmnopqrst")
SHARED = ("exp/pack/**/*", "exp/report.html", "shown/*")
SHARED += ("scored/exp/RESULTS.md", "scored/exp/report.html")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Path:
    """The folder of a recipe, run where no network is, with secrets in its environment."""
    alone = ["unshare", "--net"] if os.getuid() == 0 else ["unshare", "--user", "--net"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"]).returncode:
        pytest.skip("no network namespace may be made here: unshare fails")
    top = tmp_path_factory.mktemp("nobody")
    home = top / CANARIES[0]
    home.mkdir()
    secrets = {"HOME": str(home), "USER": CANARIES[1], "LOGNAME": CANARIES[1]}
    secrets |= {"HF_TOKEN": CANARIES[2], "AWS_SECRET_ACCESS_KEY": CANARIES[2]}
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(HERE)])
    words = [
        sys.executable,
        str(HERE / "watched_recipe.py"),
        str(home / "r"),
        str(top / "net"),
    ]
    done = subprocess.run(
        [*alone, *words],
        env=os.environ | secrets | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return home / "r"


@pytest.mark.nightly
def test_a_recipe_asks_no_network(recipe, count):
    attempts = recipe.parent.parent / "net"
    lines = attempts.read_text().splitlines() if attempts.is_file() else []
    count("network", stages=8, attempts=len(lines))
    assert lines == []


@pytest.mark.nightly
def test_ids_of_a_shell_and_a_page_are_names_and_no_more(recipe):
    ran = [p for p in recipe.parent.rglob("*") if p.name == "ran"]
    pages = [p for p in recipe.rglob("*.html")]
    assert ran == [] and pages
    assert all("<script>ran()" not in page.read_text() for page in pages)
    assert (recipe / "dump/audio").is_dir() and len(list(recipe.rglob("*.flac"))) >= 8


@pytest.mark.nightly
def test_what_is_shared_tells_nothing_of_its_maker(recipe, count):
    files = [p for pattern in SHARED for p in recipe.glob(pattern) if p.is_file()]
    told = [
        f"{path.relative_to(recipe)}: {canary}"
        for path in files
        for canary in CANARIES
        if canary.encode() in path.read_bytes()
    ]
    count("private", files=len(files), canaries=len(CANARIES), told=len(told))
    assert len(files) > 10 and told == []
    names = {path.name for path in files}
    assert {"RESULTS.md", "report.html", "README.md", "NOTICE", "0.html"} <= names


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("exp/llm", "exp/llm"),
        ("/elsewhere/me/llm", "llm"),
        ("{here}/exp/llm", "exp/llm"),
    ],
)
def test_a_packed_model_keeps_no_path_of_a_home(given, kept, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _home_left_out(given.format(here=tmp_path)) == kept


STEERS = "u\x1b]0;title\x07\x1b[2J\u202eexe.\u2028\x9b1m\r"


def test_an_error_does_not_steer_the_terminal(capsys):
    def fail() -> None:
        raise errors.UserError(f"{STEERS}: wrong")

    assert errors.guarded("x", fail) == 1
    line = capsys.readouterr().err
    assert line.rstrip("\n").isprintable() and line.count("\n") == 1
    assert r"\x1b[2J\u202eexe" in line


def test_a_reason_is_a_line_of_dropped_tsv(tmp_path):
    stage = Stage(tmp_path, {"stage": "align"}, 0.0)
    stage.finish(num_in=2, num_out=1, dropped={"u1": f"words differ: a\tb\nc {STEERS}"})
    lines = (tmp_path / "dropped.tsv").read_text("utf-8").splitlines()
    assert len(lines) == 1 and lines[0].startswith("u1\twords differ: a b c u")
    assert "\x1b" not in lines[0]
