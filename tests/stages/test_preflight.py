"""Preflight says in a line each what works and what does not, before anything is trained."""

import json
import re
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from tiny_whisper import tiny_whisper

from s2st_interleave import config
from s2st_interleave.errors import UserError
from s2st_interleave.stages import preflight
from s2st_interleave.stages.preflight import Options

ROOT = Path(__file__).parents[2]
MINI, TASKS = ROOT / "egs/mini_cvss/conf", ROOT / "egs/cvss/conf/tasks"


@pytest.fixture(scope="module")
def whisper(tmp_path_factory) -> Path:
    return tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny")


@pytest.fixture
def conf(tmp_path) -> Path:
    """The miniature's YAMLs, with the recogniser of GPUs, of which there is a tiny one."""
    folder = tmp_path / "conf"
    folder.mkdir()
    for name in ("encoder", "vocoder", "train"):
        shutil.copy(MINI / f"{name}.yaml", folder)
    (folder / "score.yaml").write_text("asr_backend: transformers\n")
    return folder


def tried(capfd, **options) -> tuple[list[str], list[str]]:
    """The lines of what works, and those of what does not."""
    fails = ()
    try:
        preflight.run(Options(**{"device": "cpu"} | options))
    except UserError as error:
        fails = (str(error),)
    lines = capfd.readouterr().out.splitlines()
    ok = [line[6:] for line in lines if line.startswith("ok    ")]
    bad = [line[6:] for line in lines if line.startswith("FAIL  ")]
    assert bool(bad) == bool(fails), "the exit status is 1 where something fails"
    return ok, bad


def names(lines: list[str]) -> list[str]:
    return [line.partition(":")[0] for line in lines]


def test_all_parts_of_a_run_are_tried(capfd, conf, whisper, text_llm, tmp_path):
    ok, bad = tried(
        capfd,
        conf=conf,
        encoder=MINI / "w2v_bert",
        llm=text_llm,
        asr=whisper,
        languages=("es", "en"),
        systems=("baseline",),
        out_dir=tmp_path / "exp",
    )
    assert bad == []
    assert (
        names(ok)
        == "device audio units encoder LLM disk vocoder recogniser BLEU".split()
    )
    assert any("transformers" in line and "tiny" in line for line in ok)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            {"decode_args": "--batch_size 4 --engine vllm"},
            "--engine vllm wants a package: `pip install vllm`",
        ),
        ({"train_args": "--compile true"}, "--compile true wants a g++"),
        (
            {"score_args": "--metrics comet:tgt_text"},
            "metric comet:tgt_text wants a package: `pip install unbabel-comet`",
        ),
    ],
)
def test_what_options_of_the_recipe_ask_for_is_looked_for(
    args, message, capfd, conf, monkeypatch
):
    """`--decode_args "--engine vllm"` failed at stage 7, after all trainings."""
    monkeypatch.setenv("PATH", "/nowhere")  # no g++; vllm and comet are no requirement
    _, (line,) = tried(capfd, conf=conf, **args)
    assert line.startswith("packages: ") and message in line


def test_a_single_option_of_a_stage_is_a_value():
    """The driver's `--train_args "--compile=true"` is one word that begins with dashes."""
    words = ["--train_args=--compile=true", "--decode_args="]
    options = config.parse(Options, words, prog="preflight")
    assert options.of("train", preflight.train.Options) == {"compile": True}
    assert options.of("decode", preflight.decode.Options) == {}


def test_an_option_that_a_stage_does_not_have_is_told_before_any_training(capfd, conf):
    _, bad = tried(capfd, conf=conf, decode_args="--egnine vllm")
    assert bad == [
        "packages: --decode_args: unknown option '--egnine'; did you mean 'engine'?"
    ]


def test_a_text_task_needs_neither_vocoder_nor_recogniser(capfd, tmp_path):
    gone = {"asr": tmp_path / "gone", "languages": ("es", "en")}
    ok, bad = tried(capfd, task=TASKS / "s2tt.yaml", **gone)
    assert bad == [] and "vocoder" not in names(ok)


def broken_encoder(folder: Path) -> Path:
    shutil.copytree(MINI / "w2v_bert", folder)
    (folder / "config.json").write_text('{"model_type": "wav2vec2-bert", "hidden')
    return folder


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"asr": "gone/whisper"}, "recogniser: .*gone/whisper: no such folder"),
        ({"asr": "tiny", "languages": ("cy",)}, "recogniser: .* does not know 'cy'"),
        ({"encoder": "broken"}, "encoder: .*config.json: not JSON"),
        ({"encoder": "gone"}, "encoder: .*gone is missing"),
        ({"llm": "gone"}, "LLM: .*gone is missing"),
        ({"utmos": "gone"}, "speech quality: .*gone: no such file; get it from"),
        ({"device": "cuda"}, "device: .*0 GPUs that PyTorch can use"),
    ],
)
def test_what_is_broken_is_told_in_a_line(
    capfd, conf, whisper, tmp_path, options, line, monkeypatch
):
    if "device" in options and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    broken_encoder(tmp_path / "broken")
    local = {k: tmp_path / v for k, v in options.items() if v in ("broken", "gone")}
    if options.get("asr") == "tiny":
        local["asr"] = whisper
    given = {"conf": conf, "languages": ("es", "en")} | options | local
    _, (only,) = tried(capfd, **given)
    assert re.search(line, only)


def test_a_disk_that_is_full_is_told(capfd, text_llm, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 0))
    _, bad = tried(capfd, llm=text_llm, systems=("a", "b"), out_dir=tmp_path / "exp")
    assert names(bad) == ["disk"] and "0 B free" in bad[0]


def test_options_are_read_as_a_recipe_gives_them():
    words = ["--languages", "es en", "--systems", "a b", "--utmos", "", "--asr", "x"]
    options = config.parse(Options, words, prog="preflight")
    assert options.languages == ("es", "en") and options.utmos is None


def test_networks_that_cannot_learn_here_are_told_before_stage_2(
    capfd, conf, text_llm, tmp_path
):
    """LLM and vocoder were only looked at: what their layers want showed after days."""
    odd = tmp_path / "an llm of odd heads"
    shutil.copytree(text_llm, odd)
    known = json.loads((odd / "config.json").read_text())
    (odd / "config.json").write_text(json.dumps(known | {"hidden_act": "no such"}))
    (conf / "vocoder.yaml").write_text("hifigan: {channels: 32, crop_units: 0}\n")
    ok, bad = tried(capfd, conf=conf, llm=odd)
    assert names(bad) == ["LLM", "vocoder"], (ok, bad)
    sizes = "channels: 32, discriminator_channels: 16, period_channels: 4, "
    sizes += "max_discriminator_channels: 16"
    (conf / "vocoder.yaml").write_text(f"hifigan: {{{sizes}}}\n")
    ok, bad = tried(capfd, conf=conf, llm=text_llm)
    assert bad == [] and "vocoder" in names(ok)
