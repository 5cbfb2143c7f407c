"""The page is made from stored scores alone, and says so when some are missing."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from s2st_interleave.data.languages import language
from s2st_interleave.errors import UserError
from s2st_interleave.files import write_json
from s2st_interleave.replicate.__main__ import main
from s2st_interleave.replicate.cell import PROBES
from s2st_interleave.replicate.grid_file import load
from s2st_interleave.score.metrics.bleu import bleu_counts, bleu_of
from s2st_interleave.score.normalize import Normalizer

RECIPE = Path(__file__).resolve().parents[2] / "egs" / "mini_cvss"
REFERENCES = {f"u{k}": f"my sister bought {k} red cars in the city" for k in range(20)}


def make_page(path: Path) -> str:
    """RESULTS.md of a grid.yaml beside which scores are stored."""
    assert main(["--grid", str(path), "page", "--num_resamples", "200"]) == 0
    return (path.parent.parent / "RESULTS.md").read_text()


def recipe_copy(folder: Path, *names: str) -> Path:
    for name in ("conf", "local/lexicon", *names):
        shutil.copytree(RECIPE / name, folder / name)
    shutil.copy(RECIPE / "replication.yaml", folder)
    return folder


def bleu(hypotheses: dict[str, str]) -> float:
    rules = {
        "normalize": Normalizer("en").normalize,
        "tokenize": language("en").tokenizer,
    }
    return bleu_of(bleu_counts(REFERENCES, hypotheses, **rules).sum(0))


def loop(kept: dict) -> None:
    """Let a stored cell's recogniser hear a word over and over."""
    score = kept["scores"]["last"]
    score["hyp"] = score["hyp"] | {"u7": "sister " * 2200}
    score["asr_bleu"] = bleu(score["hyp"])


def stored(cell, identity: str, share: float = 0.0) -> dict:
    """What a cell would have kept, with this share of words right or, by default, more
    for `scheduled` than for any other.
    """
    rng = np.random.default_rng([cell.seed, len(cell.variant)])
    share = share or (0.9 if cell.variant == "scheduled" else 0.4)
    hyp = {
        u: " ".join(w if rng.random() < share else "the" for w in text.split())
        for u, text in REFERENCES.items()
    }
    score = {
        "asr_bleu": bleu(hyp),
        "system": cell.system,
        "seed": cell.seed,
        "num_missing": 0,
        "ci95": [1.0, 2.0],
        "mos": 3.5,
        "num_utterances": 20,
        "signature": "nrefs:1",
        "normalizer": "English",
        "asr": {"backend": "faster-whisper", "model": "tiny.en"},
        "src_wer": None,
        "text_bleu": 50.0,
        "tokens_seen": 1000,
        "train_sec": 60.0,
        "hyp": hyp,
        "utterance_mos": dict.fromkeys(REFERENCES, 3.5),
    }
    steps = [0.0, 20.0]
    return {
        "identity": identity,
        "git": {"hash": "0" * 40, "dirty": False},
        "num_train": 600,
        "build": "x",
        "train": {"best": "checkpoint-2", "tokens_seen": 1000, "train_sec": 60.0},
        "wall_sec": 90.0,
        "scores": {name: score | {"checkpoint": name} for name in ("last", "best")},
        "curve": {k: steps for k in ("step", "dev_loss", "dev_accuracy", "sec")},
        "probes": {k: steps for k in ("step", "text_ratio", *PROBES)},
    }


@pytest.fixture
def path(tmp_path) -> Path:
    folder = recipe_copy(tmp_path)
    (folder / "paper").mkdir()
    path = Path(shutil.copy(RECIPE / "paper" / "grid.yaml", folder / "paper"))
    topline = dict.fromkeys(
        ("reference_asr_bleu", "resynthesis_asr_bleu", "cascade_text_bleu"), 88.0
    ) | {"reference_mos": 3.9, "resynthesis_mos": 3.7}
    kept = {"score": topline, "cascade_asr_bleu": 80.0, "references": REFERENCES}
    grid = load(path)
    for pair in grid.pairs:
        identity = {"identity": grid.topline_identity(pair)}
        write_json(grid.topline_place(pair), kept | identity)
    return path


