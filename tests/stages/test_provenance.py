"""16 kHz audio is valid only together with the recordings that it was made from."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from s2st_interleave import __main__ as command
from s2st_interleave.data import audio, decoder, kaldi
from s2st_interleave.files import read_json, write_json
from s2st_interleave.interop import import_data
from s2st_interleave.record import digest
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages import tsv_corpus

IDS = ("u1", "u2", "u3")


@pytest.fixture
def corpus(tmp_path) -> Path:
    """Three utterances of each split; es/<id>.wav is 2 s of noise."""
    rng = np.random.default_rng(0)
    root = tmp_path / "my corpus"
    lines = ["id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text\tsplit"]
    for language in ("es", "en"):
        (root / language).mkdir(parents=True)
    for split in ("train", "dev", "test"):
        for name in (f"{split}_{k}" for k in IDS):
            for language in ("es", "en"):
                noise(root / language / f"{name}.wav", rng)
            lines.append(f"{name}\tes/{name}.wav\thola\ten/{name}.wav\thello\t{split}")
    (root / "my.tsv").write_text("\n".join(lines) + "\n")
    return root


def noise(path: Path, rng: np.random.Generator) -> None:
    soundfile.write(path, 0.1 * rng.standard_normal(48_000), 24_000)


def options(corpus: Path, split: str = "test", **more) -> tsv_corpus.Options:
    where = corpus.parent
    values = {
        "tsv": corpus / "my.tsv",
        "data_dir": where / "data" / split,
        "audio_dir": where / "dump" / "audio" / split,
    }
    return tsv_corpus.Options(**values | {"split": split, "src_lang": "es"} | more)


def stage_1(corpus: Path, *more: str, split: str = "test") -> int:
    """As a user types it."""
    given = options(corpus, split)
    words = ["own", "--tsv", given.tsv, "--split", split, "--src_lang", "es"]
    words += ["--data_dir", given.data_dir, "--audio_dir", given.audio_dir]
    return command.main([*map(str, words), *more])


def flacs(given: tsv_corpus.Options) -> dict[str, int]:
    """When each 16 kHz file was written, by name."""
    paths = sorted(given.audio_dir.rglob("*.flac"))
    return {f"{p.parent.name}/{p.stem}": p.stat().st_mtime_ns for p in paths}


def written_since(given: tsv_corpus.Options, before: dict[str, int]) -> set[str]:
    return {name for name, when in flacs(given).items() if before.get(name) != when}


def loudness(given: tsv_corpus.Options, utterance: str) -> float:
    wav = kaldi.DataDir(given.data_dir).wavs("es")[utterance]
    return float(np.abs(audio.read(wav)).max())


def test_silence_never_stands_in_for_a_recording_that_was_mended(corpus, capsys):
    """The issue's example: zeros at the right size, then the good file."""
    broken = corpus / "es" / "test_u2.wav"
    good = broken.read_bytes()
    broken.write_bytes(bytes(len(good)))
    assert stage_1(corpus) == 1
    assert "test_u2: no audio, src is broken" in capsys.readouterr().err
    before = flacs(options(corpus))
    broken.write_bytes(good)
    assert stage_1(corpus) == 0
    given = options(corpus)
    assert loudness(given, "test_u2") > 0.1
    assert kaldi.DataDir(given.data_dir).durations("es")["test_u2"] == 2.0
    assert written_since(given, before) == {"src/test_u2"}


def test_a_train_set_that_failed_goes_on_when_its_file_and_an_option_are_mended(corpus):
    missing = corpus / "es" / "train_u1.wav"
    missing.rename(corpus / "elsewhere")
    with pytest.raises(ValueError, match="1 of 3 utterances of train are unusable"):
        tsv_corpus.run(options(corpus, "train"))
    before = flacs(options(corpus, "train"))
    (corpus / "elsewhere").rename(missing)
    tsv_corpus.run(options(corpus, "train", min_sec=0.2))
    given = options(corpus, "train", min_sec=0.2)
    assert len(kaldi.DataDir(given.data_dir).texts("es")) == 3
    assert written_since(given, before) == {"src/train_u1", "tgt/train_u1"}


