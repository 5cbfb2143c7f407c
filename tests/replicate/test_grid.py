"""Which cells there are, and when one is run again."""

import shutil
from pathlib import Path

import pytest
import yaml
from test_page import stored

from s2st_interleave.errors import UserError
from s2st_interleave.files import write_json
from s2st_interleave.replicate import cell as cells
from s2st_interleave.replicate.__main__ import main
from s2st_interleave.replicate.grid_file import load

RECIPE = Path(__file__).resolve().parents[2] / "egs" / "mini_cvss"


@pytest.fixture
def path(tmp_path) -> Path:
    """The real grid with its configs, and no result."""
    for name in ("conf", "local/lexicon"):
        shutil.copytree(RECIPE / name, tmp_path / name)
    shutil.copy(RECIPE / "replication.yaml", tmp_path)
    (tmp_path / "paper").mkdir()
    return Path(shutil.copy(RECIPE / "paper" / "grid.yaml", tmp_path / "paper"))


def store(grid, cell) -> None:
    write_json(grid.place(cell), stored(cell, grid.identity(cell)))


def test_the_grid_holds_every_table_of_the_paper():
    grid = load(RECIPE / "paper" / "grid.yaml")
    names = [cell.name for cell in grid.cells]
    assert len(names) == len(set(names))
    table_2 = [c for c in grid.cells if c.table == "2"]
    assert len(table_2) == 7 * (3 + 3 + 1)
    for system in ("src_only", "tgt_only", "mask", "uniform"):
        assert {f"pt_en.{system}.s{seed}" for seed in (1, 2, 3)} <= set(names)
    assert {"fr_en.no_cot.s1", "fr_en.baseline.untrained.s1"} <= set(names)
    assert {"pt_en.baseline.mono.s1", "pt_en.scheduled.random.s1"} <= set(names)
    quick = load(RECIPE / "quick" / "grid.yaml")
    assert len(quick.cells) == 4 and {c.seed for c in quick.cells} == {1}
    shared = (grid.shared("pt_en"), quick.shared("pt_en"))
    assert shared == (Path("shared/paper"), Path("shared/quick"))


def test_a_table_that_stands_apart_has_a_reference_and_a_seed_of_its_own():
    """Retrained shared models of one machine would else differ within a comparison."""
    grid = load(RECIPE / "paper" / "grid.yaml")
    for pair in grid.pairs:
        seeds = {c.seed for c in grid.compared() if c.pair == pair}
        for table in grid.apart:
            apart = [c for c in grid.compared(table) if c.pair == pair]
            reference = "baseline_steps" if table == "steps" else "scheduled"
            assert not apart or reference in {c.variant for c in apart}
            assert not seeds & {c.seed for c in apart}
            seeds |= {c.seed for c in apart}


def test_only_what_is_missing_or_has_changed_is_pending(path):
    grid = load(path)
    first, second, *_ = grid.cells
    store(grid, first)
    assert first not in grid.pending() and second in grid.pending()

    # A comment is not a change, a value is.
    train = path.parent.parent / "conf" / "train.yaml"
    train.write_text("# again\n" + train.read_text())
    assert first not in load(path).pending()
    train.write_text(train.read_text().replace("max_steps: ", "max_steps: 1"))
    assert first in load(path).pending()


def test_a_systems_own_file_makes_only_its_own_cells_old(path):
    grid = load(path)
    first, second, *_ = grid.cells
    assert first.system != second.system
    store(grid, first)
    store(grid, second)
    config = path.parent.parent / "conf" / "systems" / f"{first.system}.yaml"
    config.write_text(config.read_text().replace("{}", "") + "span_lambda: 2\n")
    assert first in load(path).pending() and second not in load(path).pending()


def test_toplines_are_made_once_a_pair(path, capsys):
    """A machine that goes on with a grid replaced those that others had stored."""

    def pairs_of(what: str) -> str:
        assert main(["--grid", str(path), "pending", "--what", what]) == 0
        return capsys.readouterr().out.strip()

    grid = load(path)
    everything = set(pairs_of("toplines").split())
    assert everything == set(grid.pairs)
    first, *others = grid.pairs
    for pair in others:
        kept = {"identity": grid.topline_identity(pair), "references": {}}
        write_json(grid.topline_place(pair), kept)
    assert pairs_of("toplines") == first
    for cell in grid.cells:
        store(grid, cell)
    assert pairs_of("pairs") == first  # it wants nothing else

    score = path.parent.parent / "conf" / "score.yaml"
    score.write_text(score.read_text() + "beam_size: 7\n")
    assert set(pairs_of("toplines").split()) == everything


