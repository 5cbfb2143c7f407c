"""Stages without a training give the same bits however their work is cut: a second matrix.

Stage 1, k-means, stage 7, the vocoder and its speech, on tiny real parts. Stages 3 and 4
and all trainings are in test_determinism.py; no stage here runs on several ranks: jobs
share the work of stages 7 and 8.
"""

from functools import partial
from pathlib import Path

import pytest
import tiny_clips
import tiny_recipe
from safetensors.numpy import load_file

from s2st_interleave import shards
from s2st_interleave.stages import data, decode, kmeans, vocode, vocoder
from s2st_interleave.vocoder import world

AXES = ("other workers", "other threads", "other batches", "3 jobs", "killed, resumed")
ROWS: dict[str, dict[str, str]] = {}
pytestmark = pytest.mark.nightly
IDS = [f"u{number}" for number in range(9)]
RECORDS = ("stage.json", "stage.open.json", "digests")  # of times, and what was hashed


def note(stage: str, axis: str, value: str = "same bits") -> None:
    assert axis in AXES
    ROWS.setdefault(stage, {})[axis] = value


def contents(folder: Path, pattern: str = "**/*") -> dict[str, bytes]:
    paths = [p for p in folder.glob(pattern) if p.is_file() and p.name not in RECORDS]
    made = {str(p.relative_to(folder)): p.read_bytes() for p in paths}
    assert made
    return made


def reopen(folder: Path) -> None:
    """As a kill leaves a stage that has not finished."""
    (folder / "stage.json").rename(folder / "stage.open.json")


@pytest.fixture(scope="module")
def cvss(tmp_path_factory) -> Path:
    return tiny_clips.make(tmp_path_factory.mktemp("cvss"))


def read_corpus(cvss: Path, place: Path, form: str, nj: int) -> dict[str, bytes]:
    """The files of stage 1, run in `place`."""
    place.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        folders = {"data_dir": Path("data/train"), "audio_dir": Path("audio/train")}
        data.run(tiny_clips.options(cvss, **folders, audio_format=form, nj=nj))
    return contents(place)


@pytest.mark.parametrize("form", ["ark", "flac"])
def test_a_corpus_is_the_same_for_any_workers_and_after_a_kill(cvss, tmp_path, form):
    whole = read_corpus(cvss, tmp_path / "1", form, 1)
    for workers in (2, 8):
        assert read_corpus(cvss, tmp_path / f"{workers}", form, workers) == whole
    note("1 data", "other workers")
    place = tmp_path / "1"
    reopen(place / "data/train")
    names = [name for name in whole if name.startswith("audio/")]
    for name in names[::2]:
        (place / name).unlink()
    assert read_corpus(cvss, place, form, 2) == whole
    note("1 data", "killed, resumed")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, text_llm) -> Path:
    root = tmp_path_factory.mktemp("recipe")
    tiny_recipe.make(root, text_llm, IDS)
    return root


def test_a_codebook_is_the_same_for_any_loaders_and_threads(recipe, tmp_path):
    shared = {"encoder": recipe / "exp/encoder", "data_dir": (recipe / "data",)}
    given = {**shared, "device": "cpu", "layer": 2, "num_units": 20}

    def fit(name: str, **more: int) -> dict[str, bytes]:
        options = given | {"num_threads": 1} | more
        kmeans.run(kmeans.Options(**options, out_dir=tmp_path / name))
        return contents(tmp_path / name, "*.safetensors")

    whole = contents(recipe / "exp/kmeans", "*.safetensors")
    assert fit("1", num_loaders=1) == whole == fit("8", num_loaders=8)
    note("4 k-means", "other workers")
    two = fit("2 threads", num_threads=2)
    far = largest(recipe / "exp/kmeans", tmp_path / "2 threads")
    assert far < 1e-4
    same = two == whole
    note("4 k-means", "other threads", "same bits" if same else f"within {far:.0e}")
    reopen(tmp_path / "1")  # it keeps no part of its work, and begins anew
    assert fit("1", num_loaders=1) == whole
    note("4 k-means", "killed, resumed")


