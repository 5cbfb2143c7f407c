"""The page of schedules: a verdict needs every pair, and a reference of as many steps."""

import json
import re
import shutil

import pytest
from test_page import RECIPE, REFERENCES, bleu, make_page, recipe_copy, stored

from s2st_interleave.files import write_json
from s2st_interleave.replicate.__main__ import main
from s2st_interleave.replicate.grid_file import load
from s2st_interleave.replicate.schedules import corrected, reference

GRID = """
version: 1
recipe: ../replication.yaml
page: ..
command: egs/mini_cvss/paper.sh --grid schedules
apart: [schedules]
pairs: [es_en, pt_en]
groups:
  - table: schedules
    pairs: all
    systems: [scheduled, tgt_early, fixed_mix, src_early]
    seeds: [4, 5, 6]
"""


@pytest.fixture
def path(tmp_path):
    folder = recipe_copy(tmp_path)
    path = folder / "schedules" / "grid.yaml"
    path.parent.mkdir()
    path.write_text(GRID)
    grid = load(path)
    for pair in grid.pairs:
        kept = {"score": {}, "cascade_asr_bleu": 80.0, "references": REFERENCES}
        identity = {"identity": grid.topline_identity(pair)}
        write_json(grid.topline_place(pair), kept | identity)
    return path


def keep(grid, shares: dict[tuple[str, str], float]) -> None:
    """Store a cell with this share of right words for each (pair, system)."""
    for cell in grid.cells:
        if share := shares.get((cell.pair, cell.system)):
            result = stored(cell, grid.identity(cell), share)
            result["train"]["tokens_seen"] = 1100 if "early" in cell.system else 1000
            if cell.system == "tgt_early":  # earlier cells do not say it
                result["curve"]["dev_loss_text"] = [0.9, 0.25]
            write_json(grid.place(cell), result)


def test_a_schedule_is_better_where_it_is_so_in_every_pair(path):
    keep(
        load(path),
        {
            ("es_en", "scheduled"): 0.6,
            ("pt_en", "scheduled"): 0.6,
            ("es_en", "tgt_early"): 0.95,
            ("pt_en", "tgt_early"): 0.95,
            ("es_en", "fixed_mix"): 0.95,
            ("pt_en", "fixed_mix"): 0.3,
            ("es_en", "src_early"): 0.8,
        },
    )
    page = make_page(path)
    assert "every pair of the grid (es_en, pt_en): tgt_early." in page
    assert (
        "Worse in some pair: fixed_mix. Ahead by fewer than three seeds, which" in page
    )
    assert "Pairs of a system without a comparison: 1." in page
    assert "| `tgt_early` | side_every: tgt=34 | 1.10 | **+" in page
    assert "| **better** |" in page
    assert "Do the paper's claims hold" not in page
    lines = page.splitlines()
    assert sum(line.endswith("| 0.250 | n/a |") for line in lines) == 2
    assert sum(line.endswith("| n/a | n/a |") for line in lines) == 5
    verdicts = {
        each["system"]: each["verdict"]
        for each in json.loads((path.parents[1] / "results.json").read_text())[
            "schedules"
        ]
    }
    assert verdicts == {
        "tgt_early": "better",
        "fixed_mix": "worse",
        "src_early": "not decided",
    }
    figure = (path.parent / "schedules.svg").read_text()
    names = re.findall(">(fixed_mix|src_early|tgt_early)</text>", figure)
    assert names == ["fixed_mix", "src_early", "tgt_early"]  # upwards, by their mean
    assert ">Spanish</text>" in figure and ">Portuguese</text>" in figure


def test_a_row_of_the_figure_has_its_room_however_many_there_are(path):
    """The names of fifteen rows ran into each other."""

    def height(*systems: str) -> float:
        grid = load(path)
        keep(grid, {("es_en", s): 0.6 for s in ("scheduled", *systems)})
        make_page(path)
        figure = (path.parent / "schedules.svg").read_text()
        return float(re.search(r'<svg [^>]*height="([\d.]+)pt"', figure)[1])

    one, three = height("tgt_early"), height("tgt_early", "fixed_mix", "src_early")
    assert three - one > 2 * 12  # points, for letters of ten


