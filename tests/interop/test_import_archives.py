"""Kaldi's archives of audio are imported as their files would be, and exported again."""

from dataclasses import replace

import kaldiio
import numpy as np
import pytest
import soundfile
from kaldi_copies import change, dropped
from test_import_data import options

from s2st_interleave.data import audio, kaldi
from s2st_interleave.interop import export_data, import_data
from s2st_interleave.stages import side_audio


@pytest.fixture
def archived(kaldi_dirs, tmp_path):
    """The same directories with the recordings in archives of kaldiio: WAV and FLAC."""
    root = tmp_path / "kaldi's archives"
    for language in ("es", "en"):
        folder = root / language
        folder.mkdir(parents=True)
        for path in (kaldi_dirs / language).glob("[tu]*t*"):
            (folder / path.name).write_bytes(path.read_bytes())
        table = kaldi.read_table(kaldi_dirs / language / "wav.scp")
        read = {k: soundfile.read(wav, dtype="int16") for k, wav in table.items()}
        if language == "es":
            signals = {k: (rate, signal) for k, (signal, rate) in read.items()}
            how = {}
        else:
            signals = read
            how = {"write_function": "soundfile", "write_kwargs": {"format": "flac"}}
        stem = str(folder / "wav.1")
        kaldiio.save_ark(f"{stem}.ark", signals, scp=str(folder / "wav.scp"), **how)
    return root


def test_recordings_in_archives_are_those_of_files(archived, data_dir, tmp_path):
    again = tmp_path / "data" / "test"
    import_data.run(options(again, src_dir=archived / "es", tgt_dir=archived / "en"))
    for side in ("src", "tgt"):
        for utterance, wav in kaldi.DataDir(again).wavs(side).items():
            same = data_dir.wavs(side)[utterance]
            assert np.array_equal(audio.read(wav), audio.read(same))


def test_segments_of_a_recording_in_an_archive_are_cut(archived, tmp_path):
    folder = archived / "es"
    (folder / "segments").write_text(
        "u1 u3 0 0.5\nu2 u3 0.5 1.0\nu3 u3 1.0 2.0\nu4 u4 0 -1\n"
    )
    again = tmp_path / "data" / "test"
    import_data.run(options(again, src_dir=folder, tgt_dir=archived / "en"))
    wavs = kaldi.DataDir(again).wavs("src")
    place = kaldi.read_table(folder / "wav.scp")["u3"]
    whole = audio.read(folder / place.rpartition("/")[2])
    parts = [audio.read(wavs[utterance]) for utterance in ("u1", "u2", "u3")]
    assert np.abs(np.concatenate(parts) - whole).max() < 1e-4  # 16 bits


def test_what_was_exported_from_archives_is_imported_again(
    archived, tmp_path, monkeypatch
):
    monkeypatch.setattr(side_audio, "PART", 3)
    first, again = tmp_path / "data" / "test", tmp_path / "data" / "again"
    asked = options(
        first, src_dir=archived / "es", tgt_dir=archived / "en", audio_format="ark"
    )
    import_data.run(asked)
    for side in ("src", "tgt"):
        out = tmp_path / "out" / side
        export_data.run(export_data.Options(data_dir=first, side=side, out_dir=out))
        for utterance, place in kaldi.read_table(out / "wav.scp").items():
            rate, samples = kaldiio.load_mat(place)
            wav = kaldi.DataDir(first).wavs(side)[utterance]
            assert rate == audio.SAMPLE_RATE
            assert np.array_equal(samples.astype(np.float32), audio.read(wav))
    import_data.run(
        replace(
            asked,
            src_dir=tmp_path / "out" / "src",
            tgt_dir=tmp_path / "out" / "tgt",
            data_dir=again,
            audio_dir=tmp_path / "audio again",
        )
    )
    for utterance, wav in kaldi.DataDir(again).wavs("tgt").items():
        same = kaldi.DataDir(first).wavs("tgt")[utterance]
        assert np.array_equal(audio.read(wav), audio.read(same))


@pytest.mark.parametrize("damage", ["cut", "offset", "gone"])
def test_a_damaged_archive_costs_the_utterances_that_it_lost(archived, damage):
    archive, scp = archived / "es" / "wav.1.ark", archived / "es" / "wav.scp"
    place = kaldi.read_table(scp)["u4"]
    if damage == "cut":
        archive.write_bytes(archive.read_bytes()[:-100])
    elif damage == "offset":
        place = place.rpartition(":")[0] + ":12345"
        change(scp, kaldi.read_table(scp)["u4"], place)
    else:
        place = place.replace("wav.1", "wav.2")
        change(scp, kaldi.read_table(scp)["u4"], place)
    asked = options(
        archived.parent / "data" / "train",
        src_dir=archived / "es",
        tgt_dir=archived / "en",
        split="train",
        max_drop_rate=0.3,
    )
    import_data.run(asked)
    reasons = dropped(asked.data_dir)
    assert reasons.keys() == {"u4"}
    assert reasons["u4"].startswith("no audio, src is ")
    message = {"cut": "breaks off after", "offset": "no recording starts at"}
    assert place in reasons["u4"] and message.get(damage, "missing") in reasons["u4"]