def test_a_machine_can_take_a_pair_that_has_models_of_its_own(path, capsys):
    """Shared models of all pairs take hours, which a machine that is lent for less has not."""
    text = path.read_text()
    path.write_text(text.replace("pairs: [", "own_models: true\npairs: [", 1))
    grid = load(path)

    def listed(what: str, pair: str) -> list[str]:
        command = ["--grid", str(path), "pending", "--what", what, "--pair", pair]
        assert main(command) == 0
        return capsys.readouterr().out.split()

    cells_of_it = [cell.name for cell in grid.cells if cell.pair == "it_en"]
    assert listed("cells", "it_en") == cells_of_it
    assert listed("sources", "it_en") == ["it"]
    assert listed("toplines", "it_en") == ["it_en"]
    assert set(listed("own_models", "")) == set(grid.pairs)
    assert grid.shared("it_en") == Path("shared/paper/it_en")
    assert grid.models("it_en").name == "it_en"

    # What another language says makes no cell of the pair old; what is of its own does.
    cell = grid.cell("it_en.scheduled.s1")
    store(grid, cell)
    lexicons = path.parent.parent / "local" / "lexicon"
    for language, is_old in (("ru", False), ("it", True)):
        lexicon = lexicons / f"{language}.yaml"
        lexicon.write_text(lexicon.read_text() + "more: word\n")
        assert (cell in load(path).pending()) == is_old


def test_a_language_beyond_the_papers_makes_no_stored_result_old(path):
    lexicon = path.parent.parent / "local" / "lexicon"
    grid = load(path)
    cell, *_ = grid.cells
    store(grid, cell)
    dutch = lexicon / "nl.yaml"
    dutch.write_text("name: Dutch\nrules: []\n")
    assert cell not in load(path).pending()

    # What is said in a language counts, and its name where a grid has that language.
    quick = path.parent.parent / "quick" / "grid.yaml"
    quick.parent.mkdir()
    quick.write_text(
        "version: 1\npairs: [nl_en]\n"
        "groups: [{table: 2, pairs: all, systems: [baseline], seeds: [1]}]\n"
    )
    grid = load(quick)
    assert grid.sizes == {"nl_en": 2500}
    cell, *_ = grid.cells
    store(grid, cell)
    for old, new in (
        ("name: Dutch", "name: Netherlandish"),
        ("rules: []", "rules: {}"),
    ):
        before = dutch.read_text()
        dutch.write_text(before.replace(old, new))
        assert cell in load(quick).pending()
        dutch.write_text(before)
    assert cell not in load(quick).pending()
    dutch.unlink()
    with pytest.raises(ValueError, match=r"'nl' has no .*nl\.yaml"):
        load(quick)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pairs: all, systems: [constant]", "pair: all, systems: [constant]", "'pair'"),
        ("[constant]", "[constent]", "constent"),
        (
            "[pt_en], systems: [src_only",
            "[xx_en], systems: [src_only",
            "no pair 'xx_en'",
        ),
        ("num_train: [600]", "num_train: [2400]", "fewer than its own 2400"),
        # These were found when the shared models had been made, or never.
        ("table: search", "table: serach", "'serach'; did you mean 'search'"),
        ("apart: [", "apart: [nosuch, ", "table: there is no 'nosuch'"),
        ("llm: [mono", "llm: [mno", "llm: there is no 'mno'"),
        ("units: untrained", "units: untraind", "units: there is no 'untraind'"),
        ("seeds: [1]", "seeds: [-1]", "seed -1: wants 0 to"),
        # A cell of two tables was of the first alone, and claims lost it in silence.
        (
            "groups:\n",
            "groups:\n  - {table: search, pairs: [pt_en], systems: [baseline], seeds: [1]}\n",
            "pt_en.baseline.s1 is of table search already",
        ),
        # The page of a mixed grid compared no schedules.
        ("table: control", "table: schedules", "schedules wants a grid of its own"),
        # The page showed the options of no_cot.
        (
            "systems: [no_cot]",
            "systems: [no_cot.v2]",
            "'no_cot.v2': letters, digits and",
        ),
        (
            "systems: [no_cot]",
            "systems: [../no_cot]",
            "letters, digits and _ make a name",
        ),
    ],
)
def test_a_slip_in_the_grid_is_named(path, old, new, message):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        load(path)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("build",), 7),
        (("scores",), "none"),
        (("scores", "last", "asr_bleu"), "31.2"),
        (("scores", "last", "asr_bleu"), float("nan")),
        (("scores", "last", "hyp", "u1"), 7),
        (("scores", "last", "ci95"), [1.0]),
        (("train", "tokens_seen"), "many"),
        (("curve", "dev_loss"), ["low"]),
        (("curve", "dev_loss"), [0.5]),
        (("wall_sec",), True),
    ],
)
def test_a_value_of_another_type_is_told_with_its_file(path, keys, value, capsys):
    """It was a traceback of numpy's, without a file, or nothing at all."""
    grid = load(path)
    cell, *_ = grid.cells
    result = stored(cell, grid.identity(cell))
    *outer, last = keys
    inner = result
    for key in outer:
        inner = inner[key]
    inner[last] = value
    write_json(grid.place(cell), result)
    assert main(["--grid", str(path), "pending"]) == 1
    told = capsys.readouterr().err
    of_column = keys[0] if value == [0.5] else ": ".join(keys)
    assert f"{cell.name}.json: {of_column}: " in told


