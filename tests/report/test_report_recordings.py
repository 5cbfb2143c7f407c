"""The recordings of a report: those of its recipe, or a note on what is wrong with one."""

import shutil

import soundfile
from tiny_report import article, options, report, scored

from s2st_interleave.data import kaldi
from s2st_interleave.report import sounds


def test_recordings_of_the_current_directory_were_played_for_those_of_another(
    recipe, tmp_path, monkeypatch
):
    """Both recipes name audio/src/u0.wav, and so on, from their own directory."""
    for name in ("here", "there"):
        shutil.copytree(recipe, tmp_path / name)
        for table in (tmp_path / name).rglob("wav.scp*"):
            wavs = kaldi.read_table(table)
            assert all(wav.startswith(f"{recipe}/") for wav in wavs.values())
            own = {k: wav.removeprefix(f"{recipe}/") for k, wav in wavs.items()}
            kaldi.write_table(table, own)
    for wav in (tmp_path / "here").rglob("*.wav"):
        samples, rate = soundfile.read(wav)
        soundfile.write(wav, [*samples, *samples], rate)
    (tmp_path / "neutral").mkdir()
    pages = []
    for cwd in ("neutral", "here"):
        monkeypatch.chdir(tmp_path / cwd)
        pages.append(report(tmp_path, options(tmp_path / "there")))
    assert pages[0] == pages[1] and "cannot be played" not in pages[0]


def test_a_recording_that_is_gone_is_a_note(tmp_path):
    folder = scored(tmp_path, "baseline")
    kaldi.write_table(folder / "vocode" / "wav.scp", {"u0": "gone.wav"})
    html = report(tmp_path, options(tmp_path, ids=("u0",), num_examples=0))
    assert "cannot be played: " in article(html, "u0")


def test_a_recording_in_an_archive_is_played_wherever_the_command_is_run(
    recipe, tmp_path, monkeypatch
):
    wav = kaldi.DataDir(recipe / "data" / "test").wavs("src")["u0"].read_bytes()
    scored(tmp_path, "baseline")
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump" / "wav.1.ark").write_bytes(b"u0 " + wav)
    data = kaldi.DataDir(tmp_path / "data" / "test")
    kaldi.write_table(data.file("wav.scp", "src"), {"u0": "dump/wav.1.ark:3"})
    monkeypatch.chdir("/")
    html = report(tmp_path, options(tmp_path, ids=("u0",), num_examples=0))
    assert "cannot be played" not in html and "source (es), 1.20 s" in html


def test_a_damaged_recording_is_none_that_an_encoder_aligns(recipe, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(recipe, copy)
    kinds = [sounds.can_be_read(wav) for wav in copy.rglob("*.wav")]
    assert all(kinds) and kinds
    whole = next(copy.rglob("*.wav"))
    content = whole.read_bytes()
    for damaged in (content[: len(content) // 3], b"", b"text"):
        whole.write_bytes(damaged)
        assert not sounds.can_be_read(whole)
