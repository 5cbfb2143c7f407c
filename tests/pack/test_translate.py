"""`s2st-translate`: what it reads, where answers go, and what it refuses."""

import io
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_pack

from s2st_interleave import __main__ as command_line
from s2st_interleave import hub
from s2st_interleave.pack import paths, speech_file, translate


@pytest.fixture
def loaded(translator, monkeypatch, tmp_path_factory):
    """The model is not read from disk each time; `names` of those that were asked for."""
    names: list[str] = []
    described = tmp_path_factory.mktemp("m")
    translator.description.write(described)
    monkeypatch.setattr(hub, "snapshot", {"m": described}.__getitem__)

    def load(_, name, *, min_sec, max_sec, min_dbfs, channels, **more):
        from s2st_interleave.pack.clips import Bounds

        names.append(name)
        return replace(translator, bounds=Bounds(min_sec, max_sec, min_dbfs, channels))

    monkeypatch.setattr(type(translator), "from_pretrained", classmethod(load))
    return names


def run(*words: object) -> int:
    return command_line.main(["translate", "--model", "m", *map(str, words)])


@pytest.mark.parametrize(
    ("seconds", "silent", "message"),
    [
        (0.05, False, "0.05 s is too short"),
        (31.0, False, "more than the 30 s that are translated"),
        (2.0, True, "silent: its level is -120.0 dBFS"),
    ],
)
def test_what_is_not_translated_is_refused_before_a_model_is_loaded(
    tmp_path, record, loaded, capsys, seconds, silent, message
):
    path = record(tmp_path / "in.wav", seconds, silent=silent)
    assert run(path, "--out", tmp_path / "out.wav") == 1
    assert message in capsys.readouterr().err and loaded == []


def test_folders_patterns_and_files_keep_their_names(tmp_path, record):
    a, b = tmp_path / "a", tmp_path / "b"
    for path in (a / "x.wav", a / "sub/y.mp3", a / ".hidden/z.wav", b / "one.wav"):
        record(path)
    (a / "notes.txt").write_text("no recording")
    record(a / "out/old.wav")  # of an earlier run: no recording to translate
    out = a / "out"
    work = paths.plan([str(a), str(b / "*.wav"), str(a / "x.wav")], str(out))
    told = {str(w.source.relative_to(tmp_path)): w.target for w in work}
    assert told == {
        "a/sub/y.mp3": out / "sub" / "y.wav",
        "a/x.wav": out / "x.wav",
        "b/one.wav": out / "one.wav",
    }
    deep = paths.plan([str(tmp_path / "*")], str(out))
    assert [w.target.relative_to(out) for w in deep] == [
        Path("a/sub/y.wav"),
        Path("a/x.wav"),
        Path("b/one.wav"),
    ]


@pytest.mark.parametrize(
    ("names", "targets"),
    [
        (["a/x.wav", "a/x.mp3"], ["x.mp3.wav", "x.wav.wav"]),
        (["a/x.wav", "b/x.wav"], ["a/x.wav.wav", "b/x.wav.wav"]),
        (["a/x.wav", "a/X.wav"], ["X.wav.wav", "x.wav.wav"]),
        (
            ["a/x.mp3", "a/x.wav", "b/x.mp3"],
            ["a/x.mp3.wav", "a/x.wav.wav", "b/x.mp3.wav"],
        ),
    ],
)
def test_two_recordings_never_share_a_name(tmp_path, record, names, targets):
    words = [str(record(tmp_path / name)) for name in names]
    work = paths.plan(words, "out")
    assert sorted(str(each.target) for each in work) == [f"out/{t}" for t in targets]
    again = paths.plan(words[::-1], "out")
    assert {w.source: w.target for w in again} == {w.source: w.target for w in work}


