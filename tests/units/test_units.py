"""Units: a codebook that is a function of its data and seed, and Kaldi files."""

import time
from functools import partial

import kaldiio
import numpy as np
import pytest

from s2st_interleave.files import atomic_write
from s2st_interleave.shards import run_shards
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


def test_what_is_written_does_not_depend_on_the_number_of_jobs(tmp_path):
    ids = [f"u{i}" for i in range(11)]

    def process(part, path):
        with atomic_write(path) as stream:
            stream.writelines(f"{name}\n" for name in part)

    for count in (1, 4):
        folder = tmp_path / str(count)
        assert run_shards(ids, folder, f"0/{count}", count, process) is None
        assert not folder.exists()  # job 0 only opens the directory
        run_shards(ids[::-1], folder, f"{count}/{count}", count, process)
    merged = [
        sorted(
            line
            for path in run_shards(ids, tmp_path / str(count), "", count, process).paths
            for line in path.read_text().splitlines()
        )
        for count in (1, 4)
    ]
    assert merged[0] == merged[1] == sorted(ids)


def test_a_rerun_keeps_the_shards_that_are_whole(tmp_path):
    done = []

    def process(part, path):
        done.append(path.name)
        with atomic_write(path) as stream:
            stream.write("x")

    run_shards(["a", "b"], tmp_path, "1/2", 2, process)
    run_shards(["a", "b"], tmp_path, "", 2, process)
    assert done == ["1of2", "2of2"]
    with pytest.raises(ValueError, match="wants JOB/N"):
        run_shards(["a"], tmp_path, "3/2", 2, process)


def test_the_seconds_of_shards_that_other_processes_made_are_added_up(tmp_path):
    """So the work of a stage counts, however many jobs share it."""

    def process(part, path):
        time.sleep(0.15)
        with atomic_write(path) as stream:
            stream.write("x")

    run = partial(run_shards, ["a", "b", "c"], tmp_path)
    run("1/3", 3, process)
    run("2/3", 3, process)
    seconds = [float((tmp_path / f"{k}of3.sec").read_text()) for k in (1, 2)]
    assert min(seconds) >= 0.1
    assert run("", 3, process).earlier_sec == sum(
        seconds
    )  # not of 3/3, made right here
    (tmp_path / "1of3.sec").unlink()  # as in shards of earlier versions
    assert run("", 3, process).earlier_sec >= seconds[1]
    assert run("", 3, process).earlier_sec < sum(seconds) + 0.15