def test_a_stand_in_of_a_finished_split_gives_way_when_it_is_asked_to(corpus, capsys):
    lost = corpus / "es" / "dev_u3.wav"
    good = lost.read_bytes()
    lost.unlink()
    given = options(corpus, "dev", max_missing_rate=0.5)
    tsv_corpus.run(given)
    before = flacs(given)
    assert kaldi.DataDir(given.data_dir).silent("es") == {"dev_u3"}
    lost.write_bytes(good)
    with pytest.raises(
        ValueError, match=r"dev_u3: .*dev_u3\.wav was missing\n.*--over"
    ):
        tsv_corpus.run(given)
    tsv_corpus.run(replace(given, overwrite=True))
    assert kaldi.DataDir(given.data_dir).silent("es") == set()
    assert not (given.data_dir / "faults.src").exists()
    assert loudness(given, "dev_u3") > 0.1
    assert written_since(given, before) == {"src/dev_u3"}


@pytest.mark.parametrize("set_back", [False, True])
def test_replaced_recordings_of_the_same_size_are_noticed(corpus, set_back):
    """Denoised, rescaled ...; with --overwrite only what differs is converted."""
    given = options(corpus)
    tsv_corpus.run(given)
    downstream = Input(given.data_dir, "data").fingerprint()
    before = flacs(given)
    for name in ("test_u1", "test_u3"):
        path = corpus / "es" / f"{name}.wav"
        state = path.stat()
        noise(path, np.random.default_rng(7))
        assert path.stat().st_size == state.st_size
        if set_back:
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(ValueError) as error:
        tsv_corpus.run(given)
    said = str(error.value)
    assert f"test_u1: {corpus}/es/test_u1.wav has other content" in said
    assert "test_u2" not in said and "--overwrite true" in said
    tsv_corpus.run(replace(given, overwrite=True))
    assert written_since(given, before) == {"src/test_u1", "src/test_u3"}
    new = audio.read(corpus / "es" / "test_u1.wav")
    kept = audio.read(kaldi.DataDir(given.data_dir).wavs("es")["test_u1"])
    assert np.abs(new - kept).max() < 1e-4
    assert Input(given.data_dir, "data").fingerprint() != downstream


def test_a_corpus_that_was_moved_copied_or_touched_is_the_same(corpus, capsys):
    given = options(corpus)
    tsv_corpus.run(given)
    os.utime(corpus / "es" / "test_u1.wav", (1, 1))
    tsv_corpus.run(given)
    elsewhere = shutil.copytree(corpus, corpus.parent / "else where")
    shutil.rmtree(corpus)
    tsv_corpus.run(replace(given, tsv=elsewhere / "my.tsv"))
    assert capsys.readouterr().out.count("up to date, skipped") == 2


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("deleted", ["dump", "dump/audio/test/src/test_u2.flac"])
def test_audio_that_was_deleted_is_made_again_and_all_else_stays_valid(
    corpus, capsys, overwrite, deleted
):
    given = options(corpus)
    tsv_corpus.run(given)
    downstream = Input(given.data_dir, "data").fingerprint()
    path = corpus.parent / deleted
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(
        FileNotFoundError,
        match=r"data/test is no longer whole: .*flac.* is gone; .*stage 1 .*--stage 1 ",
    ):
        Input(given.data_dir, "data").fingerprint()
    assert stage_1(corpus, "--overwrite", str(overwrite).lower()) == 0
    said = capsys.readouterr().out
    assert "no longer whole" in said and "up to date" not in said
    assert loudness(given, "test_u2") > 0.1
    assert Input(given.data_dir, "data").fingerprint() == downstream
    assert stage_1(corpus) == 0
    assert "up to date, skipped" in capsys.readouterr().out


