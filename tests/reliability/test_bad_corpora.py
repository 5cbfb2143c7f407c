"""What users' files hold wrongly ends in a line that names it, or in the meaning it has."""

from pathlib import Path

import aligned_table
import archive_table
import array_table
import json_table
import kaldi_table
import media_table
import model_table
import pack_table
import pytest
import text_table
import unit_table
import yaml_table
from cases import Reader, Reads, write
from fences import outcome

TABLES = (
    *(text_table, kaldi_table, json_table, yaml_table, aligned_table, unit_table),
    *(array_table, media_table, archive_table, model_table, pack_table),
)
READERS: dict[str, Reader] = {
    k: v for table in TABLES for k, v in table.READERS.items()
}
CASES = [(name, row) for name, reader in READERS.items() for row in reader.rows]


@pytest.mark.parametrize(
    ("name", "row"), CASES, ids=[f"{k}: {row[0]}" for k, row in CASES]
)
def test_a_bad_input_is_told_in_a_line_or_read_as_it_is_meant(
    name, row, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    reader, (_, content, expected) = READERS[name], row
    write(content, reader.name)
    value, line = outcome(lambda: reader.read(Path(reader.name)))
    if isinstance(expected, Reads):
        assert line == "" and value == expected.value
    else:
        assert expected in line and "\n" not in line


def test_the_tables_have_enough_rows(count):
    numbers = {name: len(reader.rows) for name, reader in READERS.items()}
    table = [["reader", "malformed inputs"], *([k, str(v)] for k, v in numbers.items())]
    count("corpora", inputs=len(CASES), readers=len(numbers), table=table)
    assert len(CASES) >= 350 and min(numbers.values()) >= 3