def test_stored_cells_become_tables_claims_and_figures(path):
    grid = load(path)
    for cell in grid.cells:
        if cell.pair == "pt_en":
            write_json(grid.place(cell), stored(cell, grid.identity(cell)))
    page, folder = make_page(path), path.parent.parent
    assert "| Portuguese | 600 | 11.2 ± 1.0 (3) | 77.1 ± 6.4 (3) |" in page
    assert "| 7 | 10.3 | 19.5 | 12.0 | +9.2 |" in page  # the paper's, beside ours
    assert "| French | 15,429 | n/a | n/a | n/a | n/a | 180 |" in page
    results = json.loads((folder / "results.json").read_text())
    verdicts = {claim["id"]: claim["verdict"] for claim in results["claims"]}
    searched = "| pt_en | scheduled | 0.000 | 20.000 | 79.1 | 79.1 |"
    assert searched in page and "not complete yet: es_en" in page
    longer = "| pt_en | 1 | 11.9 (1) | 79.1 (1) | +67.2 [55.6, 78.8] |"
    assert longer in page and "| es_en | 4 | n/a | n/a | n/a |" in page
    assert "| pt_en | lambda_0 | scheduled | same | -" in page
    assert "| es_en | 600 | n/a | n/a | n/a |" in page
    assert verdicts[4] == verdicts[5] == verdicts[6] == "holds"
    assert verdicts[1] == verdicts[2] == verdicts[7] == "not decided"
    keys = "table pair system seed asr_bleu ci95 mos tokens seconds paper".split()
    assert results["cells"][0].keys() >= {*keys}
    for name, label in (
        ("figure3", "scheduled"),
        ("gains", "ours (3 seeds)"),
        ("gains", "ours, twice the steps (one seed)"),
    ):
        assert f">{label}</text>" in (path.parent / f"{name}.svg").read_text()
        assert f"(paper/{name}.svg)" in page

    # The same scores give the same page; other options make a cell disappear from it.
    assert make_page(path) == page
    train = folder / "conf" / "train.yaml"
    train.write_text(train.read_text() + "weight_decay: 0.1\n")
    assert "77.1" not in make_page(path)


def test_a_page_without_any_score_claims_nothing(path):
    train = path.parent.parent / "conf" / "train.yaml"
    train.write_text("max_steps: 7\n")  # the rest as it is by default
    page = make_page(path)
    assert page.count("**not decided**") == 8


def test_a_page_judges_the_claims_that_its_grid_asks(path):
    """A grid for claim 6 alone had seven claims that it cannot decide."""
    head = path.read_text().partition("groups:")[0]
    path.write_text(
        f"{head}claims: [6]\ngroups:\n"
        "  - {table: 3, pairs: [pt_en], systems: [scheduled, uniform], seeds: [1, 2, 3]}\n"
    )
    grid = load(path)
    for cell in grid.cells:
        write_json(grid.place(cell), stored(cell, grid.identity(cell)))
    page = make_page(path)
    assert page.count("**holds**") == 1 and "not decided" not in page
    assert "gains.svg" not in page and not (path.parent / "gains.svg").exists()
    results = json.loads((path.parent.parent / "results.json").read_text())
    assert [claim["id"] for claim in results["claims"]] == [6]
    path.write_text(path.read_text().replace("claims: [6]", "claims: [9]"))
    with pytest.raises(UserError, match="claims: 9: the paper's are 1 to 8"):
        load(path)


def test_a_table_of_which_the_grid_has_no_cell_is_left_out(path):
    path.write_text(
        "version: 1\npage: ..\napart: [steps]\npairs: [it_en, pt_en]\ngroups:\n"
        "  - {table: 2, pairs: all, systems: [scheduled, baseline], seeds: [1]}\n"
    )
    page = make_page(path)
    assert "## Table 2" in page and "## Compute" in page
    tables = ("Table 1", "Table 3", "Sensitivity")
    for absent in (*tables, "same search", "`mono`", "_steps", "claim 2 within"):
        assert absent not in page


def test_a_language_that_the_paper_does_not_have_is_in_its_tables(path):
    """As one that was added by its lexicon alone; the claims are of the paper's pairs."""
    lexicon = path.parent.parent / "local" / "lexicon"
    dutch = (lexicon / "de.yaml").read_text().replace("name: German", "name: Dutch")
    (lexicon / "nl.yaml").write_text(dutch)
    path.write_text(
        "version: 1\npage: ..\napart: [steps]\npairs: [it_en, pt_en, nl_en]\n"
        "groups:\n- {table: 2, pairs: all, systems: [scheduled, baseline, constant], "
        "seeds: [1]}\n- {table: steps, pairs: all, seeds: [2], "
        "systems: [baseline_steps, scheduled_steps]}\n"
    )
    grid = load(path)
    portuguese = json.loads(grid.topline_place("pt_en").read_text())
    for pair in grid.pairs:
        identity = {"identity": grid.topline_identity(pair)}
        write_json(grid.topline_place(pair), portuguese | identity)
    shares = {"nl_en": 0.6, "it_en": 0.8, "pt_en": 0.9}
    for cell in grid.cells:
        share = shares[cell.pair] if cell.variant == "scheduled_steps" else 0.0
        write_json(grid.place(cell), stored(cell, grid.identity(cell), share))
    page = make_page(path)
    assert "epochs of Dutch 7.2, Italian 7.5" in page
    ours = "| Dutch | 2,500 | 10.0 (1) | 81.8 (1) | 10.0 (1) | +71.8 [61.0, 82.6] |"
    assert f"{ours}  |  |  |  |  |" in page
    for measured in ("nl_en | constant | baseline | same", "nl_en | 2,500 | 13.3 (1)"):
        assert f"| {measured} |" in page
    assert ">Dutch</text>" in (path.parent / "gains.svg").read_text()
    assert "nl_en" not in json.dumps(
        json.loads((path.parent.parent / "results.json").read_text())["claims"]
    )