def test_a_file_without_its_end_is_made_again(corpus, capsys):
    """A copy of dump/ that was interrupted: its header is whole and says the right."""
    given = options(corpus)
    tsv_corpus.run(given)
    wav = kaldi.DataDir(given.data_dir).wavs("en")["test_u3"]
    whole = wav.read_bytes()
    wav.write_bytes(whole[: len(whole) // 2])
    tsv_corpus.run(given)
    assert "its audio has" in capsys.readouterr().out
    assert wav.read_bytes() == whole


def test_audio_of_earlier_utterances_goes_and_other_files_stay(corpus, capsys):
    given = options(corpus)
    tsv_corpus.run(given)
    (given.audio_dir / "src" / "mine.flac").write_bytes(b"not ours")
    lines = given.tsv.read_text().replace("test_u3\tes", "test_u4\tes")
    given.tsv.write_text(lines)
    tsv_corpus.run(replace(given, overwrite=True))
    names = {path.stem for path in (given.audio_dir / "src").glob("*.flac")}
    assert names == {"test_u1", "test_u2", "test_u4", "mine"}
    assert "2 files of no use removed" in capsys.readouterr().out


def test_a_directory_of_an_earlier_version_stays_valid(corpus, capsys):
    """It knew recordings by size, its 16 kHz files nothing of their source."""
    given = options(corpus)
    tsv_corpus.run(given)
    path = given.data_dir / "stage.json"
    done = read_json(path)
    sizes = [
        (
            f"test_{k}",
            *[(corpus / x / f"test_{k}.wav").stat().st_size for x in ("es", "en")],
        )
        for k in IDS
    ]
    done["inputs"]["clips"] = digest(sizes)
    for key in ("files", "audio_bytes"):
        del done[key]
    write_json(path, done)
    downstream = Input(given.data_dir, "data").fingerprint()
    tsv_corpus.run(given)
    assert "up to date, skipped" in capsys.readouterr().out
    shutil.rmtree(given.audio_dir)
    tsv_corpus.run(given)
    assert Input(given.data_dir, "data").fingerprint() == downstream
    assert loudness(given, "test_u1") > 0.1


@pytest.fixture
def segmented(corpus) -> import_data.Options:
    """All test utterances of Spanish in one recording; English in files."""
    root = corpus.parent / "kaldi"
    root.mkdir()
    names = [f"test_{k}" for k in IDS]
    parts = [audio.read(corpus / "es" / f"{name}.wav") for name in names]
    soundfile.write(root / "all.wav", np.concatenate(parts), 16_000)
    texts = {"es": "hola", "en": "hello"}
    for language, text in texts.items():
        lines = "".join(f"{name} {text}\n" for name in names)
        (root / f"text.{language}").write_text(lines)
    (root / "wav.scp.es").write_text(f"all {root}/all.wav\n")
    cuts = "".join(f"{name} all {2 * k} {2 * k + 2}\n" for k, name in enumerate(names))
    (root / "segments.es").write_text(cuts)
    wavs = "".join(f"{name} {corpus}/en/{name}.wav\n" for name in names)
    (root / "wav.scp.en").write_text(wavs)
    given = options(corpus)
    return import_data.Options(
        src_dir=root,
        tgt_dir=root,
        src_lang="es",
        split="test",
        data_dir=given.data_dir,
        audio_dir=given.audio_dir,
    )


def test_nothing_is_cut_again_before_a_directory_is_found_complete(
    segmented, corpus, capsys, monkeypatch
):
    read = []
    real = decoder.decode
    monkeypatch.setattr(
        decoder, "decode", lambda path, most: read.append(path.name) or real(path, most)
    )
    import_data.run(segmented)
    assert sorted(read) == ["all.wav", *(f"test_{k}.wav" for k in IDS)]
    read.clear()
    import_data.run(segmented)
    assert read == [] and "up to date, skipped" in capsys.readouterr().out


def test_a_recording_or_a_time_that_changed_is_another_segment(segmented):
    import_data.run(segmented)
    path = segmented.src_dir / "all.wav"
    good = path.read_bytes()
    path.write_bytes(good[:-2] + b"\1\1")
    with pytest.raises(ValueError, match=r"test_u1: .*all\.wav has other content"):
        import_data.run(segmented)
    path.write_bytes(good)
    cuts = segmented.src_dir / "segments.es"
    cuts.write_text(cuts.read_text().replace("all 4 6", "all 4.5 6"))
    before = flacs(segmented)
    import_data.run(replace(segmented, overwrite=True))
    assert written_since(segmented, before) == {"src/test_u3"}
    assert kaldi.DataDir(segmented.data_dir).durations("es")["test_u3"] == 1.5
