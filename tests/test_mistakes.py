"""What a user does wrong, and the one line that says so: no traceback, no riddle."""

import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import soundfile
from mistake_table import MISTAKES, TRAIN

from s2st_interleave import __main__ as command_line
from s2st_interleave import __version__
from s2st_interleave.blocks import leaves
from s2st_interleave.config import RunOptions
from s2st_interleave.data import kaldi, sides
from s2st_interleave.interleave import dump
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stage_list import COMMANDS


@pytest.fixture
def folder(tmp_path, monkeypatch, text_llm, small_dump) -> Path:
    """An LLM, a dump and a data directory, all good, beside what is none."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(text_llm, "llm")
    stage = open_stage(Path("dump"), stage="dump", options=RunOptions(), inputs={})
    utterances = [small_dump[index] for index in range(len(small_dump))]
    dump.write(Path("dump"), utterances, small_dump.vocabulary)
    stage.finish(num_in=30, num_out=30)
    stage = open_stage(Path("data"), stage="data", options=RunOptions(), inputs={})
    data = kaldi.DataDir(Path("data"))
    noise = np.random.default_rng(1).normal(0, 0.1, 16000)
    soundfile.write("u0.wav", noise, 16000)
    rows = {"text": "la casa roja", "wav.scp": "u0.wav", "utt2dur": "1.000"}
    sides.write(data.path, {"src": "es", "tgt": "en"})
    for name, value in rows.items():
        for side in data.sides:
            kaldi.write_table(data.file(name, side), {"u0": value})
    kaldi.write_speakers(data, {"u0": "u0"})
    stage.finish(num_in=1, num_out=1)
    Path("empty").mkdir()
    Path("page.html").write_text("<html>404</html>")
    return tmp_path


@pytest.mark.parametrize(("prepare", "line", "status", "message"), MISTAKES)
@pytest.mark.usefixtures("folder")
def test_a_mistake_is_one_line(prepare, line, status, message, capfd):
    prepare()
    try:
        ended = command_line.main(line.split())
    except SystemExit as stopped:
        ended = stopped.code
    text = capfd.readouterr().err
    assert ended == status and message in text, text
    errors = [row for row in text.splitlines() if row.startswith("error: ")]
    assert text.splitlines()[-1:] == errors, text
    assert line.split()[0] in errors[0]


def test_every_number_among_the_options_has_a_range():
    unbounded = [
        f"{command.name} --{name}"
        for command in COMMANDS
        if hasattr(
            module := import_module(f"s2st_interleave.{command.module}"), "Options"
        )
        for name, leaf in leaves(module.Options).items()
        if {int, float}.intersection((leaf.hint, *get_args(leaf.hint)))
        if not str(leaf.bounds)
    ]
    assert unbounded == []


@pytest.mark.parametrize("line", ["--version", "train --version"])
def test_the_version_is_told(line, capsys):
    assert command_line.main(line.split()) == 0
    assert capsys.readouterr().out.startswith(f"s2st_interleave {__version__}")


def test_help_names_types_in_words(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["train", "--help"])
    text = capsys.readouterr().out
    for words in (
        "--lr NUMBER",
        "--seed INTEGER",
        "--train_dir PATH [PATH ...]",
        "--sides TEXT",
    ):
        assert words in text
    assert "TUPLE" not in text and "--max-steps" not in text
    assert "required)" in text and "default none)" in text and "default false)" in text


def test_a_device_that_this_machine_lacks_is_known_before_any_work(folder, capfd):
    import torch

    if torch.cuda.is_available():
        pytest.skip("it has one")
    words = TRAIN.replace("cpu", "cuda:7").split()
    assert command_line.main(words) == 1
    message = capfd.readouterr().err
    assert "--device cuda:7: this machine has 0 GPUs that PyTorch can use" in message


LONGER = TRAIN.replace("--max_steps 1", "--max_steps 2")


@pytest.mark.parametrize("file", ["optimizer.pt", "model.safetensors", "meta.json"])
@pytest.mark.usefixtures("folder")
def test_a_checkpoint_that_broke_is_told_of_and_the_one_before_is_used(file, capfd):
    assert command_line.main(TRAIN.split()) == 0
    path = Path("out/checkpoint-1", file)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # a bit
    path.write_bytes(content)
    assert command_line.main(LONGER.split()) == 0
    said = f"{file} is broken: checkpoint-1 is removed, and training goes on from the s"
    assert said in capfd.readouterr().out
    assert Path("out/checkpoint-2").is_dir()


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("optimizer.pt", "x", "optimizer.pt is broken: remove out/checkpoint-1, and"),
        ("model.safetensors", "x", "model.safetensors is broken: remove out/checkp"),
        ("meta.json", "{}", "meta.json: 'step' is missing; was it edited?"),
        ("../metrics.jsonl", '{"st', "metrics.jsonl:1: not JSON"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_checkpoint_of_an_earlier_version_that_broke_says_how_to_go_on(
    file, text, message, capfd
):
    assert command_line.main(TRAIN.split()) == 0
    Path("out/checkpoint-1/sha256.json").unlink()  # it wrote none
    Path("out/checkpoint-1", file).resolve().write_text(text)
    assert command_line.main(LONGER.split()) == 1
    assert message in capfd.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_missing_package_names_the_extra_that_has_it(monkeypatch, capfd):
    forget_peft(monkeypatch)
    assert command_line.main([*TRAIN.split(), "--lora_rank", "2"]) == 1
    message = capfd.readouterr().err.splitlines()[-1]
    assert (
        "tools/setup.sh" in message and "pip install 's2st_interleave[lora]'" in message
    )


def forget_peft(monkeypatch) -> None:
    """As if it was not installed, whatever other tests of this process have imported."""
    loaded = [name for name in sys.modules if name.partition(".")[0] == "peft"]
    for name in {"peft", *loaded}:
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("lora", "merge"):
        monkeypatch.delitem(sys.modules, f"s2st_interleave.llm.{name}", raising=False)
        monkeypatch.delattr(f"s2st_interleave.llm.{name}", raising=False)


def test_a_module_of_ours_that_is_missing_is_our_fault(monkeypatch):
    name = "s2st_interleave.data.validate"
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError):
        command_line.main(["validate", "--data_dir", "d", "--languages", "es"])
