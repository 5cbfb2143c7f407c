"""Units: a codebook that is a function of its data and seed, and Kaldi files."""

import shutil

import kaldiio
import numpy as np
import pytest
import torch

from s2st_interleave.units import store
from s2st_interleave.units.kmeans import Codebook, fit


def frames(count: int = 400) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((count, 8)).astype(np.float32)


def test_the_nearest_centroid_is_assigned_and_the_codebook_round_trips(tmp_path):
    codebook, _ = fit(frames(), 12, seed=3)
    codebook.save(tmp_path / "k means")
    loaded = Codebook.load(tmp_path / "k means")
    distance = ((frames()[:, None] - loaded.centroids[None]) ** 2).sum(-1)
    assert (loaded.assign(frames()) == distance.argmin(1)).all()
    assert loaded.assign(frames()).dtype == np.int32


def test_units_of_a_batch_on_a_device_are_those_of_each_recording():
    codebook, _ = fit(frames(), 12, seed=3)
    batch = torch.from_numpy(frames()).reshape(4, 100, 8)
    units = codebook.on_device()(batch)
    assert units.dtype == torch.int32
    assert units.flatten().tolist() == codebook.assign(frames()).tolist()


def test_the_same_seed_gives_the_same_codebook():
    (first, _), (second, _) = fit(frames(), 12, seed=3), fit(frames(), 12, seed=3)
    assert np.array_equal(first.centroids, second.centroids)
    assert not np.array_equal(first.centroids, fit(frames(), 12, seed=4)[0].centroids)


def test_fewer_frames_than_units_is_an_error():
    with pytest.raises(ValueError, match="5 frames cannot make 12 units"):
        fit(frames(5), 12, seed=1)


def test_units_are_int32_vectors_that_any_kaldi_tool_reads(tmp_path):
    stem = tmp_path / "it's here" / "units.es"
    units = {"b": np.array([3, 3, 1], np.int64), "a": np.array([], np.int32)}
    store.write_units(stem, units)
    read = dict(kaldiio.load_scp_sequential(f"{stem}.scp"))
    assert list(read) == ["a", "b"] and read["b"].dtype == np.int32
    loaded = store.read_units(stem)
    assert loaded["b"].tolist() == [3, 3, 1] and len(loaded["a"]) == 0


def test_a_copied_folder_reads_its_own_arrays(tmp_path):
    """Copies read the original's archive, also after that had units of another codebook."""
    first, copy = tmp_path / "dump", tmp_path / "copy"
    first.mkdir()
    store.write_units(first / "units.src", {"a": np.array([1, 2])})
    shutil.copytree(first, copy)
    store.write_units(first / "units.src", {"a": np.array([3, 4])})
    assert store.read_units(copy / "units.src")["a"].tolist() == [1, 2]
    shutil.rmtree(first)
    assert store.read_units(copy / "units.src")["a"].tolist() == [1, 2]