def test_cells_of_another_build_of_what_they_share_are_told_apart(path):
    """Else a control on retrained units looks as if only its text LLM were another."""
    grid = load(path)
    for cell in grid.cells:
        if cell.pair == "pt_en" and cell.table in ("3", "control"):
            kept = stored(cell, grid.identity(cell)) | {"build": cell.table * 64}
            write_json(grid.place(cell), kept)
    page = make_page(path)
    assert "33333333, 12 cells (table 3); controlc, 4 cells (table control)" in page


@pytest.mark.slow
def test_the_order_of_gains_with_twice_the_steps_waits_for_every_pair(path):
    """Gains that grow as pairs get smaller, the smallest pair's own still missing."""
    grid = load(path)
    sizes = sorted(grid.pairs, key=lambda pair: -grid.sizes[pair])

    def section() -> str:
        page = make_page(path)
        return page.partition("Twice the steps for both")[2].partition("\n\nOther")[0]

    shares = {f"{p}.baseline_steps": 0.9 - 0.1 * k for k, p in enumerate(sizes)}
    shares |= {f"{p}.scheduled_steps": 0.97 for p in sizes}
    cells = [c for c in grid.cells if f"{c.pair}.{c.variant}" in shares]
    last = grid.cell("pt_en.scheduled_steps.s4")
    for cell in cells:
        kept = stored(cell, grid.identity(cell), shares[f"{cell.pair}.{cell.variant}"])
        if cell is not last:
            write_json(grid.place(cell), kept)
    assert "6 of 7 pairs are there" in section() and "rho" not in section()
    other = {"build": "another"}
    write_json(grid.place(last), stored(last, grid.identity(last), 0.97) | other)
    assert section().count("| another, x |") == 1
    order = "rho of gain and size: -1.00, exact p 0.0002; without loops -1.00, p 0.0002"
    assert order in section()

    looped = grid.cell(f"{sizes[3]}.scheduled_steps.s4")
    kept = stored(looped, grid.identity(looped), 0.97)
    loop(kept)
    write_json(grid.place(looped), kept)
    text = section()
    assert "size: -1.00" not in text and "without loops -1.00, p 0.0002" in text


def test_a_test_set_of_loops_has_no_difference_without_them(path):
    """A system that says one word for ever ended the page of all others."""
    grid = load(path)
    for cell in grid.cells:
        if cell.table == "3" or (cell.pair, cell.table) == ("pt_en", "2"):
            kept = stored(cell, grid.identity(cell))
            if cell.name == "pt_en.mask.s1":
                score = kept["scores"]["last"]
                score["hyp"] = dict.fromkeys(REFERENCES, "sister " * 300)
                score["asr_bleu"] = bleu(score["hyp"])
            write_json(grid.place(cell), kept)
    (line,) = (x for x in make_page(path).splitlines() if x.startswith("| 5 | ASR"))
    assert line.endswith("| n/a | n/a |")


def test_answers_without_audio_are_on_the_page(path):
    """A hundred answers without audio were nowhere, and the rest was rated better."""
    silent = {"u1", "u2"}
    grid = load(path)
    for name in ("pt_en.scheduled.s1", "pt_en.baseline.s1"):
        cell = grid.cell(name)
        kept = stored(cell, grid.identity(cell))
        for score in kept["scores"].values() if cell.system == "baseline" else ():
            for name in ("hyp", "utterance_mos"):
                score[name] = {u: v for u, v in score[name].items() if u not in silent}
            score |= {"num_missing": 2, "asr_bleu": bleu(score["hyp"])}
        write_json(grid.place(cell), kept)
    assert "that both speak): pt_en.baseline.s1 2\n" in make_page(path)


