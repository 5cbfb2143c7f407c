"""The rehearsal at full size calls the recipe's stages with options that they have."""

import sys
from pathlib import Path

import pytest

from s2st_interleave import config
from s2st_interleave.stages import decode, encoder, score, train, vocoder

TOOLS = Path(__file__).parents[2] / "tools"
COMMANDS = {  # and what each must be given
    "--encoder_args": (encoder, "encoder train_dir dev_dir out_dir"),
    "--train_args": (train, "llm train_dir dev_dir out_dir"),
    "--decode_args": (decode, "train_dir dump_dir out_dir"),
    "--vocoder_args": (
        vocoder,
        "data_dir dev_data_dir units_dir dev_units_dir out_dir",
    ),
    "--score_args": (score, "data_dir train_dir decode_dir vocode_dir task out_dir"),
}


@pytest.fixture
def full_size(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import full_size

    yield full_size
    for name in ("full_size", "full_size_parts"):
        sys.modules.pop(name, None)


def test_every_stage_is_rehearsed(full_size, tmp_path):
    stages = [step.stage for step in full_size.steps(tmp_path, 2)]
    assert sorted(set(stages)) == [*range(1, 10)]


def test_the_overrides_are_options_of_the_stages(full_size, tmp_path):
    seen = set()
    for step in full_size.steps(tmp_path, 2):
        for name, words in zip(step.options[::2], step.options[1::2], strict=True):
            if name not in COMMANDS:
                continue
            seen.add(name)
            module, needed = COMMANDS[name]
            given = [word for each in needed.split() for word in (f"--{each}", "x")]
            config.parse(module.Options, [*given, *words.split()], prog="test")
    assert seen == COMMANDS.keys()


def test_a_stage_that_fails_ends_the_rehearsal_and_names_its_log(
    full_size, tmp_path, monkeypatch, capsys
):
    (tmp_path / "conf").mkdir()
    monkeypatch.setattr(full_size.parts, "__file__", "/dev/null")  # makes nothing
    words = ["--work", str(tmp_path), "--stage", "2", "--stop_stage", "3"]
    assert full_size.main(words) == 1
    output = capsys.readouterr().out.splitlines()
    assert output[1].startswith("2 | encoder, one step | ")
    assert output[2].startswith("stage 2: exit status 1; see ") and len(output) == 3
    assert "Traceback" not in (tmp_path / "2.encoder.log").read_text()
