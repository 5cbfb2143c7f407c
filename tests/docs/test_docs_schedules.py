"""The table of docs/schedules.md, over all grids, is what their pages say."""

import json
from pathlib import Path

import pytest

from s2st_interleave.data.languages import language
from s2st_interleave.replicate.claims import LEVEL
from s2st_interleave.replicate.schedules import MIN_SEEDS

ROOT = Path(__file__).parents[2]
GRIDS = ("schedules", "confirm", "gate")
PAGE = (ROOT / "docs/schedules.md").read_text().splitlines()
HEAD = "| system | tokens |"
LANGUAGES = {language(code).name: code for code in "pt it ca es de fr ru".split()}


def table() -> list[list[str]]:
    """The cells of the table's lines, its names first."""
    start = next(n for n, line in enumerate(PAGE) if line.startswith(HEAD))
    lines = []
    for line in PAGE[start:]:
        if not line.startswith("|"):
            break
        lines.append([cell.strip() for cell in line.strip("|").split("|")])
    return [lines[0], *lines[2:]]


def candidates() -> dict[str, list[dict]]:
    """What each system's candidates of all grids are, by its name."""
    by_system: dict[str, list[dict]] = {}
    for grid in GRIDS:
        results = (ROOT / f"egs/mini_cvss/{grid}/results.json").read_text()
        for each in json.loads(results)["schedules"]:
            by_system.setdefault(each["system"], []).append(each)
    return by_system


def expected(system: str, names: list[str]) -> list[str]:
    """The line of a system, in the order of `names`.

    Its tokens; for each language the gain and the number of seeds, bold where the page
    confirms it; and the lowest end of the gains' intervals, with the language.
    """
    gains, tokens, ends = {}, [], []
    for candidate in candidates()[system]:
        if candidate["tokens"] is not None:
            tokens.append(f"{candidate['tokens']:.2f}")
        for comparison in candidate["comparisons"]:
            gain = comparison["difference"]
            said = f"{gain['delta']:+.1f} ({len(gain['by_seed'])})"
            code = comparison["pair"].partition("_")[0]
            confirmed = (
                comparison["adjusted_p"] < LEVEL and len(gain["by_seed"]) >= MIN_SEEDS
            )
            gains[code] = f"**{said}**" if confirmed else said
            ends.append((gain["ci95"][0], language(code).name))
    languages = (LANGUAGES[name.split()[0]] for name in names[2:-1])
    span = "–".join(sorted({min(tokens), max(tokens)}))
    lowest = "{:+.1f} {}".format(*min(ends))
    return [f"`{system}`", span, *(gains.get(each, "") for each in languages), lowest]


@pytest.mark.parametrize("line", table()[1:], ids=lambda line: line[0])
def test_a_line_of_the_table_is_what_the_pages_of_the_grids_say(line):
    right = expected(line[0].strip("`"), table()[0])
    assert line == right, f"put | {' | '.join(right)} |"


def test_no_line_is_ahead_in_every_pair_as_is_said_above_the_table():
    assert table()[0][-1] == "lowest end"
    several = [line for line in table()[1:] if sum(map(bool, line[2:-1])) > 1]
    assert len(several) > 10 and all(line[-1].startswith("-") for line in several)


def test_each_candidate_that_was_run_has_a_line():
    run = {
        name for name, each in candidates().items() if any(c["tokens"] for c in each)
    }
    assert run == {line[0].strip("`") for line in table()[1:]}
