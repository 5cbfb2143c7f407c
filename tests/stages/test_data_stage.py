"""Stage 1 on a corpus with the damage that real ones have."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from s2st_interleave.artifact import read_json
from s2st_interleave.data import audio, kaldi
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
    assert reasons["train_broken"].startswith("es audio is broken")
    assert reasons["train_tiny"].startswith("es audio is too short")
    assert reasons["train_silent"] == "no words in the es text"
    assert reasons["train_lost"].startswith("es audio is missing")
    counts = read_json(data.path / "stage.json")["counts"]
    assert (counts["in"], counts["out"]) == (6, 2)
    assert sum(counts["dropped"].values()) == 4
    wav = audio.read(data.wavs("es")["train_vbr"])
    assert len(wav) / 16_000 == pytest.approx(1.0, abs=0.1)
    assert data.durations("en")["train_good"] == pytest.approx(2.0, abs=0.01)


def test_too_many_drops_fail(corpus):
    with pytest.raises(ValueError, match="4 of 6 train utterances are unusable"):
        run(options(corpus, "train"))
    assert not (corpus / "data" / "train" / "stage.json").exists()


def test_a_test_set_never_shrinks(corpus):
    """A short clip stays; one that cannot be used at all is an error."""
    with pytest.raises(ValueError, match="3 of 6 test utterances are unusable"):
        run(options(corpus, "test", max_drop_rate=1.0))
