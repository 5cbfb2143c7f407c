"""What a version has left in which options of all back-ends lay side by side."""

from dataclasses import asdict
from pathlib import Path

import pytest

pytest.importorskip("pyworld")

from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json, write_json
from s2st_interleave.stage_dir import read_done
from s2st_interleave.stages import vocoder
from s2st_interleave.vocoder import hifigan
from s2st_interleave.vocoder.backends import load

SMALL = {
    "backend": "world",
    "batch_size": 4,
    "lr": 5e-3,
    "save_every": 3,
    "eval_every": 3,
}
SIZES = {
    "embedding_dim": 8,
    "unit_channels": 16,
    "num_unit_blocks": 1,
    "frame_channels": 8,
    "num_frame_blocks": 1,
    "num_cepstra": 10,
    "crop_units": 12,
    "accum_grad": 2,
}


def earlier(folder: Path) -> Path:
    """The same folder as if that version had made it."""
    done = dict(read_json(folder / "stage.json"))
    options = dict(done["options"])
    world = options.pop("world")
    del options["hifigan"]
    flat = asdict(hifigan.Options()) | options | world
    write_json(folder / "stage.json", done | {"options": flat, "fingerprint": "old"})
    return folder


@pytest.fixture(scope="module")
def options(stage_options):
    def make(out: Path, max_steps: int = 6, **more) -> vocoder.VocoderOptions:
        values = SMALL | {"world": SIZES | more, "max_steps": max_steps}
        return stage_options(out, **values)

    return make


@pytest.fixture(scope="module")
def whole(options, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("voices") / "whole"
    vocoder.run(options(out))
    return out


def test_one_that_is_finished_stays_so(whole, options, capsys):
    earlier(whole)
    vocoder.run(options(whole))
    assert "is up to date, skipped" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"option world\.accum_grad: was 2, is 3"):
        vocoder.run(options(whole, accum_grad=3))


def test_one_that_was_begun_goes_on_to_the_same_bits(whole, options, tmp_path):
    vocoder.run(options(tmp_path / "a", max_steps=3))
    earlier(tmp_path / "a")
    vocoder.run(options(tmp_path / "a"))
    name = "model.safetensors"
    assert (tmp_path / "a" / name).read_bytes() == (whole / name).read_bytes()
    assert read_done(tmp_path / "a", "vocoder")["options"]["world"]["accum_grad"] == 2


def test_its_description_is_read(whole, tmp_path):
    """Recorded on git 1a7dff5."""
    names = ("crop_units", "embedding_dim", "unit_channels", "num_unit_blocks")
    names += ("frame_channels", "num_frame_blocks", "dropout", "frame_ms")
    timing = ("num_units", "samples_per_unit", "sample_rate")
    description = read_json(whole / "vocoder.json")
    assert set(description) == {"backend", *timing, *names, "num_cepstra"}
    assert load(whole).samples_per_unit == 640
