"""What is kept to save time is taken up only whole, and only of what it was made from."""

import os
import shutil
import tarfile
from pathlib import Path

import kaldiio
import numpy as np
import pytest

from s2st_interleave.data.archive import listed
from s2st_interleave.files import file_digest
from s2st_interleave.interop import unit_files
from s2st_interleave.record import digest
from s2st_interleave.score import asr_cache
from s2st_interleave.score.asr import AsrOptions
from s2st_interleave.score.metrics import mos
from s2st_interleave.score.metrics.mos import MosOptions
from s2st_interleave.score.records import AsrDescription

# --- archives ---


def pack(path: Path, **files: str) -> Path:
    folder = path.parent / "to pack"
    folder.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, text in files.items():
            (folder / name).write_text(text)
            tar.add(folder / name, arcname=f"./clips/{name}")
    return path


def test_tables_that_were_removed_are_unpacked_again(tmp_path, capsys):
    archive = pack(tmp_path / "es.tar", **{"a.tsv": "one", "b.tsv": "two"})
    content = listed(archive, tmp_path / "out")
    folder = content.tables / "clips"
    for gone in (folder / "b.tsv", folder, content.tables):
        shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
        assert listed(archive, tmp_path / "out") == content
        assert "listing" in capsys.readouterr().out
        assert (folder / "b.tsv").read_text() == "two"
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["es"]


def test_an_archive_counts_by_content(tmp_path):
    archive = pack(tmp_path / "es.tar", a="one")
    content = listed(archive, tmp_path / "out")
    os.utime(archive, (1, 1))  # copied without its time
    assert listed(archive, tmp_path / "out") == content
    size = archive.stat().st_size
    pack(archive, a="two")
    assert archive.stat().st_size == size
    with pytest.raises(
        ValueError, match=r"another archive .*: remove it .*--unpack_dir"
    ):
        listed(archive, tmp_path / "out")


# --- what was heard ---


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Ids given to a recogniser that hears nothing, and to a predictor of quality."""
    ids: list[str] = []

    def transcribe(wavs, options, on_text):
        for utterance in wavs:
            ids.append(utterance)
            on_text(utterance, "" if utterance == "silent" else "hello there")

    def predict(wavs, options, on_score):
        for utterance in wavs:
            ids.append(utterance)
            on_score(utterance, 3.25)

    about = AsrDescription("b", "1", "tiny.en", "0" * 64, "float32", "en")
    monkeypatch.setattr(asr_cache, "transcribe", transcribe)
    monkeypatch.setattr(asr_cache, "describe", lambda options: about)
    monkeypatch.setattr(mos, "predict", predict)
    monkeypatch.setattr(mos, "describe", lambda options: {"p": "1"})
    return ids


def test_a_file_that_was_cut_off_is_not_a_text(asked, tmp_path):
    """Nothing heard is a result, an empty file is none."""
    wavs = {name: tmp_path / name for name in ("silent", "spoken")}
    for name, path in wavs.items():
        path.write_text(name)
    options, cache = AsrOptions(model="tiny.en"), tmp_path / "cache"
    texts = {"silent": "", "spoken": "hello there"}
    for _ in range(2):
        assert asr_cache.recognise(wavs, options, cache) == texts
    assert asked == ["silent", "spoken"]
    for kept in ("", "hello"):
        asked.clear()
        for path in cache.iterdir():
            path.write_text(kept)
        assert asr_cache.recognise(wavs, options, cache) == texts
        assert asked == ["silent", "spoken"]


@pytest.mark.parametrize("end", [-1, -2, 10, 0])
def test_a_number_that_was_cut_off_is_not_a_score(asked, tmp_path, end):
    wav, cache = tmp_path / "wav", tmp_path / "cache"
    wav.write_text("audio")
    for _ in range(2):
        assert mos.rate({"u": wav}, MosOptions(), cache) == {"u": 3.25}
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:end])
    assert mos.rate({"u": wav}, MosOptions(), cache) == {"u": 3.25}
    assert asked == ["u"] * 2


def test_the_cache_of_an_earlier_version_is_read_where_it_is_whole(asked, tmp_path):
    """It kept a file for each recording, which ended with a line feed."""
    wav, cache = tmp_path / "wav", tmp_path / "cache"
    wav.write_text("audio")
    made_by = [{"p": "1"}, file_digest(wav)]
    cache.mkdir()
    (cache / f"{digest(made_by)}.txt").write_text("4.5\n")
    assert mos.rate({"u": wav}, MosOptions(), cache) == {"u": 4.5}
    (cache / f"{digest(made_by)}.txt").write_text("4.")
    assert mos.rate({"u": wav}, MosOptions(), cache) == {"u": 3.25}
    assert asked == ["u"]


def test_texts_of_another_tokenizer_are_not_those_of_the_model(asked, tmp_path):
    model, wav = tmp_path / "whisper", tmp_path / "wav"
    model.mkdir()
    wav.write_text("audio")
    options = AsrOptions(model=str(model))
    for words in ("a b", "a b", "a c"):
        (model / "vocabulary.txt").write_text(words)
        asr_cache.recognise({"u": wav}, options, tmp_path / "cache")
    assert asked == ["u", "u"]


# --- units of other toolkits ---


def test_units_count_with_the_names_they_have(tmp_path):
    km, manifest = tmp_path / "x.km", tmp_path / "x.tsv"
    km.write_text("1 2\n3 4\n")
    manifest.write_text("/root\na.wav\t1\nb.wav\t2\n")
    before = unit_files.fingerprint(km, "fairseq")
    manifest.write_text("/root\nb.wav\t1\na.wav\t2\n")
    assert unit_files.fingerprint(km, "fairseq") != before


def test_an_scp_counts_with_all_that_it_names(tmp_path):
    """Arks of several jobs, whose names are not the scp's."""
    lines = ""
    for job, name in enumerate("ab", 1):
        stem = tmp_path / f"raw.{job}"
        kaldiio.save_ark(
            f"{stem}.ark", {name: np.arange(job, dtype=np.int32)}, scp=f"{stem}.scp"
        )
        lines += Path(f"{stem}.scp").read_text()
    scp = tmp_path / "units.scp"
    scp.write_text(lines)
    before = unit_files.fingerprint(scp, "scp")
    shutil.copytree(tmp_path, tmp_path.parent / "moved")
    moved = tmp_path.parent / "moved" / "units.scp"
    moved.write_text(lines.replace(str(tmp_path), str(moved.parent)))
    assert unit_files.fingerprint(moved, "scp") == before
    scp.write_text(lines.replace("a ", "c "))
    assert unit_files.fingerprint(scp, "scp") != before
    scp.write_text(lines)
    ark = tmp_path / "raw.2.ark"
    ark.write_bytes(ark.read_bytes()[:-1] + b"\7")
    assert unit_files.fingerprint(scp, "scp") != before
