"""Commands' options from words and files, and what is said where they are refused."""

from pathlib import Path
from typing import Any

import pytest

from s2st_interleave import config


def parse(cls: type, *words: object) -> Any:
    return config.parse(cls, [str(word) for word in words], prog="test")


def refused(capsys, cls: type, *words: object) -> str:
    with pytest.raises(SystemExit) as stopped:
        parse(cls, *words)
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("error: test: ")
    return said


def written(tmp_path: Path, text: str, name: str = "conf.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path