def test_trainings_without_probes_have_no_similarities(path):
    """`--probe_every` is 0 where a recipe does not set it, and the page ended in an error."""
    grid = load(path)
    cell = grid.cell("pt_en.scheduled.s1")
    kept = stored(cell, grid.identity(cell))
    kept["probes"] = {name: [] for name in kept["probes"]}
    write_json(grid.place(cell), kept)
    page = make_page(path)
    assert "pt_en.scheduled" not in page.partition("Where the similarities end")[2]


def test_a_loop_of_the_recogniser_decides_no_claim_alone(path):
    """One sentence of 221 words cost a seed 2 BLEU, and alignment its verdict."""
    grid = load(path)
    for cell in grid.cells:
        if (cell.pair, cell.table) in (("pt_en", "2"), ("pt_en", "3")):
            kept = stored(cell, grid.identity(cell))
            if cell.name == "pt_en.scheduled.s1":
                loop(kept)
            write_json(grid.place(cell), kept)
    make_page(path)
    results = json.loads((path.parent.parent / "results.json").read_text())
    sixth = results["claims"][5]
    assert sixth["verdict"] == "not decided"
    assert sixth["verdict_without_loops"] == "holds"
    assert len(sixth["comparisons"]) == 1


def test_scores_without_references_are_told(path, capsys):
    grid = load(path)
    cell = grid.cell("pt_en.scheduled.s1")
    write_json(grid.place(cell), stored(cell, grid.identity(cell)))
    grid.topline_place("pt_en").unlink()
    assert main(["--grid", str(path), "page"]) == 1
    assert "pt_en.scheduled.s1 is scored, but" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("grid", "page"),
    [
        pytest.param(  # resamples 119 cells
            "paper", ".", marks=(pytest.mark.slow, pytest.mark.nightly)
        ),
        ("quick", "quick"),
        ("schedules", "schedules"),
        ("confirm", "confirm"),
        ("gate", "gate"),
        ("again", "again"),
        ("long", "long"),
    ],
)
def test_the_committed_page_is_what_its_stored_scores_give(
    grid, page, tmp_path, monkeypatch
):
    if not (RECIPE / page / "results.json").is_file():
        pytest.skip("no results yet")
    if grid == "long":  # its settings.sh, as paper.sh sources it
        corpus = 'unset MINI_CORPUS; . long/settings.sh; printf %s "$MINI_CORPUS"'
        stdout = subprocess.check_output(["bash", "-c", corpus], cwd=RECIPE, text=True)
        monkeypatch.setenv("MINI_CORPUS", stdout)
    folder = recipe_copy(tmp_path, grid)
    assert main(["--grid", str(folder / grid / "grid.yaml"), "page"]) == 0
    remedy = "run egs/mini_cvss/paper.sh --page true --publish true"
    for name in ("RESULTS.md", "results.json"):
        made, committed = (f / page / name for f in (folder, RECIPE))
        assert made.read_text() == committed.read_text(), (
            f"{committed} is old: {remedy}"
        )
    json.loads(made.read_text(), parse_constant=pytest.fail)  # NaN is no JSON


@pytest.mark.parametrize(
    "edit",
    [
        {"asr_bleu": 99.0},
        {"num_utterances": 10},
        {"num_missing": 3},
        {"mos": 4.5},
        {"mos": None},
        {"seed": 7},
        {"system": "mask"},
        {"checkpoint": "best"},
        {"hyp": {"u1": "my sister bought 1 red cars in the city"}},
    ],
)
def test_a_score_that_is_not_of_its_hypotheses_is_told(path, edit, capsys):
    """Half of the hypotheses were lost, and the gain beside two good scores was below 0."""
    grid = load(path)
    cell = grid.cell("pt_en.scheduled.s1")
    kept = stored(cell, grid.identity(cell))
    kept["scores"]["last"] |= edit
    write_json(grid.place(cell), kept)
    assert main(["--grid", str(path), "page"]) == 1
    told = capsys.readouterr().err
    assert "pt_en.scheduled.s1: its stored score of checkpoint last is not" in told


@pytest.mark.parametrize(
    "edit",
    [{"signature": "nrefs:2"}, {"asr": {"backend": "faster-whisper", "model": "x"}}],
)
def test_cells_of_two_recognisers_are_not_compared(path, edit, capsys):
    """The page named one recogniser, and another had heard some of its cells."""
    grid = load(path)
    for name in ("pt_en.scheduled.s1", "pt_en.baseline.s1"):
        cell = grid.cell(name)
        kept = stored(cell, grid.identity(cell))
        if cell.system == "baseline":
            kept["scores"]["last"] |= edit
        write_json(grid.place(cell), kept)
    assert main(["--grid", str(path), "page"]) == 1
    assert "are not scored by one recogniser and signature" in capsys.readouterr().err
