"""A page takes the place of an earlier page, and of no other file."""

import subprocess
from pathlib import Path

import pytest

from s2st_interleave.__main__ import main
from s2st_interleave.errors import UserError
from s2st_interleave.files import check_page
from s2st_interleave.report.look import POLICY
from s2st_interleave.show.page import BEGINS, head

RESULTS = (
    "results --title t --src_lang es --systems a --decode_tags b --exp_dir . --out"
)


@pytest.mark.parametrize(
    "command", [["report", "--exp_dir", ".", "--out"], RESULTS.split()]
)
def test_a_page_replaced_a_file_of_its_user(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    Path("thesis").write_text("<!DOCTYPE html>\nmine")
    assert main([*command, "thesis"]) == 1
    assert "thesis is there, and no page that this" in capsys.readouterr().err
    assert Path("thesis").read_text() == "<!DOCTYPE html>\nmine"


def test_pages_that_were_written_may_be_written_again(tmp_path):
    root = Path(__file__).parents[1]
    listed = subprocess.run(
        ["git", "ls-files", "egs/*RESULTS.md"], cwd=root, capture_output=True, text=True
    )
    for name in listed.stdout.split():
        check_page(root / name)
    page = tmp_path / "report.html"
    check_page(page, BEGINS)
    for text in ("", "\n".join(head(POLICY, "title", "style"))):
        page.write_text(text)
        check_page(page, BEGINS)
    with pytest.raises(UserError, match=r"report\.html is there"):
        check_page(page)
