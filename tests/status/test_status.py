"""`status` tells what is done, stale and why, runs, has failed; it changes nothing."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from s2st_interleave import config, promises
from s2st_interleave.audit import command
from s2st_interleave.data import audio
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages import tsv_corpus
from s2st_interleave.status.command import gather, main, render
from s2st_interleave.status.places import Place, _last_step

TSV = "my corpus.tsv"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Options of a stage that no command of the package has."""

    source: Path = config.option(Path("data/test"), "read")
    out_dir: Path = config.option(Path("data/part"), "written")


def words_of(split: str) -> list[str]:
    line = f"--config conf/data.yaml --split {split} --src_lang es --tgt_lang en --nj 1"
    folders = f"--data_dir data/{split} --audio_dir dump/audio/{split}"
    return ["--tsv", TSV, *line.split(), *folders.split()]


def log(split: str, *, status: int | None = 0, lines: str = "") -> None:
    """The log that the launcher leaves of a stage 1."""
    path = Path("exp/log") / f"data.{split}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    quoted = " ".join(f"'{word}'" for word in words_of(split))
    text = f"# 2026-01-02 03:04:05 python -m s2st_interleave own {quoted}\n{lines}"
    if status is not None:
        text += f"# 2026-01-02 03:05:05 ended with {status}\n"
    path.write_text(text)


@pytest.fixture
def recipe(tmp_path, monkeypatch) -> Path:
    """Stage 1 of a corpus of one's own, whose log is there, in `egs/a recipe`."""
    folder = tmp_path / "egs" / "a recipe"
    (folder / "conf").mkdir(parents=True)
    monkeypatch.chdir(folder)
    (folder / "conf" / "data.yaml").write_text("min_sec: 0.2\n")
    write_tsv(folder, "hello")
    for split in ("train", "dev", "test"):
        run(split)
        log(split)
    return folder


def write_tsv(folder: Path, text: str) -> None:
    rows = ["id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text\tsplit"]
    for number, split in enumerate(("train", "dev", "test")):
        wav = folder / f"{split}.wav"
        if not wav.is_file():
            tone = np.sin(np.arange(16_000) * (0.01 + number / 50)).astype(np.float32)
            audio.write(wav, 0.1 * tone)
        rows.append(f"u{number}\t{wav}\thola {number}\t{wav}\t{text} {number}\t{split}")
    (folder / TSV).write_text("\n".join(rows) + "\n")


def run(split: str) -> None:
    tsv_corpus.run(config.parse(tsv_corpus.Options, words_of(split), prog="own"))


def states(top: Path = Path()) -> dict[str, Place]:
    return {p.name: p for r in gather(top) for p in r.places if p.name}


def later(path: Path) -> None:
    """Let a file be newer than all records, to the second."""
    os.utime(path, (time.time() + 5,) * 2)


def test_what_is_made_is_done_and_what_is_not_is_missing(recipe, capsys):
    places = states()
    assert {name: p.state for name, p in places.items()} == {
        f"data/{split}": "done" for split in ("train", "dev", "test")
    }
    assert main([str(recipe.parents[1])]) == 0  # a folder above
    said = capsys.readouterr().out
    assert "a recipe" in said and "  6 train" in said and "not run yet" in said
    assert "disk: " in said and "dump/audio" in said


def test_a_changed_file_is_named_and_so_is_what_reads_it(recipe):
    write_tsv(recipe, "good morning")
    later(recipe / TSV)
    place = states()["data/test"]
    assert place.state == "stale"
    assert place.why[0] == f"input tsv: {TSV} has changed"
    assert TSV in place.why[1] and "changed on " in place.why[1]
    assert not [word for line in place.why for word in line.split() if len(word) == 64]


def test_an_option_of_a_yaml_is_shown_with_both_values(recipe):
    (recipe / "conf" / "data.yaml").write_text("min_sec: 0.3\n")
    assert states()["data/dev"].why == ("option min_sec: was 0.2, is 0.3",)


def test_without_a_log_the_record_stands_in_for_the_command(recipe):
    for path in Path("exp/log").iterdir():
        path.unlink()
    assert states()["data/dev"].state == "done"
    write_tsv(recipe, "good morning")
    assert states()["data/dev"].state == "stale"


def test_a_file_that_is_gone_is_named(recipe):
    (recipe / "data" / "dev" / "text.tgt").unlink()
    place = states()["data/dev"]
    assert place.state == "stale" and "text.tgt is gone" in place.why[0]


@pytest.mark.parametrize(
    "content", ["", '{"stage": "train", "paths": []}', '{"stage": 1}', "[]", "{}"]
)
def test_one_damaged_record_hid_the_status_of_all_recipes(recipe, content, capsys):
    bad = recipe / "exp" / "kmeans"
    bad.mkdir()
    (bad / "stage.json").write_text(content)
    places = states()
    assert places["data/dev"].state == "done"
    assert places["exp/kmeans"].state == "failed"
    assert main([str(recipe)]) == 0
    assert "remove exp/kmeans/stage.json, and run its stage" in capsys.readouterr().out


