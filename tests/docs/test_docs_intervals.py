"""A gain that prose states with its interval is one that a generated page states.

Notes on a grid went stale as its cells came: they gave a difference without loops that the
page beside them no longer had.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MINI = ROOT / "egs/mini_cvss"
NOTES = sorted(MINI.glob("*/notes.md"))
PROSE = [*NOTES, *(ROOT / "docs" / name for name in ("schedules.md", "results.md"))]
NUMBER = r"([+-]?\d+\.\d+)"
# "+1.0 [-1.9, 3.8]", "6.3 points [1.8, 10.8]", and "+0.99 | [-1.85, +3.84]" of a table.
GAIN = re.compile(rf"{NUMBER}(?: points)?[*]*(?:,| \|)?\s\[{NUMBER},\s{NUMBER}\]")


def gains(text: str) -> list[tuple[float, ...]]:
    """Every gain of a text with the ends of its interval, to one digit."""
    found = GAIN.findall(text)
    return [tuple(round(float(number), 1) for number in each) for each in found]


def generated() -> set[tuple[float, ...]]:
    """The gains of all pages of results, without the notes that they hold."""
    stated: set[tuple[float, ...]] = set()
    for page in (ROOT / "egs").glob("**/RESULTS.md"):
        text = page.read_text()
        for notes in NOTES:
            text = text.replace(notes.read_text().strip(), "")
        stated.update(gains(text))
    return stated


@pytest.mark.parametrize(
    "prose", PROSE, ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_a_gain_in_prose_is_one_of_a_page(prose: Path) -> None:
    stated = generated()

    def known(gain: float, low: float, high: float) -> bool:
        # What one system is behind the other is ahead of it.
        turned = (-gain, -high, -low), (-gain, low, high), (gain, -high, -low)
        return any(each in stated for each in ((gain, low, high), *turned))

    assert [gain for gain in gains(prose.read_text()) if not known(*gain)] == []


def test_gains_are_read_from_tables_and_sentences() -> None:
    text = "| x | +0.99 | [-1.86, +3.84] | and **+7.6 [3.5, 11.7]**, by 6.3 points [1.8,\n10.8]"
    wanted = [(1.0, -1.9, 3.8), (7.6, 3.5, 11.7), (6.3, 1.8, 10.8)]
    assert gains(text) == wanted