@pytest.mark.parametrize(
    ("words", "out", "message"),
    [
        ([], "out", "no recording to translate"),
        (["z.wav"], "out", "z.wav: no such recording"),
        (["*.flac"], "out", r"\*.flac: no such recording"),
        (["empty"], "out", "empty: no recording in this folder"),
        (["x.wav"], "x.txt", "x.txt: speech cannot be written as '.txt'"),
        (["x.wav", "y.wav"], "y.flac", "--out y.flac: 2 recordings want a folder"),
        (["x.wav", "y.wav"], "-", "--out -: 2 recordings want a folder"),
        (["x.wav"], ".", "x.wav is a recording to translate, which its answer would"),
        (["*.wav"], ".", "*.wav: what it names lies below --out "),
        (["."], ".", "take another folder, such as --out "),
        (["empt*"], "out", r"empt\*: no recording in the folders that it matches"),
        (["gone.wav"], "out", "gone.wav: a link to nowhere.wav, which is not there"),
        ([""], "out", "'' names no recording: is a variable empty"),
    ],
)
def test_what_is_named_wrongly_says_so(
    tmp_path, record, monkeypatch, loaded, capsys, words, out, message
):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("gone.wav").symlink_to("nowhere.wav")
    for name in ("x.wav", "y.wav"):
        record(Path(name))
    assert run(*words, "--out", out, "--overwrite", "true") == 1
    assert message.replace("\\", "") in capsys.readouterr().err and loaded == []


def test_an_ending_that_this_libsndfile_lacks_is_refused(tmp_path, record, monkeypatch):
    monkeypatch.setattr(speech_file, "endings", lambda: [".wav", ".flac"])
    with pytest.raises(
        ValueError, match=r"x\.mp3: speech cannot be written as '\.mp3' here"
    ):
        paths.plan([str(record(tmp_path / "a.wav"))], "x.mp3")
    folder = tmp_path / "v.old"
    folder.mkdir()
    for out in ("v1.0", str(folder)):
        (work,) = paths.plan([str(tmp_path / "a.wav")], out)
        assert work.target == Path(out) / "a.wav"


@pytest.mark.parametrize("ending", [".wav", ".flac", ".aiff", ".ogg", ".mp3"])
def test_speech_is_written_as_the_ending_says(tmp_path, ending):
    tone = np.sin(np.arange(16_000) / 9).astype(np.float32) / 2
    path = tmp_path / f"it's out{ending.upper()}"
    speech_file.write(path, tone, 16_000)
    samples, rate = soundfile.read(path)
    assert rate == 16_000 and abs(len(samples) - 16_000) < 2500
    assert abs(np.std(samples) - np.std(tone)) < 0.02


def test_a_folder_is_translated_and_told(tmp_path, record, loaded, capsys, translator):
    for k in range(3):
        record(tmp_path / f"in/{k}.wav", 0.5 + k / 4)
    out = tmp_path / "out"
    assert run(tmp_path / "in", "--out", out) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"{tmp_path}/in/0.wav -> {out}/0.wav"
    said = translator(tmp_path / "in/1.wav")
    assert told[4:6] == [f"  es: {said.transcript}", f"  en: {said.translation}"]
    assert len(soundfile.read(out / "1.wav")[0]) == len(said.samples)
    assert len(loaded) == 1


