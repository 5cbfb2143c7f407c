"""What `translate` refuses before it loads a model."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from s2st_interleave.pack import translate


@pytest.mark.parametrize(
    ("seconds", "message"),
    [(0.05, "0.05 s is too short"), (31.0, "more than the 30 s of a training")],
)
def test_too_short_and_too_long_are_refused_before_a_model_is_loaded(
    tmp_path, seconds, message
):
    path = tmp_path / "in.wav"
    soundfile.write(path, np.zeros(round(8_000 * seconds)), 8_000)
    options = translate.Options(model=tmp_path / "none", out=tmp_path / "out.wav")
    with pytest.raises(ValueError, match=message):
        translate.run(options, [path])


def test_outputs_never_clash(tmp_path):
    one, two = tmp_path / "a" / "x.wav", tmp_path / "b" / "x.mp3"
    for path in (one, two):
        path.parent.mkdir()
        path.write_bytes(b"")
    options = translate.Options(model=tmp_path, out=tmp_path / "out")
    assert translate.out_paths(options, [one]) == {one: tmp_path / "out" / "x.wav"}
    with pytest.raises(ValueError, match="two recordings have one name"):
        translate.out_paths(options, [one, two])
    single = replace(options, out=tmp_path / "y.wav")
    with pytest.raises(ValueError, match="2 recordings want a folder"):
        translate.out_paths(single, [one, two])
    with pytest.raises(ValueError, match="no such recording"):
        translate.out_paths(single, [tmp_path / "z.wav"])
