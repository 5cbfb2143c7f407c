"""Paths that a stage wrote are its recipe's, wherever they are read."""

import shutil
from pathlib import Path

import pytest

from s2st_interleave import promises
from s2st_interleave.data.kaldi import write_table
from s2st_interleave.recipe_paths import beside, resolve
from s2st_interleave.score.answers import spoken


@pytest.fixture
def recipes(tmp_path, monkeypatch) -> Path:
    """Two recipes with the same names in them; the first is the current directory."""
    for name in ("first", "second"):
        folder = tmp_path / name / "dump" / "train"
        folder.mkdir(parents=True)
        (folder / "wav.1.ark").touch()
    monkeypatch.chdir(tmp_path / "first")
    return tmp_path


def test_another_recipe_has_its_own(recipes):
    for source in ("exp/scheduled/config.yaml", "exp/cells/a/b/config.yaml", "data"):
        there = resolve("dump/train", recipes / "second" / source)
        assert there == recipes / "second" / "dump" / "train"
    archive = resolve("dump/train/wav.1.ark:12", Path("../second/data/test"))
    assert archive.is_relative_to(recipes) and "second" in archive.parts
    assert archive.name == "wav.1.ark:12"


def test_what_is_gone_is_not_taken_from_the_current_directory(recipes):
    (recipes / "second" / "dump" / "train" / "wav.1.ark").unlink()
    there = resolve("dump/train/wav.1.ark", recipes / "second" / "exp")
    assert there == recipes / "second" / "dump" / "train" / "wav.1.ark"


def test_of_the_current_recipe_they_stay_as_they_are(recipes):
    assert resolve("dump/train", Path("exp/scheduled")) == Path("dump/train")


def test_the_current_directory_serves_experiments_that_lie_elsewhere(recipes, tmp_path):
    elsewhere = tmp_path / "scratch" / "exp" / "config.yaml"
    assert resolve("dump/train", elsewhere) == Path("dump/train")
    whole = recipes / "second" / "dump"
    assert resolve(whole, elsewhere) == whole


def test_a_copied_system_speaks_with_its_own_recordings(tmp_path):
    """A copy was scored by the original's recordings, and was broken where those had gone."""
    first, copy = tmp_path / "vocode", tmp_path / "copy"
    (first / "wav").mkdir(parents=True)
    (first / "wav" / "a.wav").write_bytes(b"four")
    write_table(first / "wav.scp", {"a": str(first / "wav" / "a.wav")})
    shutil.copytree(first, copy)
    (first / "wav" / "a.wav").write_bytes(b"others")
    assert spoken(copy) == {"a": copy / "wav" / "a.wav"}
    assert promises.audio_bytes(copy) == 4


def test_a_file_that_is_not_beside_its_table_lies_where_the_table_says(tmp_path):
    assert beside("dump/units.ark", tmp_path / "units.scp") == Path("dump/units.ark")
