"""The benchmarks for GPUs are rehearsed on a CPU, by the same code with tiny shapes."""

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from benchmarks.gpu import __main__ as command
from benchmarks.gpu import recipe, record, shapes, table
from benchmarks.gpu.pieces import PIECES
from s2st_interleave.errors import UserError

ROOT = Path(__file__).parents[2]
NEEDED = {name for piece in PIECES if piece.name != "recipe" for name in piece.needs}
# Import names of packages of tools/requirements.txt that a machine with a GPU may lack.
OTHERS = """kaldiio sacrebleu ctc_segmentation faster_whisper ctranslate2 whisper pyworld
praatio tiktoken matplotlib speechmos onnxruntime""".split()
RECORD = record.Record(
    piece="decode",
    size="full",
    state="finished",
    reason="",
    device="NVIDIA H100",
    versions={"torch": "2.13"},
    git="abc",
    seconds=12.0,
    figures={
        "stage 7, 1B, batch 256": record.Figure(
            unit="tokens/s",
            ours=20_000.0,
            other=10_000.0,
            ratio=2.0,
            lowest=1.9,
            highest=2.1,
            against="generate",
            mfu=0.05,
            peak_gb=9.0,
            other_peak_gb=8.0,
            planned_gb=7.5,
        )
    },
)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory) -> tuple[Path, str]:
    """The folder of the JSONs and the output of gpu.sh, where packages are missing."""
    root = tmp_path_factory.mktemp("a rehearsal")
    for name in OTHERS:
        assert name not in NEEDED
        text = f"raise ModuleNotFoundError('{name} is hidden', name='{name}')\n"
        (root / f"{name}.py").write_text(text)
    bin_dir = Path(sys.executable).parent
    rehearse = [ROOT / "benchmarks/gpu.sh", "--size", "tiny", "--out", root / "out"]
    environment = os.environ | {
        "PATH": f"{bin_dir}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    # A recipe takes all packages.
    for words, path in (([], f"{root}:{ROOT}"), (["--only", "recipe"], f"{ROOT}")):
        done = subprocess.run(
            [*rehearse, *words],
            env=environment | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
    return root / "out", done.stdout


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.name)
def test_a_piece_measures_its_rows_on_a_cpu(piece, rehearsal):
    folder, output = rehearsal
    found = record.read(folder / f"{piece.name}.json")
    assert (found.state, found.size) == ("finished", "tiny"), output
    assert found.figures.keys() == set(piece.rows)
    for row in piece.rows:
        assert f"| {row} | not measured" not in output
        assert f"| {row} |" in output


@pytest.mark.slow
@pytest.mark.nightly
def test_the_same_device_gives_the_same_losses_and_answers(rehearsal):
    figures = record.read(rehearsal[0] / "devices.json").figures.values()
    for figure in figures:
        assert figure.ours == figure.other
        assert "differ by 0.0e+00" in figure.note and "32 of 32" in figure.note


@pytest.mark.slow
@pytest.mark.nightly
def test_the_same_device_gives_the_same_scores(rehearsal):
    figures = record.read(rehearsal[0] / "recipe.json").figures
    for system in ("baseline", "scheduled"):
        figure = figures[f"quick recipe, {system}"]
        assert figure.ours == figure.other and figure.unit == "ASR-BLEU"
        scores = re.findall(r"([0-9.]+) and ([0-9.]+)", figure.note)
        assert len(scores) == 3 and all(ours == other for ours, other in scores)


def test_a_recipe_that_fails_is_told_by_its_last_line(monkeypatch, tmp_path):
    monkeypatch.setattr(recipe, "TINY", {"no_such_option": "1"})
    with pytest.raises(RuntimeError, match=r"cpu: exit status 1: .*no_such_option"):
        recipe._run(tmp_path / "a copy", "cpu", shapes.of("tiny"))


def test_a_piece_that_lacks_a_package_says_so_and_ends_well(tmp_path):
    piece = replace(PIECES[0], needs=("no_such_package",))
    command.measure(piece, "tiny", tmp_path)
    found = record.read(tmp_path / f"{piece.name}.json")
    assert (found.state, found.figures) == ("failed", {})
    assert found.reason == "ModuleNotFoundError: not installed: no_such_package"
    lines = table.table(tmp_path).splitlines()
    assert f"| {piece.rows[0]} | not measured |" in "\n".join(lines)
    assert any(line.endswith(f"| {found.reason} |") for line in lines)


def test_a_piece_counts_as_stopped_until_it_has_ended(tmp_path):
    record.write(tmp_path, record.begun("decode", "full", torch.device("cpu")))
    found = record.read(tmp_path / "decode.json")
    assert found.state == "stopped" and "time limit" in found.reason


def test_a_record_is_read_back_and_one_of_another_form_is_refused(tmp_path):
    record.write(tmp_path, RECORD)
    assert record.read(tmp_path / "decode.json") == RECORD
    data = asdict(RECORD) | {"speed": 1}
    (tmp_path / "decode.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match="unknown key 'speed'"):
        record.read(tmp_path / "decode.json")


def test_the_table_has_a_line_for_each_row_measured_or_not(tmp_path):
    record.write(tmp_path, RECORD)
    text = table.table(tmp_path)
    assert (
        "| stage 7, 1B, batch 256 | 2e+04 tokens/s | 1e+04 | 2.00 (1.90, 2.10) | 5% | "
        "9.0 (8.0, planned 7.5) | generate |"
    ) in text
    assert text.count("not measured") == sum(len(p.rows) for p in PIECES) - 1
    assert "decode: NVIDIA H100; torch 2.13; git abc; 12 s." in text


def test_the_readme_has_the_table_of_what_is_stored():
    readme = table.README.read_text()
    assert table.with_table(readme, table.table(table.RESULTS)) == readme


def test_six_pieces_fill_half_an_hour_and_none_takes_ten_minutes():
    limits = [piece.limit_sec for piece in PIECES]
    assert sum(limits[:6]) <= 1800 and max(limits) < 600


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "nothing"], "no piece is called nothing: train decode"),
        (["--size", "huge"], "--size takes full or tiny, not 'huge'"),
        (["--quick"], "unknown option --quick"),
        (["--out"], "--out wants a value"),
    ],
)
def test_gpu_sh_refuses_what_it_does_not_know(words, message):
    done = subprocess.run(
        [ROOT / "benchmarks/gpu.sh", *words],
        env=os.environ
        | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and message in done.stderr