def test_the_same_command_goes_on_where_it_was(tmp_path, record, loaded, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    for k in range(3):
        record(folder / f"{k}.wav", 0.5 + k / 4)
    assert run(folder, "--out", out) == 0
    (out / "1.wav").unlink()
    assert run(folder, "--out", out) == 1
    assert "pass --overwrite true, --skip_existing true" in capsys.readouterr().err
    before = (out / "0.wav").stat().st_mtime_ns
    assert run(folder, "--out", out, "--skip_existing", "true") == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{folder}/1.wav -> ") and "0.wav" not in told.out
    assert "1 of 3 translated, 2 were there" in told.err
    assert (out / "0.wav").stat().st_mtime_ns == before and (out / "1.wav").exists()


def test_json_has_a_line_a_recording_bad_ones_too(tmp_path, record, loaded, capsys):
    folder = tmp_path / "in"
    record(folder / "a.wav", 1.0)
    record(folder / "b.wav", 2.0, silent=True)
    (folder / "c.wav").write_text("<html>404</html>")
    record(folder / "d.wav", 1.5)
    words = [folder, "--out", tmp_path / "out", "--json", "true", "--skip_bad", "true"]
    assert run(*words) == 1
    told = capsys.readouterr()
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert [Path(line["input"]).name for line in lines] == [f"{x}.wav" for x in "abcd"]
    assert [line.get("kind") for line in lines] == [
        None,
        "silent",
        "cannot be read",
        None,
    ]
    assert (
        lines[0]["output"] == str(tmp_path / "out/a.wav") and lines[1]["output"] is None
    )
    assert "it is text: '<html>404</html>'" in lines[2]["error"]
    assert lines[3]["seconds"] == 1.5 and lines[3]["times"]["unit_sec"] == 0.04
    assert "2 of 4 translated, 2 bad (1 cannot be read, 1 silent)" in told.err


def test_those_before_a_bad_one_are_written(tmp_path, record, loaded, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    record(folder / "a.wav")
    record(folder / "b.wav", silent=True)
    record(folder / "c.wav")
    assert run(folder, "--out", out) == 1
    assert "b.wav: silent" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["a.wav"]


def test_results_come_while_others_are_waited_for(
    tmp_path, record, loaded, capsys, monkeypatch, translator
):
    """Two are in memory at a time, and their answers are told before the next are read."""
    monkeypatch.setattr(translate, "AT_ONCE", 2)
    most = []
    answer = type(translator).answer

    def counted(self, recordings):
        most.append((len(recordings), len(list((tmp_path / "out").glob("*")))))
        return answer(self, recordings)

    monkeypatch.setattr(type(translator), "answer", counted)
    for k in range(5):
        record(tmp_path / f"in/{k}.wav", 0.5)
    assert run(tmp_path / "in", "--out", tmp_path / "out") == 0
    assert most == [(2, 0), (2, 2), (1, 4)]


class Pipe(io.TextIOWrapper):
    def __init__(self, content: bytes = b""):
        super().__init__(io.BytesIO(content), encoding="utf-8")


def test_standard_input_becomes_standard_output(
    tmp_path, record, loaded, monkeypatch, translator
):
    path = record(tmp_path / "in.wav", 1.2)
    stdin, stdout, stderr = Pipe(path.read_bytes()), Pipe(), Pipe()
    for name, stream in (("stdin", stdin), ("stdout", stdout), ("stderr", stderr)):
        monkeypatch.setattr(f"sys.{name}", stream)
    assert run("-", "--out", "-") == 0
    said = translator(path)
    expected = speech_file.encoded(said.samples, said.rate)
    assert stdout.buffer.getvalue() == expected
    stderr.flush()
    assert f"  en: {said.translation}" in stderr.buffer.getvalue().decode()


def test_a_model_of_texts_went_by_speech_files_that_it_never_writes(
    tmp_path, record, capsys, tmp_path_factory
):
    model = tmp_path_factory.mktemp("model of texts") / "packed"
    tiny_pack.write(model, "src_speech -> src_text tgt_text")
    a, out = record(tmp_path / "a.wav"), tmp_path / "out"
    record(out / "a.wav")  # by a model that speaks
    before = (out / "a.wav").read_bytes()
    words = ["translate", "--model", str(model), str(a), "--json", "true", "--out"]
    for more in ([str(out)], [str(out), "--skip_existing", "true"], ["-"]):
        assert command_line.main([*words, *more]) == 0
        (line,) = map(json.loads, capsys.readouterr().out.splitlines())
        assert line["input"] == str(a) and line["output"] is None
    assert (out / "a.wav").read_bytes() == before
    assert command_line.main([*words, str(tmp_path / "x.wav")]) == 1
    assert "this model answers in text alone" in capsys.readouterr().err


def test_folders_that_are_linked_are_read_once_each(tmp_path, record):
    record(tmp_path / "far" / "b.wav")
    record(tmp_path / "in" / "a.wav")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "far")
    (tmp_path / "in" / "link" / "back").symlink_to(tmp_path / "in")
    work = paths.plan([str(tmp_path / "in")], str(tmp_path / "out"))
    targets = [each.target.relative_to(tmp_path / "out") for each in work]
    assert targets == [Path("a.wav"), Path("link/b.wav")]


def test_a_name_that_is_not_in_utf_8_was_a_traceback_that_lost_the_others(
    loaded, tmp_path, record, capsys
):
    good = record(tmp_path / "in" / "a.wav")
    Path(os.fsdecode(os.fsencode(good.parent) + b"/b\xff.wav")).write_bytes(
        good.read_bytes()
    )
    words = (good.parent, "--out", tmp_path / "out", "--skip_bad", "true")
    assert run(*words, "--json", "true") == 1
    told = capsys.readouterr()
    assert "its name is not in UTF-8: rename it" in told.err
    first, second = map(json.loads, told.out.splitlines())
    assert Path(first["output"]).is_file() and second["kind"] == "cannot be read"
