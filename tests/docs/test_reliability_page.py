"""docs/reliability.md says what tests/reliability and its last run say."""

import ast
import json
from pathlib import Path

import pytest
import reliability_page

ROOT = Path(__file__).resolve().parents[2]
KILLS = {"kills": 104, "different": 0}
PAGES = {
    "kills": {
        "promises": [
            {"promise": "It ends.", "name": "kills", "command": "tools/faults.sh -k k"}
        ],
        "defects": [{"defect": "It hung.", "test": "tests/x.py::test_end"}],
        "limits": ["Nothing on the moon."],
    }
}


def test_the_page_is_the_one_that_its_program_writes():
    counts = json.loads(reliability_page.COUNTS.read_text())
    page = reliability_page.page(reliability_page.subjects(), counts)
    assert reliability_page.PAGE.read_text() == page


def test_each_defect_names_a_test_that_there_is():
    for subject in reliability_page.subjects().values():
        for defect in subject.get("defects") or []:
            path, name = defect["test"].split("::")
            tree = ast.parse((ROOT / path).read_text())
            names = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
            assert name.split("[")[0] in names, defect


def test_a_promise_is_shown_with_what_its_last_run_counted(tmp_path):
    (tmp_path / "kills.json").write_text(json.dumps(KILLS))
    counts = reliability_page.keep(tmp_path, {"old": {"date": "d", "git": "g"}}, "abc")
    page = reliability_page.page(PAGES, counts)
    assert "| It ends. | `tools/faults.sh -k k` | kills 104, different 0 (" in page
    assert "git abc)" in page and list(counts) == ["kills", "old"]
    assert "not run yet" in reliability_page.page(PAGES, {})


def test_a_table_that_was_counted_is_shown_as_one():
    table = [["stage", "workers"], ["6", "same bits"]]
    counts = {"matrix": {"date": "d", "git": "g", "table": table}}
    assert "| stage | workers |\n| --- | --- |\n| 6 | same bits |" in (
        reliability_page.page(PAGES, counts)
    )


def test_a_key_that_no_subject_has_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(reliability_page, "SUBJECTS", tmp_path)
    (tmp_path / "kills.yaml").write_text("promisses: []")
    with pytest.raises(ValueError, match="promisses"):
        reliability_page.subjects()
