"""Curves for TensorBoard say what metrics.jsonl says, also of a run that was resumed."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_loop import OPTIONS, Pair

from s2st_interleave.errors import missing_package
from s2st_interleave.files import read_json_lines
from s2st_interleave.interop.export_tensorboard import main, read_metrics, read_speech
from s2st_interleave.train.curves import FOLDER, scalars
from s2st_interleave.train.loop import fit


def curves(directory: Path) -> dict[str, list[tuple[int, float, float]]]:
    """(step, seconds, value) of each scalar, in all files below the directory."""
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    events = reader.EventAccumulator(str(directory / FOLDER))
    events.Reload()
    return {
        name: [(e.step, e.wall_time, e.value) for e in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


def expected(directory: Path) -> dict[str, list[tuple[int, float, float]]]:
    points: dict[str, list[tuple[int, float, float]]] = {}
    for line in read_json_lines(directory / "metrics.jsonl"):
        for name, value in scalars(line).items():
            point = (line["step"] + 1, line["sec"], pytest.approx(value))
            points.setdefault(name, []).append(point)
    return points


def options(**more):
    from dataclasses import replace

    return replace(OPTIONS, report_to=("tensorboard",), **more)


def test_a_run_that_goes_on_has_each_point_once(tmp_path):
    pytest.importorskip("tensorboard")
    fit(Pair(), options(max_steps=4), tmp_path)
    fit(Pair(), options(max_steps=7), tmp_path)
    seen = curves(tmp_path)
    assert seen == expected(tmp_path)
    assert [step for step, _, _ in seen["train/first"]] == [1, 2, 3, 4, 5, 6, 7]
    assert "dev/loss" in seen


def test_a_training_that_is_over_is_exported(tmp_path, capsys):
    pytest.importorskip("tensorboard")
    fit(Pair(), OPTIONS, tmp_path)
    assert main([str(tmp_path)]) == 0 and main([str(tmp_path)]) == 0
    assert "7 lines of metrics.jsonl" in capsys.readouterr().out
    assert curves(tmp_path) == expected(tmp_path)
    with pytest.raises(ValueError, match=r"stage 6 \(train\) writes it"):
        main([str(tmp_path / "nothing")])


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_missing_package_is_named_with_its_extra(name):
    error = ModuleNotFoundError(f"No module named '{name}'", name=name)
    assert f"pip install 's2st_interleave[{name}]'" in missing_package(error)


def test_without_curves_nothing_is_written_and_results_are_the_same(tmp_path):
    fit(Pair(), OPTIONS, tmp_path)
    assert not (tmp_path / FOLDER).exists()


@pytest.mark.parametrize("line", ['{"step": null, "sec": 1}', '{"step": "x"}', "{}"])
def test_a_line_without_a_step_is_named(tmp_path, line):
    path = tmp_path / "metrics.jsonl"
    path.write_text(f'{{"step": 0, "sec": 0.5}}\n{line}\n')
    with pytest.raises(ValueError, match=r"metrics\.jsonl:2: no whole `step`"):
        read_metrics(tmp_path)


def test_speech_to_hear_is_mono_and_named_where_it_is_damaged(tmp_path):
    path, table = tmp_path / "e.wav", tmp_path / "wav.scp"
    soundfile.write(path, np.full((160, 2), [0.5, 0.25]), 16_000)
    samples, rate = read_speech(path, table)
    assert samples.shape == (160,) and rate == 16_000
    assert samples == pytest.approx(0.375, abs=1e-3)
    path.write_bytes(b"RIFFxxxx")
    with pytest.raises(ValueError, match=r"e\.wav: cannot be read as audio .*wav\.scp"):
        read_speech(path, table)