def test_a_schedule_may_be_better_in_the_mean_of_the_pairs_alone(path):
    keep(
        load(path),
        {
            ("es_en", "scheduled"): 0.6,
            ("pt_en", "scheduled"): 0.6,
            ("es_en", "tgt_early"): 0.95,
            ("pt_en", "tgt_early"): 0.6,
            ("es_en", "src_early"): 0.6,
            ("pt_en", "src_early"): 0.6,
        },
    )
    page = make_page(path)
    assert "pt_en): none. Only in the mean of the pairs: tgt_early." in page
    assert "| **better on average** |" in page
    (line,) = (x for x in page.splitlines() if x.startswith("| `src_early`"))
    assert "| **not decided** |" in line
    assert line.endswith("| not decided |")


def test_a_mean_rests_on_the_seeds_that_all_pairs_have(path):
    """Three seeds of each pair, of which they share one, hid that the mean has one."""
    systems = "systems: [scheduled, tgt_early], table: schedules"
    head = GRID.partition("groups:")[0]
    seeds = {"es_en": [4, 5, 6], "pt_en": [4, 7, 8]}
    groups = [
        f"  - {{pairs: [{pair}], seeds: {s}, {systems}}}\n" for pair, s in seeds.items()
    ]
    path.write_text(f"{head}groups:\n{''.join(groups)}")
    shares = {(pair, "scheduled"): 0.6 for pair in seeds}
    keep(
        load(path), shares | {("es_en", "tgt_early"): 0.95, ("pt_en", "tgt_early"): 0.6}
    )
    page = make_page(path)
    assert "| **better on average**" not in page
    assert "tgt_early (es_en 3)" in page


@pytest.mark.parametrize(
    ("seeds", "remark"), [([4], "one seed"), ([4, 5], "two seeds")]
)
def test_fewer_than_three_seeds_decide_nothing_and_are_a_lead(path, seeds, remark):
    """Among systems that are alike one was "better" by one seed on a page out of five.

    Two seeds that agree by chance had 9,362 degrees of freedom.
    """
    path.write_text(path.read_text().replace("seeds: [4, 5, 6]", f"seeds: {seeds}"))
    shares = {(pair, "scheduled"): 0.6 for pair in ("es_en", "pt_en")}
    keep(
        load(path),
        shares
        | {(pair, "tgt_early"): 0.95 for pair in ("es_en", "pt_en")}
        | {(pair, "fixed_mix"): 0.1 for pair in ("es_en", "pt_en")},
    )
    page = make_page(path)
    assert "in every pair of the grid (es_en, pt_en): none." in page
    assert "Worse in some pair: none." in page
    leads = f"tgt_early (es_en {len(seeds)}, pt_en {len(seeds)})"
    assert f"which decides nothing: {leads}." in page
    for system in ("tgt_early", "fixed_mix"):
        (line,) = (x for x in page.splitlines() if x.startswith(f"| `{system}`"))
        assert f"**not decided** ({remark})" in line and "| **+" not in line


def test_one_seed_takes_no_rank_from_a_test_that_decides():
    """Ten leads of one seed let a fourth test of three seeds pass at twice the level."""
    leads = {f"lead {n}": 1e-6 for n in range(10)}
    seeds = dict.fromkeys(leads, 1) | {"a": 3, "b": 3}
    adjusted = corrected(leads | {"a": 0.004, "b": 0.5, "left": 1.0}, seeds)
    assert adjusted["a"] == pytest.approx(13 * 0.004)
    assert adjusted["b"] == 1.0
    assert adjusted["lead 0"] == pytest.approx(13 * 1e-6)
    assert corrected({"a": 0.02, "b": 0.03}, {"a": 3, "b": 3}) == {"a": 0.04, "b": 0.04}


def test_a_schedule_is_shown_beside_the_baseline_too(path):
    """That the short ramp is ahead of no text was read off two means."""
    path.write_text(GRID.replace("fixed_mix, src_early", "baseline"))
    shares = {
        (pair, s): 0.6 for pair in ("es_en", "pt_en") for s in ("scheduled", "baseline")
    }
    keep(load(path), shares | {("es_en", "tgt_early"): 0.95})
    page = make_page(path).partition("## Does a schedule pay at all?")[2]
    rows = [line for line in page.partition("## ")[0].splitlines() if "_en |" in line]
    names = [row.split(" | ")[:3] for row in rows]
    assert names == [
        ["| es_en", "scheduled", "baseline"],
        ["| es_en", "tgt_early", "baseline"],
        ["| pt_en", "scheduled", "baseline"],
    ]
    gains = [float(row.split(" | ")[5]) for row in rows]
    assert gains[1] > 30 > abs(gains[0])


