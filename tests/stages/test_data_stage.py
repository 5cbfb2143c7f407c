"""Stage 1 on a corpus with the damage that real ones have."""

import hashlib
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio, kaldi
from s2st_interleave.files import read_json
from s2st_interleave.stages import subset, tsv_corpus
from s2st_interleave.stages.data import Options, run

CLIPS = ("good", "vbr", "broken", "tiny", "silent", "lost")


@pytest.fixture
def corpus(tmp_path) -> Path:
    """One clip of each kind in every split, in the layout of the real corpora."""
    root = tmp_path / "cor pus"
    common_voice, cvss = root / "cv", root / "cvss"
    (common_voice / "clips").mkdir(parents=True)
    rng = np.random.default_rng(0)
    noise = 0.1 * rng.standard_normal(48_000)
    validated, covost = "client_id\tpath\tsentence\n", "path\ttranslation\tsplit\n"
    for split in ("train", "dev", "test"):
        (cvss / split).mkdir(parents=True)
        rows = ""
        for clip in CLIPS:
            name = f"{split}_{clip}.mp3"
            text = "..." if clip == "silent" else "hola"
            validated += f"spk\t{name}\t{text}\n"
            covost += f"{name}\thello\t{split}\n"
            rows += f"{name}\thello\n"
            mp3 = common_voice / "clips" / name
            samples = noise[:480] if clip == "tiny" else noise
            if clip != "lost":
                mode = "VARIABLE" if clip == "vbr" else "CONSTANT"
                soundfile.write(mp3, samples, 48_000, format="MP3", bitrate_mode=mode)
            if clip == "broken":
                mp3.write_bytes(b"<html>404</html>")
            soundfile.write(cvss / split / f"{name}.wav", noise, 24_000)
        (cvss / f"{split}.tsv").write_text(rows)
    (common_voice / "validated.tsv").write_text(validated)
    (root / "covost.tsv").write_text(covost)
    return root


def options(root: Path, split: str, **more) -> Options:
    return Options(
        common_voice=root / "cv",
        covost=root / "covost.tsv",
        cvss=root / "cvss",
        data_dir=root / "data" / split,
        audio_dir=root / "audio" / split,
        split=split,
        src_lang="es",
        **more,
    )


def test_training_data_is_dropped_with_reasons_and_counted(corpus):
    run(options(corpus, "train", max_drop_rate=0.8))
    data = kaldi.DataDir(corpus / "data" / "train")
    assert set(data.texts("es")) == {"train_good", "train_vbr"}
    reasons = dict(
        line.split("\t")
        for line in (data.path / "dropped.tsv").read_text().splitlines()
    )
    assert reasons["train_broken"].startswith("no audio, src is broken: ")
    assert reasons["train_tiny"].startswith("src audio is too short")
    assert reasons["train_silent"].startswith("no words in the src text: '...', ")
    assert reasons["train_silent"].endswith("cvss/train.tsv:5")
    assert reasons["train_lost"].startswith("no audio, src is missing: ")
    counts = read_json(data.path / "stage.json")["counts"]
    assert (counts["in"], counts["out"]) == (6, 2)
    assert sum(counts["dropped"].values()) == 4
    wav = audio.read(data.wavs("es")["train_vbr"])
    assert len(wav) / 16_000 == pytest.approx(1.0, abs=0.1)
    assert data.durations("en")["train_good"] == pytest.approx(2.0, abs=0.01)


def test_too_many_drops_fail(corpus):
    with pytest.raises(ValueError, match="4 of 6 utterances of train are unusable"):
        run(options(corpus, "train"))
    assert not (corpus / "data" / "train" / "stage.json").exists()


def test_a_test_set_never_shrinks(corpus):
    """Not by a short clip, nor by one without words, nor by one that cannot be read."""
    run(options(corpus, "test", max_missing_rate=0.5))
    data = kaldi.DataDir(corpus / "data" / "test")
    assert set(data.texts("es")) == {f"test_{clip}" for clip in CLIPS}
    assert data.silent("es") == {"test_broken", "test_lost"}
    assert data.faults("es")["test_silent"].startswith("no words in the src text")
    assert data.faults("en") == {}
    assert np.abs(audio.read(data.wavs("es")["test_lost"])).max() == 0
    assert data.durations("es")["test_tiny"] < 0.1
    assert read_json(data.path / "stage.json")["facts"]["num_silent"] == 2


def test_too_many_missing_recordings_of_a_test_set_fail(corpus):
    with pytest.raises(
        ValueError, match=r"2 of 6 utterances of test .* not readable .*--max_missing"
    ):
        run(options(corpus, "test"))
    assert not (corpus / "data" / "test" / "stage.json").exists()


