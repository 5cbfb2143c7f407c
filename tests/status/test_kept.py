"""A rerun asks all stages in one process whether they have something to do."""

import subprocess
import sys
from pathlib import Path

import pytest
import tiny_recipe

from s2st_interleave.__main__ import main
from s2st_interleave.stage_dir import EXIT_UNFINISHED
from s2st_interleave.status import attempts
from s2st_interleave.status.kept import Stage, kept
from s2st_interleave.status.look import looking

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ("python", "-m", "s2st_interleave")
LAUNCH = (
    *COMMAND,
    "launch",
    "--backend",
    "local",
    "--gpu",
    "1",
    "JOB=a,b",
    "log/JOB.log",
)
TORCHRUN = ("python", "-m", "s2st_interleave.train.torchrun", "--nproc_per_node", "2")


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    root = tmp_path / "with a space"
    root.mkdir()
    monkeypatch.chdir(root)
    tiny_recipe.make_data(root, tiny_recipe.IDS)
    for name in "ab":
        subset(root, name)
    return root


def words(root: Path, name: str, size: str = "2") -> tuple[str, ...]:
    places = ("--data_dir", str(root / "data"), "--out_dir", str(root / name))
    return (*COMMAND, "subset", *places, "--num_utterances", size)


def subset(root: Path, name: str) -> None:
    subprocess.run([sys.executable, *words(root, name)[1:]], check=True)


def of(*commands: tuple[str, ...]) -> Stage:
    return Stage("== a stage", commands, whole=True)


def test_stages_that_are_up_to_date_say_so_up_to_the_first_that_is_not(root):
    by_launcher = (*LAUNCH, "s2st_say", *words(root, "JOB"))
    in_ranks = (*LAUNCH, *TORCHRUN, *words(root, "JOB")[1:])
    shared = ("promises", str(root / "a"), "encoder: shared, a")
    said = list(kept([of(words(root, "a"), by_launcher), of(in_ranks, shared)]))
    line = "subset: {} is up to date, skipped\n"
    a, b = (line.format(root / name) for name in "ab")
    assert said == [
        f"== a stage\n{a}{a}{b}",
        f"== a stage\n{a}{b}encoder: shared, a\n",
    ]
    (root / "b" / "stage.json").unlink()
    before = sorted(root.rglob("*"))
    assert len(list(kept([of(words(root, "a")), of(by_launcher), of(shared)]))) == 1
    assert sorted(root.rglob("*")) == before  # it has only looked


def test_a_launcher_that_is_not_known_is_run(root):
    assert list(kept([of(("my_launcher", "log", *words(root, "a")))])) == []


@pytest.mark.parametrize(
    "command",
    [
        (*COMMAND, "subset", "--no_such_option", "1"),
        (*COMMAND, "subset", "--debug", "true"),
        (*COMMAND, "no_such_command"),
        (*COMMAND, "launch", "--no_such_option", "1"),
        ("true",),
        ("promises", "nowhere", "encoder: shared, nowhere"),
    ],
)
def test_what_is_not_known_to_be_up_to_date_is_run(root, command):
    assert list(kept([of(words(root, "a"), command)])) == []


def test_a_record_that_is_cut_is_the_stages_own_matter(root):
    done = root / "a" / "stage.json"
    done.write_text(done.read_text()[:40])
    assert list(kept([of(("promises", str(root / "a"), ""))])) == []
    for text in (done.read_text(), '{"options": 1}'):
        done.write_text(text)
        assert list(kept([of(words(root, "a"))])) == []


def test_preflight_and_recognise_have_always_something_to_do(root):
    preflight = ("preflight", "--conf", str(root), "--task", str(root / "data"))
    data = ("--data_dir", str(root / "data"), "--asr", "tiny.en")
    for options in (
        preflight,
        ("recognise", *data, "--asr_cache", str(root / "cache")),
    ):
        assert list(kept([of((*COMMAND, *options))])) == []
    with pytest.raises(SystemExit) as end, looking():
        main(["recognise", *data, "--asr_cache", str(root / "cache")])
    assert end.value.code == EXIT_UNFINISHED
    assert not (root / "cache").exists()


def test_other_options_and_a_driver_that_stopped_are_run(root):
    assert list(kept([of(words(root, "a", "3"))])) == []
    stage = Stage("== a stage", (words(root, "a"),))
    assert not stage.whole and list(kept([stage])) == []


DRIVER = r"""
set -euo pipefail
S2ST="$1" root="$2"
. "$3/egs/cvss/utils/kept.sh"
s2st=(python -m s2st_interleave) train_cmd="python -m s2st_interleave launch"
cuda_cmd="$train_cmd" decode_cmd="$train_cmd" encoder_args=
s2st_heading() { echo "== $1 $2"; }
use_shared() { echo made >"$root/made"; }
script_names=(02_encoder 03_align 05_dump 10_results)
s2st_pass_over
echo "left: ${script_names[*]}"
"""
STAGE = """
echo "not to be seen"
$train_cmd JOB=a,b "$root/log/JOB.log" "${s2st[@]}" subset --data_dir "$root/data" \\
  --out_dir "$root/JOB" --num_utterances 2
"""


def passed_over(root: Path, third: str) -> list[str]:
    """What the driver prints where its stage 3 is the script `third`."""
    stages = root / "stages"
    stages.mkdir(exist_ok=True)
    (stages / "02_encoder.sh").write_text('use_shared encoder "$root/a"\n')
    (stages / "03_align.sh").write_text(third)
    (stages / "05_dump.sh").write_text(STAGE.replace(" 2\n", " 3\n"))
    (stages / "10_results.sh").write_text("echo made >made\n")
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-c", DRIVER, "bash", root, root, ROOT],
        env={"PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        cwd=root,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_driver_goes_on_with_the_first_stage_that_has_something_to_do(root):
    skipped = [f"subset: {root / name} is up to date, skipped" for name in "ab"]
    shared = ["== 2 encoder", f"encoder: shared, {root / 'a'}"]
    said = passed_over(root, STAGE)
    assert said == [*shared, "== 3 align", *skipped, "left: 05_dump 10_results"]
    assert not (root / "made").exists()
    # `status` takes a directory's latest command from its log.
    latest = attempts.read(root / "log")
    assert [each.options for each in latest] == [words(root, k)[4:] for k in "ab"]
    assert [each.status for each in latest] == [0, 0]
    for broken in ("false\n", "exit 1\n", "nonsense\n", f"{STAGE}\nfalse\n"):
        assert passed_over(root, broken) == [
            *shared,
            "left: 03_align 05_dump 10_results",
        ]
    assert passed_over(root, "true\n")[-1] == "left: 05_dump 10_results"
