"""What stage 1 and `translate` make of recordings: outcomes, levels and channels."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio, kaldi
from s2st_interleave.data.channels import Channels
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.interop import import_data
from s2st_interleave.pack import clips, translate
from s2st_interleave.stages import subset, tsv_corpus

RATE = 16_000
NAMES = ("cut", "empty", "float", "good", "loud", "offset", "silent", "stereo")
REFUSED = {
    "cut": "cut.wav: breaks off after 0.8 of 2.0 s",
    "empty": "empty.mp3: cannot be read as audio (empty file)",
    "float": "float.wav: samples reach ",
}
KEPT = set(NAMES) - set(REFUSED)


def speech(seed: int = 0) -> np.ndarray:
    """Two seconds at -20 dBFS that get louder and softer."""
    t = np.arange(2 * RATE) / RATE
    noise = np.random.default_rng(seed).standard_normal(len(t))
    loud = noise * (0.1 + np.abs(np.sin(3 * t)))
    return 0.1 * loud / np.std(loud)


@pytest.fixture
def corpus(tmp_path) -> Path:
    """A TSV with one utterance of each kind in every split; targets are all good."""
    wavs = tmp_path / "re cordings"
    wavs.mkdir()
    for name in ("cut", "good"):
        soundfile.write(wavs / f"{name}.wav", speech(), RATE)
    cut = (wavs / "cut.wav").read_bytes()
    (wavs / "cut.wav").write_bytes(cut[: round(0.4 * len(cut))])
    (wavs / "empty.mp3").write_bytes(b"")
    soundfile.write(wavs / "float.wav", 32768 * speech(), RATE, subtype="FLOAT")
    soundfile.write(wavs / "loud.wav", 10 * speech(), RATE)
    soundfile.write(wavs / "silent.wav", 0 * speech(), RATE)
    soundfile.write(wavs / "offset.wav", 0.1 + 1e-4 * speech(), RATE, subtype="FLOAT")
    two = np.stack([speech(), speech(1)], 1)
    soundfile.write(wavs / "stereo.wav", two, RATE, subtype="FLOAT")
    lines = ["id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text\tsplit"]
    for split in ("train", "dev", "test"):
        for name in NAMES:
            path = wavs / f"{name}{'.mp3' if name == 'empty' else '.wav'}"
            good = wavs / "good.wav"
            lines.append(f"{split}_{name}\t{path}\thola\t{good}\thello\t{split}")
    (tmp_path / "corpus.tsv").write_text("\n".join(lines) + "\n")
    return tmp_path


def make(corpus: Path, split: str, **more) -> kaldi.DataDir:
    data = corpus / f"data {len(list(corpus.iterdir()))}"
    values = {
        "tsv": corpus / "corpus.tsv",
        "audio_dir": corpus / f"audio of {data.name}",
        "src_lang": "es",
        "max_drop_rate": 0.7,
        "max_missing_rate": 0.7,
    }
    tsv_corpus.run(tsv_corpus.Options(data_dir=data, split=split, **values | more))
    return kaldi.DataDir(data)


def facts(data: kaldi.DataDir) -> dict:
    return read_json(data.path / "stage.json")["facts"]["levels"]["src"]


def test_what_is_not_whole_is_dropped_from_train_with_its_reason(corpus):
    data = make(corpus, "train")
    lines = (data.path / "dropped.tsv").read_text().splitlines()
    dropped = dict(line.split("\t") for line in lines)
    assert set(dropped) == {f"train_{name}" for name in REFUSED}
    for name, reason in REFUSED.items():
        assert reason in dropped[f"train_{name}"]


def test_and_is_a_fault_of_a_test_set(corpus):
    data = make(corpus, "test")
    assert data.silent("es") == {f"test_{name}" for name in REFUSED}
    for name, reason in REFUSED.items():
        assert reason in data.faults("es")[f"test_{name}"]
    with pytest.raises(ValueError, match=r"3 of 8 utterances of test are not readable"):
        make(corpus, "test", max_missing_rate=0.3)


def test_level_and_peak_of_every_utterance_lie_beside_its_duration(corpus):
    data = make(corpus, "test")
    table = kaldi.read_table(data.file("utt2level", "es"))
    levels = {k: [float(v) for v in value.split()] for k, value in table.items()}
    assert levels.keys() == data.durations("es").keys()
    rms, peak = levels["test_good"]
    assert rms == pytest.approx(-20, abs=0.1)
    assert peak == pytest.approx(20 * np.log10(np.abs(speech()).max()), abs=0.1)
    assert levels["test_silent"] == [-120, -120]  # no infinity, which no reader wants
    assert levels["test_loud"][1] == 0
    assert levels["test_offset"][0] == pytest.approx(-100, abs=0.5)
    part = subset.Options(
        data_dir=data.path,
        out_dir=corpus / "part",
        num_utterances=4,
    )
    subset.run(part)
    some = kaldi.read_table(kaldi.DataDir(part.out_dir).file("utt2level", "es"))
    assert len(some) == 4 and some.items() <= table.items()


def test_near_silent_and_clipped_ones_are_reported_and_kept(corpus, capsys):
    data = make(corpus, "train")
    out = capsys.readouterr().out
    assert set(data.texts("es")) == {f"train_{name}" for name in KEPT}
    found = facts(data)
    assert found["near_silent"] == ["train_silent", "train_offset"]
    assert found["clipped"] == ["train_loud"]
    assert found["num_near_silent"] == 2 and found["num_clipped"] == 1
    assert "src: 2 of 5 are near-silent (below -60 dBFS): train_silent (-120.0" in out
    assert "src: 1 of 5 are clipped (0.1 % or more at full scale): train_loud" in out
    other = read_json(data.path / "stage.json")["facts"]["levels"]["tgt"]
    assert other["num_near_silent"] == other["num_clipped"] == 0


def test_near_silent_ones_are_dropped_from_train_where_that_is_wanted(corpus):
    data = make(corpus, "train", drop_near_silent=True)
    dropped = (data.path / "dropped.tsv").read_text()
    assert "train_silent\tsrc audio is near-silent: -120.0 dBFS, " in dropped
    assert "train_offset\tsrc audio is near-silent" in dropped
    kept = make(corpus, "test", drop_near_silent=True)
    assert "test_silent" in kept.texts("es")


def test_silence_that_stands_in_is_not_counted_as_near_silent(corpus):
    found = facts(make(corpus, "test"))
    assert found["near_silent"] == ["test_silent", "test_offset"]


def test_channels_that_differ_are_counted_and_named(corpus, capsys):
    data = make(corpus, "train")
    out = capsys.readouterr().out
    assert facts(data)["num_channels_differ"] == 1
    assert facts(data)["channels_differ"] == ["train_stereo"]
    assert "src: 1 of 5 have channels that differ (--src_channels" in out
    assert "train_stereo (its 2 channels differ (-20, -20 dBFS): all are mixed)" in out


def test_one_channel_of_the_source_is_read_where_that_is_wanted(corpus):
    for name, seed in {"left": 0, "right": 1, "mix": None}.items():
        # The others have one channel: right is not among them.
        data = make(corpus, "train", src_channels=Channels(name), max_drop_rate=0.9)
        heard = audio.read(data.wavs("es")["train_stereo"])
        parts = [speech(0), speech(1)] if seed is None else [speech(seed)]
        assert np.abs(heard - np.mean(parts, axis=0)).max() < 1e-4
        assert ("train_good" in data.texts("es")) == (name != "right")
    refused = make(corpus, "train", src_channels=Channels("refuse"))
    dropped = (refused.path / "dropped.tsv").read_text()
    assert (
        "stereo.wav: its 2 channels differ (-20, -20 dBFS): --src_channels" in dropped
    )


def test_a_recording_of_hours_is_not_read(corpus):
    """A limit that the training data's own limit sets."""
    long = corpus / "re cordings" / "good.wav"
    with pytest.raises(ValueError, match=r"lasts 2 s, more than the 1 s .* cut it"):
        make(corpus, "train", max_sec=0.05, max_drop_rate=0.0)
    with pytest.raises(ValueError, match=r"good\.wav: lasts 2 s, more than the 1 s"):
        translate.run(options(corpus, max_sec=0.05), [long])


