"""docs/troubleshooting.md quotes messages that the program still has."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", PAGE, re.M)


@cache
def said() -> str:
    """The text of the package, with whole strings and NUL for values, and of the drivers."""
    parts = []
    for path in sorted((ROOT / "s2st_interleave").rglob("*.py")):
        joined = re.sub(r'"\s*\n\s*f?"', "", path.read_text("utf-8"))
        parts.append(re.sub(r"\{[^{}]*\}", "\0", joined))
    parts += [path.read_text("utf-8") for path in sorted((ROOT / "egs").rglob("*.sh"))]
    return "\n".join(parts)


def test_the_page_has_a_row_for_each_of_the_usual_mistakes():
    assert len(ROWS) >= 25
    assert len({message for message, _, _ in ROWS}) == len(ROWS)
    assert all(cause.strip() and remedy.strip() for _, cause, remedy in ROWS)


@pytest.mark.parametrize("message", [message for message, _, _ in ROWS])
def test_a_quoted_message_is_one_of_the_program(message):
    parts = message.removeprefix("...").removesuffix("...").split("...")
    pattern = re.compile("[^\n]*?".join(map(re.escape, parts)))
    assert pattern.search(said()), f"nothing says {message}"
