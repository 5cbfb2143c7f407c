"""A codebook of more units than there are different frames is refused, and says so."""

from dataclasses import replace

import numpy as np
import pytest
import tones

from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.stages import kmeans
from s2st_interleave.units.kmeans import fit, num_different


def frames(count: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((count, 8)).astype(np.float32)


@pytest.mark.parametrize("different", [1, 5, 11])
def test_repeated_frames_are_too_few(different):
    """One (digital silence), some (one clip again and again), one less than asked for."""
    repeated = np.concatenate([frames(different)] * 40)
    with pytest.raises(
        UserError, match=f"cannot make 12 units: {different} of them are different"
    ):
        fit(repeated, 12, seed=1)


def test_as_many_as_there_are_units_suffice():
    codebook, num_used = fit(np.concatenate([frames(12)] * 40), 12, seed=1)
    assert codebook.num_units == 12 and 1 < num_used <= 12


def test_rows_are_compared_as_numbers():
    zeros = np.zeros((4, 3), np.float32)
    zeros[1] = -0.0
    assert num_different(zeros, 10) == 1
    assert num_different(frames(300), 10) == 10  # no more than enough are counted
    silent_first = np.concatenate([np.zeros((500, 8), np.float32), frames(20)])
    assert num_different(silent_first, 100) == 21


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> kmeans.Options:
    """Of eight recordings of one sentence, and an encoder."""
    root = tmp_path_factory.mktemp("one sentence")
    clip = tones.clips("u", 1)["u00"]
    clips = {f"u{k}": clip for k in range(8)}
    folder = tones.write_data(root, "train", tones.both(clips))
    return kmeans.Options(
        data_dir=(folder,),
        encoder=tones.train_encoder(root / "encoder", folder, folder, max_steps=1),
        out_dir=root / "kmeans",
        layer=4,
        num_units=100,
        device="cpu",
        num_threads=1,
    )


def test_the_stage_refuses_one_recording_again_and_again(options):
    with pytest.raises(UserError, match=r"cannot make 100 units: \d+ of them are diff"):
        kmeans.run(options)
    assert not (options.out_dir / "stage.json").exists()


def test_the_stage_tells_how_many_units_are_used(options):
    few = replace(options, num_units=10, out_dir=options.out_dir / "few")
    kmeans.run(few)
    facts = read_json(few.out_dir / "stage.json")["facts"]
    assert 1 < facts["num_used_units"] <= 10