def test_segments_keep_their_channels(corpus, capsys):
    """An interpreter on the right of each recording."""
    for language in ("es", "en"):
        folder = corpus / language
        folder.mkdir()
        wav = corpus / "re cordings" / "stereo.wav"
        (folder / "wav.scp").write_text(f"day {wav}\n")
        (folder / "segments").write_text("u1 day 0 1\nu2 day 1 2\n")
        (folder / "text").write_text("u1 one\nu2 two\n")
    how = import_data.Options(
        src_dir=corpus / "es",
        tgt_dir=corpus / "en",
        src_lang="es",
        split="test",
        data_dir=corpus / "imported",
        audio_dir=corpus / "imported audio",
        tgt_channels=Channels("right"),
    )
    import_data.run(how)
    data = kaldi.DataDir(how.data_dir)
    target = audio.read(data.wavs("en")["u2"])
    assert np.abs(target - speech(1)[RATE:]).max() < 1e-4
    assert facts(data)["channels_differ"] == ["u1", "u2"]
    assert "tgt: " in capsys.readouterr().out


def options(corpus: Path, **more) -> translate.Options:
    out = corpus / "out"
    return translate.Options(
        model=corpus / "no model", out=str(out), device="cpu", **more
    )


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_translate_refuses_the_same_by_name(corpus, name):
    (path,) = (corpus / "re cordings").glob(f"{name}.*")
    with pytest.raises(ValueError, match=REFUSED[name].split("(")[0]):
        translate.run(options(corpus), [path])


def test_translate_says_what_is_odd(corpus):
    silent, loud, stereo = (
        corpus / "re cordings" / f"{name}.wav" for name in ("silent", "loud", "stereo")
    )
    with pytest.raises(
        UserError, match=r"silent\.wav: silent: its level is -120.0 dBFS"
    ):
        clips.read(silent)
    assert any("clipped: " in remark for remark in clips.read(loud).remarks)
    (remark,) = clips.read(stereo).remarks
    assert "its 2 channels differ (-20, -20 dBFS): all are mixed (" in remark
    refusing = clips.Bounds(channels=Channels("refuse"))
    with pytest.raises(UserError, match=r"stereo\.wav: its 2 channels differ"):
        clips.read(stereo, bounds=refusing)
