"""The page of stage 10 is that of the run that wrote it, and stale where a score is newer."""

import os
from dataclasses import replace
from pathlib import Path

from s2st_interleave.status.folders import Record
from s2st_interleave.status.missing import missing, results


def scored(exp: Path, system: str, second: int) -> Record:
    folder = exp / system / "greedy_last" / "test" / "score"
    folder.mkdir(parents=True)
    write(folder / "stage.json", second)
    return Record(folder, True, {"stage": "score"}, exp.parent)


def write(path: Path, second: int) -> None:
    path.write_text("")
    os.utime(path, (second, second))


def told(recipe: Path, *records: Record) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(p.name, p.state, p.why) for p in results(recipe, records)]


def test_the_page_of_the_repository_is_no_page_of_a_quick_run(tmp_path):
    """`status` called the tracked RESULTS.md stale, which a quick run does not write."""
    write(tmp_path / "RESULTS.md", 5)
    record = scored(tmp_path / "quick" / "exp", "baseline", 10)
    assert told(tmp_path, record) == []
    write(tmp_path / "quick" / "exp" / "RESULTS.md", 12)
    assert told(tmp_path, record) == [("quick/exp/RESULTS.md", "done", ())]
    write(tmp_path / "RESULTS.md", 20)  # a later checkout
    assert told(tmp_path, record) == [("quick/exp/RESULTS.md", "done", ())]


def test_a_page_of_the_repository_that_is_older_than_all_scores_is_of_another_run(
    tmp_path,
):
    write(tmp_path / "RESULTS.md", 5)
    records = [scored(tmp_path / "exp", s, t) for s, t in (("a", 10), ("b", 20))]
    assert told(tmp_path, *records) == []
    write(tmp_path / "RESULTS.md", 15)  # by --results, before b was scored again
    why = ("exp/b/greedy_last/test/score is newer",)
    assert told(tmp_path, *records) == [("RESULTS.md", "stale", why)]
    write(tmp_path / "exp" / "RESULTS.md", 20)
    assert told(tmp_path, *records) == [("exp/RESULTS.md", "done", ())]


def test_a_scoring_that_is_not_finished_is_no_error(tmp_path):
    """The whole table was an error while stage 9 ran, or after it was killed."""
    running = scored(tmp_path / "exp", "a", 10)
    (running.directory / "stage.json").rename(running.directory / "stage.open.json")
    write(tmp_path / "exp" / "RESULTS.md", 12)
    assert told(tmp_path, running) == []
    done = scored(tmp_path / "exp", "b", 11)
    assert told(tmp_path, running, done) == [("exp/RESULTS.md", "done", ())]


def test_a_page_that_is_older_than_its_scores_is_stale(tmp_path):
    records = [scored(tmp_path / "exp", s, t) for s, t in (("a", 10), ("b", 20))]
    write(tmp_path / "exp" / "RESULTS.md", 5)
    why = ("exp/a/greedy_last/test/score is newer (and 1 more)",)
    assert told(tmp_path, *records) == [("exp/RESULTS.md", "stale", why)]


def decoded(exp: Path, system: str, *files: str) -> Record:
    folder = exp / system / "greedy_last" / "test"
    folder.mkdir(parents=True)
    for name in ("stage.json", *files):
        write(folder / name, 10)
    return Record(folder, True, {"stage": "decode"}, exp.parent)


def test_a_run_whose_answers_are_text_alone_lacks_no_speech(tmp_path):
    """A finished run of --task asr had "8 vocode not run yet" for ever."""

    def lacks_speech(*records: Record) -> bool:
        return "vocode" in {place.stage for place in missing([], records)}

    assert lacks_speech()  # nothing is decoded yet
    text = decoded(tmp_path / "exp", "asr", "text.src")
    assert not lacks_speech(text)
    assert lacks_speech(text, replace(text, done=False))  # who may speak yet
    assert lacks_speech(text, decoded(tmp_path / "exp", "s2st", "units.tgt.scp"))
