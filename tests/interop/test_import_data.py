"""Directories of Kaldi and ESPnet become stage 1's, and come out again."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio, kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.interop import export_data, import_data

SECONDS = {"u1": 1.0, "u2": 1.5, "u3": 2.0, "u4": 0.8}


def options(data, audio_name="more audio", **more) -> import_data.Options:
    root = data.parents[1]
    values = {
        "src_lang": "es",
        "split": "test",
        "data_dir": data,
        "audio_dir": root / "dump" / audio_name,
    }
    return import_data.Options(**values | more)


def test_it_is_a_data_directory_of_stage_1(data_dir):
    assert data_dir.texts("es")["u2"] == "La casa roja."
    assert data_dir.texts("en")["u3"] == "a cat and a well-known dog"
    assert data_dir.durations("en") == SECONDS
    samples = audio.read(data_dir.wavs("es")["u2"])
    assert len(samples) == 24_000  # 1.5 s at 16 kHz, one channel
    assert kaldi.read_table(data_dir.path / "spk2utt") == {
        "spk0": "u2 u4",
        "spk1": "u1 u3",
    }
    done = read_json(data_dir.path / "stage.json")
    assert done["stage"] == "data" and done["counts"]["out"] == 4
    assert {"src.wav.scp", "tgt.text", "src.utt2spk", "clips"} <= done["inputs"].keys()


def test_exported_and_imported_again_it_is_the_same(data_dir, tmp_path):
    for side in ("src", "tgt"):
        out = tmp_path / "kaldi" / side
        export = export_data.Options(
            data_dir=data_dir.path, side=side, out_dir=out, speakers="corpus"
        )
        export_data.run(export)
    with pytest.raises(ValueError, match="is not empty"):
        export_data.run(export)
    again = tmp_path / "data" / "test"
    kaldi_dir = tmp_path / "kaldi"
    asked = options(again, src_dir=kaldi_dir / "src", tgt_dir=kaldi_dir / "tgt")
    import_data.run(asked)
    for name in ("text.src", "text.tgt", "utt2dur.src", "sides", "utt2spk", "spk2utt"):
        assert (again / name).read_bytes() == (data_dir.path / name).read_bytes()
    for utterance, wav in kaldi.DataDir(again).wavs("en").items():
        same = data_dir.wavs("en")[utterance]
        assert np.array_equal(audio.read(wav), audio.read(same))


def test_speakers_are_sorted_with_utterances_as_kaldi_wants_them(data_dir, tmp_path):
    out = tmp_path / "kaldi"
    export = export_data.Options(data_dir=data_dir.path, side="src", out_dir=out)
    export_data.run(export)
    lines = (out / "utt2spk").read_text().splitlines()
    assert len(lines) == 4
    assert lines == sorted(lines, key=lambda line: line.split()[::-1])


def test_an_espnet_directory_of_two_languages(data_dir, tmp_path):
    """data/<split> itself is one."""
    again = tmp_path / "data" / "test"
    import_data.run(options(again, src_dir=data_dir.path, tgt_dir=data_dir.path))
    assert kaldi.DataDir(again).texts("en") == data_dir.texts("en")


def test_segments_are_cut(kaldi_dirs, tmp_path, data_dir):
    """All utterances of a side in one recording, one after the other."""
    folder = tmp_path / "segmented"
    folder.mkdir()
    parts = [
        audio.read(kaldi.DataDir(data_dir.path).wavs("es")[u]) for u in sorted(SECONDS)
    ]
    soundfile.write(folder / "all.wav", np.concatenate(parts), 16_000, subtype="PCM_16")
    (folder / "wav.scp").write_text(f"all {folder / 'all.wav'}\n")
    (folder / "text").write_bytes((kaldi_dirs / "es" / "text").read_bytes())
    lines, start = "", 0.0
    for utterance in sorted(SECONDS):
        last = utterance == max(SECONDS)
        end = start + SECONDS[utterance]
        lines += f"{utterance} all {start} {-1 if last else end}\n"
        start = end
    (folder / "segments").write_text(lines)
    again = tmp_path / "data" / "test"
    asked = options(again, src_dir=folder, tgt_dir=kaldi_dirs / "en")
    import_data.run(asked)
    for utterance, wav in kaldi.DataDir(again).wavs("es").items():
        assert np.array_equal(
            audio.read(wav), audio.read(data_dir.wavs("es")[utterance])
        )
    assert [p.name for p in asked.audio_dir.parent.iterdir()] == [asked.audio_dir.name]

    for times, message in {
        "9 10": r"9..10 s is not within the 5.3",
        "1 -4": r"1..-4 s is not within the 5.3",  # -1 alone is the end
        "5.35 5.36": r"5.35..5.36 s is not within the 5.3",  # behind it, by rounding
        "1 1.00001": "1..1.00001 s: no audio in it, not one sample",
        "1 1.0003": "1..1.0003 s: no audio in it, 5 samples",
    }.items():
        lost = lines.replace("u2 all 1.0 2.5", f"u2 all {times}")
        (folder / "segments").write_text(lost)
        with pytest.raises(ValueError, match=f"1 of 4 .*\n.* utterance u2: {message}"):
            import_data.run(replace(asked, data_dir=tmp_path / "other", overwrite=True))


@pytest.mark.parametrize(
    ("name", "new", "message"),
    [
        ("wav.scp", "u2 sox x.mp3 -t wav - |", "u2 is a pipe .* which is not run"),
        ("wav.scp", "u2 | sox x.mp3", "u2 is a pipe .* which is not run"),
        ("wav.scp", "u2 raw.ark:12", r"u2: no audio, src is missing: raw\.ark:12"),
        ("wav.scp", "u2 raw.ark:12[0:9]", "u2 is a part of a recording"),
        ("text", "u2 a\nu2 b", "text:3: u2 occurs twice"),
        ("text", "", "text: 1 utterances .* are missing, first u2"),
    ],
)
def test_what_cannot_be_read_is_named(kaldi_dirs, tmp_path, name, new, message):
    folder = tmp_path / "es"
    shutil.copytree(kaldi_dirs / "es", folder)
    lines = (folder / name).read_text().splitlines()
    lines[1:2] = [new] if new else []
    (folder / name).write_text("\n".join(lines) + "\n")
    asked = options(tmp_path / "data" / "x", src_dir=folder, tgt_dir=kaldi_dirs / "en")
    with pytest.raises(ValueError, match=message):
        import_data.run(asked)
    assert not (tmp_path / "data" / "x" / "stage.json").exists()


@pytest.mark.parametrize(
    ("speaker", "message"),
    [
        ("John Smith", "utterance u2: speaker 'John Smith' has a space"),
        ("", "no speaker"),
    ],
)
def test_a_speaker_that_is_none_is_told_before_audio_is_read(
    kaldi_dirs, tmp_path, speaker, message
):
    """It was told after all audio, of a table that the stage had written itself."""
    theirs = tmp_path / "theirs"
    shutil.copytree(kaldi_dirs / "es", theirs)
    lines = (theirs / "utt2spk").read_text().splitlines()
    (theirs / "utt2spk").write_text(
        "\n".join([lines[0], f"u2 {speaker}", *lines[2:], ""])
    )
    again = tmp_path / "data" / "test"
    asked = options(again, src_dir=theirs, tgt_dir=kaldi_dirs / "en")
    with pytest.raises(UserError, match=rf"theirs/utt2spk: .*{message}"):
        import_data.run(asked)
    assert not (tmp_path / "dump").exists()
