"""What the audit reads of a directory, without any stage."""

from pathlib import Path

import numpy as np
import pytest

from s2st_interleave.audit import command
from s2st_interleave.audit.contents import vectors
from s2st_interleave.audit.finding import Audited, Finding, merged
from s2st_interleave.audit.ids import agree
from s2st_interleave.status.folders import Record
from s2st_interleave.units import store


def audited(folder: Path, num_out: int) -> Audited:
    content = {"stage": "units", "counts": {"in": 3, "out": num_out, "dropped": {}}}
    return Audited(Record(folder, True, content, folder))


def test_places_and_lengths_of_an_archive_are_read_without_its_units(tmp_path):
    units = {"a": np.arange(3), "b": np.arange(0), "cc": np.arange(7)}
    store.write_units(tmp_path / "units.src", units)
    found = vectors(tmp_path / "units.src.ark")
    assert [(name, length) for name, _, length in found] == [
        ("a", 3),
        ("b", 0),
        ("cc", 7),
    ]
    scp = (tmp_path / "units.src.scp").read_text().split("\n")
    assert [line.rpartition(":")[2] for line in scp[:3]] == [
        str(p) for _, p, _ in found
    ]


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_an_archive_that_is_cut_is_an_error(tmp_path, cut):
    store.write_units(tmp_path / "units.src", {"a": np.arange(3), "b": np.arange(7)})
    path = tmp_path / "units.src.ark"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(
        ValueError, match=r"cut off|no vector|subsection not found|unpack"
    ):
        vectors(path)


def test_most_files_are_right_and_the_record_decides_where_as_many_differ(tmp_path):
    files = {"one": {"a", "b"}, "two": {"a", "b"}, "three": {"a", "c"}}
    known = audited(tmp_path, 2)
    assert agree(known, files) == {"a", "b"}
    assert [each.path.rpartition("/")[2] for each in merged(known.findings)] == [
        "three"
    ]
    known = audited(tmp_path, 2)
    assert agree(known, {"one": {"a"}, "two": {"a", "b"}}) == {"a", "b"}
    known = audited(tmp_path, 3)
    agree(known, {"one": {"a", "b"}})
    assert "3 utterances came out, 2 are here" in known.findings[0].wrong


def test_a_path_has_one_line_however_much_is_wrong_with_it():
    findings = [
        Finding("x", "cut", "mend"),
        Finding("x", "old", "leave"),
        Finding("a", "b", "c"),
    ]
    assert [str(each) for each in merged(findings)] == ["a: b: c", "x: cut; old: mend"]


def test_what_was_not_chosen_is_said_in_the_table(tmp_path):
    """800 in, 200 out and 0 dropped was 'ok' below a heading that nothing is lost."""
    content = {"stage": "kmeans", "counts": {"in": 800, "out": 200, "dropped": {}}}
    chosen = Audited(Record(tmp_path, True, content, tmp_path))
    assert "600 not chosen" in command.render(command.Audit([chosen], [], 0.1))