def test_contradicting_lines_are_dropped_from_train_and_stop_a_test(corpus):
    for split in ("train", "test"):
        with (corpus / "cvss" / f"{split}.tsv").open("a") as stream:
            stream.write(f"{split}_good.mp3\tgoodbye\n")
    run(options(corpus, "train", max_drop_rate=0.9))
    dropped = (corpus / "data" / "train" / "dropped.tsv").read_text()
    assert "train_good\tclip occurs twice: with other values in" in dropped
    with pytest.raises(
        ValueError, match=r"1 of 6 utterances of test .* unusable .*\n.*tsv:1 and 7"
    ):
        run(options(corpus, "test", max_missing_rate=0.5))


def test_archives_serve_as_well_as_folders(corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(options(corpus, "train", max_drop_rate=0.8))
    names = {"common_voice": "cv", "covost": "covost.tsv", "cvss": "cvss"}
    for name in names.values():
        with tarfile.open(corpus / f"{name}.tar.gz", "w:gz") as tar:
            tar.add(corpus / name, arcname=f"./{name}")
    packed = {key: corpus / f"{name}.tar.gz" for key, name in names.items()}
    again = replace(
        options(corpus, "train", max_drop_rate=0.8, unpack_dir=corpus / "un packed"),
        data_dir=corpus / "again",
        audio_dir=corpus / "audio again",
        **packed,
    )
    run(again)
    for name in ("text.src", "text.tgt", "utt2dur.src", "utt2spk"):
        first = (corpus / "data" / "train" / name).read_text()
        assert (corpus / "again" / name).read_text() == first


def test_a_subset_is_fixed_by_the_names_alone(corpus):
    run(options(corpus, "test", max_missing_rate=0.5))
    part = subset.Options(
        data_dir=corpus / "data" / "test",
        out_dir=corpus / "data" / "test2",
        num_utterances=2,
    )
    subset.run(part)
    data = kaldi.DataDir(corpus / "data" / "test2")
    whole = sorted(
        (hashlib.sha256(f"test_{clip}".encode()).hexdigest(), f"test_{clip}")
        for clip in CLIPS
    )
    chosen = {name for _, name in whole[:2]}
    assert set(data.texts("es")) == set(data.wavs("en")) == chosen
    assert data.silent("es") == chosen & {"test_broken", "test_lost"}
    assert (data.path / "spk2utt").read_text() == f"spk {' '.join(sorted(chosen))}\n"
    everything = replace(part, out_dir=corpus / "data" / "test1k", num_utterances=1000)
    subset.run(everything)
    assert len(kaldi.DataDir(everything.out_dir).texts("es")) == len(CLIPS)


def test_a_corpus_of_ones_own_becomes_the_same_directory(corpus):
    clips = corpus / "cv" / "clips"
    lines = ["id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text\tsplit"]
    for split in ("train", "dev", "test"):
        wav = f"cvss/{split}/{split}_good.mp3.wav"
        lines.append(
            f"{split}1\tcv/clips/{split}_good.mp3\thola\t{wav}\thello\t{split}"
        )
        lines.append(f"{split}2\t{clips}/{split}_lost.mp3\tya\t{wav}\tnow\t{split}")
    (corpus / "my.tsv").write_text("\n".join(lines))
    given = {
        "tsv": corpus / "my.tsv",
        "audio_dir": corpus / "own",
        "src_lang": "gsw",
        "max_drop_rate": 0.5,
    }
    tsv_corpus.run(
        tsv_corpus.Options(data_dir=corpus / "own_data", split="train", **given)
    )
    data = kaldi.DataDir(corpus / "own_data")
    assert data.texts("gsw") == {"train1": "hola"}
    dropped = (data.path / "dropped.tsv").read_text()
    assert dropped.startswith("train2\tno audio, src is missing: ")
    assert dropped.endswith("my.tsv:3\n")
    (corpus / clips / "train_lo\u0301st.mp3").touch()  # as a Mac stores an accent
    table = corpus / "my.tsv"
    table.write_text(table.read_text().replace("train_lost", "train_l\xf3st"))
    tsv_corpus.run(
        tsv_corpus.Options(data_dir=corpus / "own_data2", split="train", **given)
    )
    dropped = (corpus / "own_data2" / "dropped.tsv").read_text()
    assert "is there with its accents stored as NFD: rename it" in dropped
    with pytest.raises(ValueError, match=r"not readable .*\n.*my\.tsv:7"):
        tsv_corpus.run(
            tsv_corpus.Options(data_dir=corpus / "own_test", split="test", **given)
        )
