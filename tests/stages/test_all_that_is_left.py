"""Dumps are opened whole, or so many utterances of them."""

import pytest
import tiny_parts

from s2st_interleave.errors import UserError
from s2st_interleave.files import write_json
from s2st_interleave.stages.dumps import open_dumps


def test_all_are_taken_where_some_of_as_many_were_dropped(tmp_path, capsys):
    """A cell with all 8,314 pairs of Spanish ended in an error: 5 were not aligned."""
    folder = tmp_path / "dump"
    folder.mkdir()
    tiny_parts.write_dump(folder)
    count = len(open_dumps([folder], False))
    write_json(folder / "stage.json", {"counts": {"in": count + 2, "out": count}})
    assert len(open_dumps([folder], False, count + 2)) == count
    assert f"all {count} are taken, as of {count + 2} some" in capsys.readouterr().out
    assert len(open_dumps([folder], False, count - 1)) == count - 1
    with pytest.raises(UserError, match=f"{count + 3}: the dumps hold {count}"):
        open_dumps([folder], False, count + 3)
