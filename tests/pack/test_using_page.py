"""What docs/ and README.md show in Python runs, on a small packed model."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    (page.name, block)
    for page in PAGES
    for block in re.findall(
        r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S
    )
    if "Translator" in block
]


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_a_model_is_used_as_the_page_shows(
    page, block, tiny_model, record, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for folder in re.findall(r'from_pretrained\("([^"]+)"', block):
        Path(folder).parent.mkdir(parents=True, exist_ok=True)
        Path(folder).symlink_to(tiny_model)
    for name in re.findall(r'"(\w*in\w*\.wav)"', block):
        record(Path(name))
    exec(compile(block, page, "exec"), {})
    for name in re.findall(r'\.save\("([^"]+)"', block):
        assert Path(name).stat().st_size > 44  # more than a WAV's header
