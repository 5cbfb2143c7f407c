"""A record, a log and bytes belong to the folder in which the command ran."""

import json
from pathlib import Path

import pytest

from s2st_interleave.status.folders import walk


def record(folder: Path, **paths: object) -> Path:
    folder.mkdir(parents=True)
    text = json.dumps({"stage": "text_llm", "options": {}, "paths": paths})
    (folder / "stage.json").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("folder", "paths"),
    [
        ("exp/exp", {"out_dir": "exp/exp", "llm": "exp"}),
        ("quick/exp/kmeans", {"out_dir": "quick/exp/kmeans", "encoder": "exp"}),
        ("a/a/a", {"out_dir": "a/a/a", "train_dir": ["a", "a/a"]}),
        ("data/data", {"data_dir": "data/data", "tsv": "data"}),
        ("data/b/compare.a", {"data_dir": "b", "system_dir": "data/b"}),
        ("train", {"out_dir": "../egs/train", "data_dir": "train"}),
    ],
)
def test_another_path_of_the_same_name_tells_no_home(tmp_path, folder, paths):
    """The first of a record's paths that ended like its folder was taken for its own."""
    recipe = tmp_path / "egs"
    record(recipe / folder, **paths)
    assert walk(tmp_path).recipes == [recipe]


def test_logs_and_bytes_of_a_quick_run_are_those_of_its_recipe(tmp_path):
    """They were taken for those of a recipe `quick`, and its jobs were not found."""
    folder = record(tmp_path / "quick/exp/kmeans", out_dir="quick/exp/kmeans")
    record(tmp_path / "exp/llm", out_dir="exp/llm")
    log = folder.parent / "log"
    log.mkdir()
    (log / "kmeans.log").write_text("1234")
    found = walk(tmp_path)
    assert found.recipes == [tmp_path] and found.logs[tmp_path] == [log]
    sizes = found.sizes[tmp_path]
    assert {part for part in sizes if sizes[part]} == {
        "quick/exp/kmeans",
        "quick/exp/log",
        "exp/llm",
    }
    assert sizes["quick/exp/log"] == 4


def test_a_folder_that_a_record_does_not_place_is_placed_by_its_name(tmp_path):
    record(tmp_path / "r/exp/moved", out_dir="exp/kmeans", llm="moved")
    record(tmp_path / "r/exp/far", out_dir="/elsewhere/exp/far")
    assert walk(tmp_path).recipes == [tmp_path / "r"]