def test_a_grid_without_cells_is_an_error(path):
    path.write_text(path.read_text().partition("groups:")[0] + "groups: []\n")
    with pytest.raises(ValueError, match="groups: there is no cell"):
        load(path)


def test_cells_of_other_shared_models_are_told_of_before_new_ones_train(path, capsys):
    """Ten cells were run beside those of an encoder that scored 12 ASR-BLEU more."""
    grid = load(path)
    one, other = [c for c in grid.cells if c.pair == "it_en"][:2]
    asked = ["--grid", str(path), "builds", "--pair", "it_en"]
    store(grid, one)
    assert main(asked) == 0
    assert capsys.readouterr().err == ""  # no models are made yet
    for part in grid.recipe.parts:
        place = grid.models("it_en") / part / "stage.json"
        place.parent.mkdir(parents=True)
        write_json(place, {"outputs": {part: "sha"}})
    assert main(asked) == 0
    here = cells.build(grid, "it_en")
    message = (
        f"it_en: the shared models made here are build {here[:8]}, its stored cells"
    )
    assert f"{message} are 1 of x. Scores" in capsys.readouterr().err
    for cell in (one, other):
        kept = stored(cell, grid.identity(cell)) | {"build": here}
        write_json(grid.place(cell), kept)
    assert main(asked) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("topline --name it_em", "no pair 'it_em' in"),
        ("plan -- --bogus 3", "has no `plan`, for which options such as --bogus are"),
    ],
)
def test_words_that_would_do_nothing_are_refused(path, words, message, capsys):
    assert main(["--grid", str(path), *words.split()]) == 1
    assert message in capsys.readouterr().err


def test_a_cell_is_a_call_of_its_pairs_recipe():
    grid = load(RECIPE / "paper" / "grid.yaml")
    words = cells.command(grid, grid.cell("pt_en.mask.s2"), Path("exp/x"))
    assert words[0] == "./run.sh"
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert options["--systems"] == "mask" and "--seed 2" in options["--train_args"]
    assert "--num_utterances 600 " in options["--train_args"]
    cell = grid.cell("fr_en.baseline.untrained.s1")
    untrained = cells.command(grid, cell, Path("exp/x"))
    assert "../fr_en/shared/paper/dump_untrained" in untrained
    smaller = cells.command(grid, grid.cell("es_en.scheduled.n600.s1"), Path("exp/x"))
    assert any("--num_utterances 600 " in word for word in smaller)
    with pytest.raises(ValueError, match=r"did you mean 'pt_en\.mask\.s2'"):
        grid.cell("pt_en.mask.s22")


def test_training_sizes_are_in_the_ratio_of_the_papers_hours():
    from s2st_interleave.score.published import PAPER_PAIRS

    path = RECIPE / "conf" / "sizes.yaml"
    sizes = yaml.safe_load(path.read_text())["train"]
    for src, pair in PAPER_PAIRS.items():
        assert sizes[src] == pytest.approx(sizes["fr"] * pair.hours / 180, abs=1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("test: test\n", "test: dev\n"),
        ("--probe_every 20", "--probe_every 20 --max_steps 10"),
        ("S2ST_BACKEND: local", "S2ST_BACKEND: local, MINI_CORPUS: --clauses 2"),
    ],
)
def test_what_the_recipe_is_told_makes_a_stored_result_old(path, old, new):
    """Another split, or other steps in replication.yaml, left all cells as they were."""
    grid = load(path)
    cell = grid.cell("pt_en.scheduled.s1")
    write_json(
        grid.place(cell),
        stored(cell, grid.identity(cell)) | {"recipe": grid.recipe_identity},
    )
    recipe = path.parents[1] / "replication.yaml"
    text = recipe.read_text()
    assert grid.result(cell) and text.count(old) == 1
    recipe.write_text(text.replace(old, new))
    assert load(path).result(cell) is None


@pytest.mark.parametrize("name", ["seed", "num_train"])
def test_cells_that_differ_by_nothing_that_is_run_are_refused(path, name):
    """Three seeds, or 600 of all pairs, were one training under several names."""
    recipe = path.parents[1] / "replication.yaml"
    lines = recipe.read_text().splitlines(keepends=True)
    recipe.write_text("".join(x.replace(f"{{{name}}}", "1") for x in lines))
    with pytest.raises(UserError, match=f"cells differ in {name}"):
        load(path)