def largest(one: Path, two: Path) -> float:
    """The largest difference between centroids, to their spread."""
    ours, theirs = (
        load_file(place / "centroids.safetensors")["centroids"] for place in (one, two)
    )
    return float(abs(ours - theirs).max() / ours.std())


def test_answers_are_the_same_in_any_batches_jobs_and_after_a_kill(
    recipe, tmp_path, monkeypatch
):
    given = {"train_dir": recipe / "exp/scheduled", "max_text_tokens": 6}
    given |= {"dump_dir": recipe / "dump/interleave", "max_unit_ratio": 1.2}
    given |= tiny_recipe.CPU
    smallest = partial(shards.run_shards, smallest=2)
    monkeypatch.setattr(decode, "run_shards", lambda *words, **_: smallest(*words))

    def answer(name: str, **more: object) -> dict[str, bytes]:
        options = given | {"batch_size": 32} | more
        decode.run(decode.Options(**options, out_dir=tmp_path / name))
        return answers(tmp_path / name) if not more.get("shard") else {}

    def answers(folder: Path) -> dict[str, bytes]:
        return contents(folder, "text.*") | contents(folder, "*.ark")

    whole = answers(recipe / "exp/scheduled/greedy_last/test")
    for size in (1, 2, 9):
        assert answer(f"{size} at once", batch_size=size) == whole
    note("7 decode", "other batches")
    assert answer("threads", num_threads=2) == whole
    note("7 decode", "other threads")
    for job in range(4):
        answer("jobs", shard=f"{job}/3")
    assert answer("jobs") == whole
    note("7 decode", "3 jobs")
    for job in range(2):  # two of three were killed, one while it wrote
        answer("killed", shard=f"{job}/3")
    part = next((tmp_path / "killed/shards").glob("part?"))
    part.write_bytes(part.read_bytes()[:-7])
    assert answer("killed") == whole
    note("7 decode", "killed, resumed")


def test_a_vocoder_learns_the_same_from_any_workers(recipe, tmp_path):
    split, units = (recipe / "data",), (recipe / "dump/units",)
    folders = {"data_dir": split, "dev_data_dir": split}
    folders |= {"units_dir": units, "dev_units_dir": units}
    size = {"max_steps": 2, "batch_size": 2, "world": world.Options(crop_units=8)}
    options = {**folders, **size, **tiny_recipe.CPU, "backend": "world", "nj": 2}
    vocoder.run(vocoder.Options(**options, out_dir=tmp_path / "2"))
    pattern = "checkpoint-2/model.safetensors"
    assert contents(tmp_path / "2", pattern) == contents(
        recipe / "exp/vocoder", pattern
    )
    note("8 vocoder", "other workers")


def test_speech_is_the_same_for_any_workers_and_after_a_kill(recipe, tmp_path):
    given = {"units_dir": recipe / "dump/units", "vocoder": recipe / "exp/vocoder"}
    given |= {"device": "cpu"}

    def speak(name: str, nj: int = 1, num_threads: int = 1) -> dict[str, bytes]:
        folders = {"out_dir": tmp_path / name}
        options = vocode.Options(**given, **folders, nj=nj, num_threads=num_threads)
        vocode.run(options)
        return contents(tmp_path / name / "wav")

    whole = speak("1")
    assert speak("2", nj=2) == whole and len(whole) == len(IDS)
    note("8 vocode", "other workers")
    assert speak("threads", num_threads=2) == whole
    note("8 vocode", "other threads")
    reopen(tmp_path / "2")
    for name in list(whole)[::2]:
        (tmp_path / "2" / "wav" / name).unlink()
    assert speak("2", nj=2) == whole
    note("8 vocode", "killed, resumed")


def test_the_matrix_of_stages_is_kept(count):
    """It comes last."""
    table = [["stage", *AXES]]
    for stage, cells in sorted(ROWS.items()):
        table.append([stage, *(cells.get(axis, "-") for axis in AXES)])
    cells = [cell for row in table[1:] for cell in row[1:] if cell != "-"]
    bits = sum(cell == "same bits" for cell in cells)
    count("stages alike", cells=len(cells), same_bits=bits, table=table)
    assert cells