def test_a_part_of_a_recipe_does_not_say_that_the_others_are_not_run(recipe, capsys):
    assert main(["data/dev"]) == 0
    said = capsys.readouterr().out
    assert "data/dev" in said and "not run yet" not in said


def test_a_recording_that_is_promised_and_listed_was_counted_twice(recipe):
    folder = recipe / "exp" / "v"
    (folder / "wav").mkdir(parents=True)
    (folder / "wav.scp").write_text("u0 exp/v/wav/u0.wav\n")
    done = {"files": {"wav/u0.wav": 9, "wav.scp": 23}}
    assert str(promises.broken(folder, done)).startswith(f"{folder}/wav/u0.wav is gone")


def test_a_line_that_was_cut_off_counts_as_no_step(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 0}\n{"step": 1}\n{"ste')
    assert _last_step(path) == 2


def test_nothing_is_written_by_looking(recipe):
    write_tsv(recipe, "good morning")
    before = {p: p.stat().st_mtime_ns for p in recipe.rglob("*") if p.is_file()}
    states()
    after = {p: p.stat().st_mtime_ns for p in recipe.rglob("*") if p.is_file()}
    assert {p for p in after.keys() ^ before.keys()} == set()
    assert {p.name for p in before if before[p] != after[p]} <= {"digests"}


def begun(split: str) -> None:
    """Have a split begun and not finished."""
    directory = Path("data") / split
    (directory / "stage.json").rename(directory / "stage.open.json")


def test_what_runs_is_told_with_its_process_and_how_far_it_is(recipe, capsys):
    begun("dev")
    line = "stage 1 data dev: recordings 120/400, 3.1 a second, 90 s left\n"
    log("dev", status=None, lines=line)
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    job = subprocess.Popen([*sleep, "-m", "s2st_interleave", "own", *words_of("dev")])
    try:
        while not Path(f"/proc/{job.pid}/cmdline").read_bytes():
            time.sleep(0.01)  # on a busy machine it has no name for a moment
        place = states()["data/dev"]
        print(render(gather(Path())))
    finally:
        job.kill()
        job.wait()
    assert place.state == "running" and f"process {job.pid}" in place.why[0]
    assert place.progress == (120, 400, "90 s")
    assert "at 120 of 400, 90 s left" in capsys.readouterr().out
    place = states()["data/dev"]
    assert place.state == "stopped" and "no process of this machine" in place.why[0]


def test_what_failed_names_its_log_and_its_last_words(recipe, capsys):
    begun("dev")
    log("dev", status=1, lines="error: own: nothing to hear\n")
    place = states()["data/dev"]
    assert place.state == "failed" and place.log.endswith("exp/log/data.dev.log")
    assert place.why == ("exit status 1", "error: own: nothing to hear")
    main([])
    assert f"log: {Path('exp/log/data.dev.log')}" in capsys.readouterr().out


def test_what_failed_before_it_began_is_told_as_well(recipe):
    log("dev2", status=2, lines="error: own: unknown option\n")
    assert states()["data/dev2"].state == "failed"


def test_a_directory_of_what_is_stale_is_stale(recipe):
    (recipe / "data" / "test" / "text.tgt").unlink()

    stage = open_stage(
        recipe / "data/part", stage="text_llm", options=Part(), inputs={}
    )
    assert stage is not None
    stage.finish(num_in=1, num_out=1)
    place = states()["data/part"]
    assert place.why == ("made from what is stale: data/test",)


def test_scripts_get_json(recipe, capsys):
    main(["--json", "true", "--disk", "false"])
    (found,) = json.loads(capsys.readouterr().out)
    assert found["bytes"] == {} and found["scores"] == []
    done = [each for each in found["stages"] if each["state"] == "done"]
    assert len(done) == 3 and done[0]["stage"] == "data"


def test_a_folder_that_is_none_is_refused(recipe):
    with pytest.raises(ValueError, match="nowhere: no such folder"):
        main(["nowhere"])


def test_torch_is_not_loaded():
    code = (
        "import sys\nfrom s2st_interleave.status.command import main\n"
        "from s2st_interleave.stages import align, compare, decode, dump, encoder\n"
        "from s2st_interleave.stages import kmeans, score, topline, train, units\n"
        "from s2st_interleave.stages import vocode, vocoder\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_recipe_on_another_disk_was_stale_as_its_inputs_lie_where_it_ran(
    recipe, tmp_path, capsys
):
    """With absolute --datadir and --dumpdir, and a corpus named from the recipe."""
    disk = tmp_path / "disk" / "mine"
    words = words_of("test")
    for folder in ("data", "dump"):
        words = [
            w.replace(f"{folder}/", f"{disk}/{folder}/", 1)
            if w.startswith(folder)
            else w
            for w in words
        ]
    tsv_corpus.run(config.parse(tsv_corpus.Options, words, prog="own"))
    (place,) = (p for r in gather(disk) for p in r.places if p.name)
    assert (place.name, place.state, place.why) == ("data/test", "done", ())
    assert command.audit([disk], fast=True).findings == []
