"""A record of a stage is read whole and typed, or refused in a line that names its file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from s2st_interleave import promises, record_file
from s2st_interleave.config import RunOptions
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json, write_json
from s2st_interleave.stage_dir import open_stage


def finished(folder: Path) -> Path:
    stage = open_stage(folder, stage="units", options=RunOptions(), inputs={})
    assert stage is not None
    (folder / "work").write_text("done")
    stage.finish(num_in=1, num_out=1)
    return folder / "stage.json"


@pytest.mark.parametrize("where", ["../../victim.txt", "/victim.txt", "..", ""])
@pytest.mark.parametrize("table", ["files", "digests"])
def test_overwrite_deleted_any_file_that_a_foreign_record_named(tmp_path, where, table):
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    path = finished(tmp_path / "exp" / "a")
    done = dict(read_json(path))
    name = str(victim) if where[:1] == "/" else where
    value = 1 if table == "files" else "0"
    write_json(path, done | {table: {**done[table], name: value}})
    options = {"options": RunOptions(), "inputs": {}, "overwrite": True}
    with pytest.raises(UserError, match=r"a/stage\.json: .*no stage has written this"):
        open_stage(path.parent, stage="units", **options)
    assert victim.read_text() == "mine"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("files", "a"),
        ("files", {"a": "1"}),
        ("inputs", 7),
        ("counts", {"dropped": 7}),
        ("facts", []),
        ("wall_sec", "long"),
    ],
)
def test_a_record_of_other_types_ended_in_a_traceback(tmp_path, key, value):
    path = finished(tmp_path)
    write_json(path, dict(read_json(path)) | {key: value})
    with pytest.raises(UserError, match=rf"stage\.json: {key}.*was it edited"):
        record_file.read(path)


@pytest.mark.parametrize("text", ["", '{"stage": "un', "[]", '{"files": "a"}'])
def test_a_record_that_was_cut_is_told_by_promises(tmp_path, text):
    path = finished(tmp_path)
    path.write_text(text)
    words = [sys.executable, "-m", promises.__name__, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: promises: {path}: ")


def test_what_earlier_versions_did_not_write_may_be_missing(tmp_path):
    path = tmp_path / "stage.json"
    path.write_text(json.dumps({"stage": "units", "outputs": {"a": "0"}, "new": 1}))
    assert record_file.read(path)["new"] == 1
