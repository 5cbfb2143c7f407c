"""Score files that were edited are told with file and line."""

import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.report.systems import read_rows

HEAD = "id\tasr_bleu\treference\thypothesis\n"


def test_an_empty_cell_is_no_score(tmp_path):
    path = tmp_path / "utterances.tsv"
    path.write_text(f"{HEAD}u1\t\ta b\t\nu2\t5.5\ta b\ta\n")
    rows = read_rows(path, "asr_bleu")
    assert rows["u1"].score is None and rows["u2"].score == 5.5
    assert read_rows(tmp_path / "absent", "asr_bleu") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD}u1\t5.5\ta b\n", ":2: 3 cells, expected 4"),
        (f"{HEAD}u1\thigh\ta\tb\n", ":2: asr_bleu: 'high'"),
        ("id\tchrf\treference\thypothesis\n", ":1: no column 'asr_bleu'"),
    ],
)
def test_a_row_that_is_none_is_named(tmp_path, text, message):
    path = tmp_path / "utterances.tsv"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_rows(path, "asr_bleu")