def test_a_mean_is_one_of_all_pairs(path):
    """A system that the grid has for one pair alone had that pair's gain as its mean."""
    path.write_text(
        GRID.replace("[scheduled, tgt_early, fixed_mix, src_early]", "[scheduled]")
        + "  - {table: schedules, pairs: [es_en], systems: [tgt_early], seeds: [4, 5, 6]}\n"
    )
    shares = {(pair, "scheduled"): 0.6 for pair in ("es_en", "pt_en")}
    keep(load(path), shares | {("es_en", "tgt_early"): 0.95})
    page = make_page(path)
    (line,) = (x for x in page.splitlines() if x.startswith("| `tgt_early`"))
    assert "(3)** | n/a | n/a | **not decided** | n/a | not decided |" in line


def test_seeds_of_two_builds_are_told_apart(path):
    """A mean over two encoders stood beside one of a single encoder."""
    grid = load(path)
    keep(
        grid,
        {(pair, s): 0.6 for pair in grid.pairs for s in ("scheduled", "tgt_early")},
    )
    for cell in grid.cells:
        if (cell.pair, cell.seed) == ("es_en", 5) and grid.place(cell).exists():
            kept = json.loads(grid.place(cell).read_text())
            write_json(grid.place(cell), kept | {"build": "yyyyyyyyy"})
    page = make_page(path)
    assert "| **not decided** (seeds of several builds) |" in page
    assert "| es_en | tgt_early | scheduled | same, 2 of them |" in page
    for build in ("x", "yyyyyyyy"):
        assert f"| es_en | scheduled | {build} |" in page
    assert page.count("| pt_en | scheduled |") == 1


def test_one_pair_of_two_is_not_every_pair(path):
    """A candidate that the grid has for one pair alone was better in every pair."""
    systems = "seeds: [4, 5, 6], table: schedules"
    head = GRID.partition("groups:")[0]
    path.write_text(
        f"{head}groups:\n"
        f"  - {{pairs: all, systems: [scheduled], {systems}}}\n"
        f"  - {{pairs: [es_en], systems: [tgt_early], {systems}}}\n"
    )
    keep(load(path), {("es_en", "scheduled"): 0.6, ("es_en", "tgt_early"): 0.95})
    page = make_page(path)
    assert "in every pair of the grid (es_en, pt_en): none." in page
    assert (
        "Only in some pairs, with their number of seeds: tgt_early (es_en 3)." in page
    )
    (line,) = (x for x in page.splitlines() if x.startswith("| `tgt_early`"))
    assert line.count("| **+") == 1
    assert "Pairs of a system without a comparison: 1." in page


def test_worse_rests_on_the_seeds_of_the_pair_that_says_so(path):
    """Three seeds of a pair decided it, and the page said one, which the other has."""
    systems = "systems: [scheduled, tgt_early], table: schedules"
    head = GRID.partition("groups:")[0]
    groups = [
        f"  - {{pairs: [{pair}], seeds: {seeds}, {systems}}}\n"
        for pair, seeds in (("es_en", [4, 5, 6]), ("pt_en", [4]))
    ]
    path.write_text(f"{head}groups:\n{''.join(groups)}")
    shares = {(pair, "scheduled"): 0.95 for pair in ("es_en", "pt_en")}
    keep(
        load(path),
        shares | {("es_en", "tgt_early"): 0.3, ("pt_en", "tgt_early"): 0.95},
    )
    assert "Worse in some pair: tgt_early." in make_page(path)


def hear_a_loop(grid, system: str) -> None:
    """In a sentence of each Spanish cell of a system the recogniser hears one word for ever."""
    for cell in grid.cells:
        if (cell.pair, cell.system) == ("es_en", system):
            result = json.loads(grid.place(cell).read_text())
            score = result["scores"]["last"]
            score["hyp"][min(score["hyp"])] = "expensive " * 300
            score["asr_bleu"] = bleu(score["hyp"])
            write_json(grid.place(cell), result)


def test_a_loop_of_the_recogniser_is_shown_for_what_it_costs(path):
    """A sentence of 223 words took the lead from a schedule, and the page did not say so."""
    grid = load(path)
    keep(
        grid,
        {
            (pair, system): share
            for pair in grid.pairs
            for system, share in (("scheduled", 0.6), ("tgt_early", 0.95))
        },
    )
    hear_a_loop(grid, "tgt_early")
    page = make_page(path)
    row, compared = (
        next(x for x in page.splitlines() if x.startswith(start))
        for start in ("| `tgt_early`", "| es_en | tgt_early")
    )
    mean = float(row.split(" | ")[-2].split()[0])
    assert row.endswith("| better |") and mean > 10 and "**not decided**" in row
    with_it, without = compared.split(" | ")[5], compared.split(" | ")[9]
    assert float(with_it) < 10 < float(without.split()[0])


def test_a_loop_of_another_system_or_pair_changed_what_is_without_loops(path):
    """Verdicts turned by sentences that none of the systems compared had as a loop."""
    grid = load(path)
    systems = ("scheduled", "tgt_early", "fixed_mix")
    keep(grid, {(pair, s): 0.6 + len(s) / 50 for pair in grid.pairs for s in systems})
    hear_a_loop(grid, "fixed_mix")
    rows = [line.split(" | ") for line in make_page(path).splitlines()]
    compared = {
        (row[0][2:], row[1]): (row[5], row[9].split()[0])
        for row in rows
        if row[0] in ("| es_en", "| pt_en") and len(row) == 11
    }
    looped = compared.pop(("es_en", "fixed_mix"))
    assert float(looped[0]) != float(looped[1])
    assert len(compared) == 3
    assert all(float(with_it) == float(not_) for with_it, not_ in compared.values())


def test_without_any_cell_nothing_is_decided(path):
    page = make_page(path)
    assert "grid (none has a comparison yet): none. Only in the mean" in page
    assert "number of seeds: none. Worse in some pair: none." in page
    assert "Pairs of a system without a comparison: 6." in page
    assert (
        "| `tgt_early` | side_every: tgt=34 | n/a | n/a | n/a | n/a | not run | n/a | not run |"
        in page
    )


def test_what_was_never_run_is_not_called_undecided(path):
    """Nine systems without a cell stood as "not decided", as if they had been compared."""
    shares = {("es_en", s): 0.6 for s in ("scheduled", "tgt_early")}
    keep(load(path), shares)
    lines = make_page(path).splitlines()
    verdicts = {
        system: next(x for x in lines if x.startswith(f"| `{system}`")).split(" | ")[6]
        for system in ("tgt_early", "src_early")
    }
    assert verdicts == {"tgt_early": "**not decided**", "src_early": "not run"}


def test_more_steps_are_compared_with_as_many_of_the_papers():
    assert reference("tgt_early") == "scheduled"
    assert reference("tgt_early_steps") == "scheduled_steps"
    assert reference("tgt_early_steps_x4") == "scheduled_steps_x4"
    assert reference("scheduled_steps") == "scheduled_steps"


def test_a_candidate_wants_its_reference_in_the_grid(path, capsys):
    """What could never be decided "may yet be decided"."""
    text = path.read_text()
    path.write_text(text.replace("tgt_early", "tgt_early_steps"))
    assert main(["--grid", str(path), "page"]) == 1
    told = capsys.readouterr().err
    assert (
        "tgt_early_steps.s4 is compared with" in told and "scheduled_steps.s4" in told
    )


def test_the_grid_of_the_recipe_is_one_of_schedules(tmp_path):
    folder = recipe_copy(tmp_path, "schedules")
    assert load(folder / "schedules" / "grid.yaml").is_of_schedules
    shutil.copytree(RECIPE / "quick", folder / "quick")
    assert not load(folder / "quick" / "grid.yaml").is_of_schedules


def test_a_pair_without_a_comparison_has_no_panel(path, tmp_path):
    """Three empty panels stood before the two that had something to show."""

    def panels() -> int:
        make_page(path)
        (figure,) = tmp_path.rglob("schedules.svg")
        return figure.read_text().count('id="axes_')

    grid = load(path)
    assert panels() == 1
    keep(grid, {("es_en", "scheduled"): 0.6, ("es_en", "tgt_early"): 0.7})
    assert panels() == 1
    keep(grid, {("pt_en", "scheduled"): 0.6, ("pt_en", "tgt_early"): 0.7})
    assert panels() == 2
