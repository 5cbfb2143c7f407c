"""The light vocoder, and the stages `vocoder` and `vocode` around it."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyworld")

from s2st_interleave.data import audio, kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.facts import DecodeFacts
from s2st_interleave.files import read_json, write_json
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages import vocode, vocoder
from s2st_interleave.units import store
from s2st_interleave.vocoder import analysis
from s2st_interleave.vocoder.backends import load
from s2st_interleave.vocoder.base import VOCODER_FILE, UnitTiming
from s2st_interleave.vocoder.world import WorldSizes
from s2st_interleave.vocoder.world_net import frames_per_unit


@dataclasses.dataclass(frozen=True)
class Empty:
    pass


SMALL = {
    "backend": "world",
    "world": {
        "embedding_dim": 16,
        "unit_channels": 32,
        "num_unit_blocks": 1,
        "frame_channels": 24,
        "num_frame_blocks": 1,
        "num_cepstra": 20,
        "dropout": 0.1,
        "crop_units": 12,
    },
    "batch_size": 8,
    "lr": 5e-3,
    "max_steps": 60,
    "save_every": 20,
    "eval_every": 20,
}


@pytest.fixture(scope="module")
def trained(tone_corpus: Path, stage_options) -> Path:
    out = tone_corpus / "exp" / "world"
    vocoder.run(stage_options(out, **SMALL))
    return out


def pitch(samples: np.ndarray) -> float:
    frames = analysis.analyse(samples, 10.0, 20, "any")
    voiced = frames[:, analysis.VOICED] > 0.5
    assert voiced.mean() > 0.5
    return float(np.exp(np.median(frames[voiced, analysis.LOG_F0])))


def test_analysis_and_synthesis_keep_pitch_and_length(tone_corpus: Path):
    samples = audio.read(tone_corpus / "audio" / "dev" / "utt00.wav")
    frames = analysis.analyse(samples, 10.0, 40, "utt00")
    assert frames.shape == (len(samples) // 160 + 1, 43)
    again = analysis.synthesise(frames, 10.0, len(samples))
    assert again.shape == samples.shape and again.dtype == np.float32
    assert pitch(again) == pytest.approx(pitch(samples), rel=0.05)
    np.testing.assert_array_equal(frames, analysis.analyse(samples, 10.0, 40, "utt00"))


def test_digital_silence_has_finite_parameters():
    frames = analysis.analyse(np.zeros(8000, np.float32), 10.0, 40, "silence")
    assert np.isfinite(frames).all() and not frames[:, analysis.VOICED].any()
    assert np.abs(analysis.synthesise(frames, 10.0, 8000)).max() < 0.01


def test_training_lowers_the_loss_and_learns_the_pitch(trained: Path, read_metrics):
    lines = read_metrics(trained)
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"]
    assert lines[-1]["dev_loss"] < lines[19]["dev_loss"]
    model = load(trained)
    low, high = (pitch(model.synthesise(np.full(20, u, np.int32))) for u in (0, 5))
    assert low == pytest.approx(110, rel=0.15) and high > 1.4 * low


def test_the_envelope_is_stretched_never_squeezed(trained: Path):
    gain = load(trained).model.gain
    assert gain.shape == (20,) and gain.min() >= 1 and 1 < gain.max() <= 3


@pytest.mark.parametrize("num_units", [1, 2, 7, 50])
def test_every_unit_has_its_samples(trained: Path, num_units: int):
    model = load(trained)
    samples = model.synthesise(np.arange(num_units, dtype=np.int32) % 6)
    assert samples.shape == (num_units * model.samples_per_unit,)
    assert samples.dtype == np.float32 and np.isfinite(samples).all()
    assert (model.sample_rate, model.samples_per_unit) == (16_000, 640)


def test_padding_in_a_batch_changes_nothing(trained: Path):
    import torch

    net = load(trained).model
    short, padding = torch.tensor([[1, 2, 3]]), net.padding
    alone = net(short)
    padded = net(torch.tensor([[1, 2, 3, padding, padding], [5, 4, 3, 2, 1]]))
    torch.testing.assert_close(padded[:1, : alone.shape[1]], alone)


def test_resume_is_bit_identical(
    tone_corpus: Path, trained: Path, stage_options, read_metrics
):
    out = tone_corpus / "exp" / "resumed"
    vocoder.run(stage_options(out, **SMALL | {"max_steps": 30}))
    vocoder.run(stage_options(out, **SMALL))
    assert read_metrics(out)[-1] == read_metrics(trained)[-1]
    for name in ("model.safetensors", VOCODER_FILE):
        assert (out / name).read_bytes() == (trained / name).read_bytes()
    units = np.array([0, 3, 5], np.int32)
    np.testing.assert_array_equal(
        load(out).synthesise(units), load(trained).synthesise(units)
    )


def test_a_rerun_keeps_analyses_and_jobs_change_nothing(
    tone_corpus: Path, trained: Path
):
    wavs = kaldi.DataDir(tone_corpus / "data" / "dev").wavs("tgt")
    named = {f"dev-{utterance}": wav for utterance, wav in wavs.items()}
    kept, made = trained / "analysis", tone_corpus / "analysis with two jobs"
    before = {p: p.stat().st_mtime_ns for p in kept.iterdir()}
    settings = {"frame_ms": 10.0, "num_cepstra": 20}
    analysis.analyse_all(named, kept, **settings)
    assert before == {p: p.stat().st_mtime_ns for p in kept.iterdir()}
    for path in analysis.analyse_all(named, made, nj=2, **settings).values():
        assert path.read_bytes() == (kept / path.name).read_bytes()


def test_an_analysis_with_a_flipped_bit_or_a_cut_tail_is_refused(tmp_path, trained):
    whole = min((trained / "analysis").iterdir()).read_bytes()
    path = tmp_path / "utterance.npy"
    path.write_bytes(whole[:-4])  # an earlier version's
    frames = analysis.read(path)
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    for broken in (flipped, whole[:-1], whole[:middle], b""):
        path.write_bytes(broken)
        with pytest.raises(UserError, match=r"utterance.npy is broken: remove it, and"):
            analysis.read(path)
    path.write_bytes(whole)
    np.testing.assert_array_equal(analysis.read(path), frames)


@pytest.mark.parametrize(
    "bad", [np.array([], np.int32), np.array([6]), np.array([0, -1]), np.array([0.5])]
)
def test_bad_units_are_errors(trained: Path, bad: np.ndarray):
    with pytest.raises(ValueError, match="unit"):
        load(trained).synthesise(bad)


def test_load_names_what_is_wrong(tmp_path: Path):
    with pytest.raises(ValueError, match="no vocoder here"):
        load(tmp_path)
    (tmp_path / VOCODER_FILE).write_text('{"backend": "wordl"}')
    with pytest.raises(ValueError, match="did you mean 'world'"):
        load(tmp_path)


def test_a_frame_must_divide_a_unit(tone_corpus: Path, stage_options):
    with pytest.raises(ValueError, match="frame_ms"):
        sizes = SMALL["world"] | {"frame_ms": 12.0}
        bad = stage_options(tone_corpus / "exp" / "bad", **SMALL | {"world": sizes})
        vocoder.run(bad)


def test_vocode_counts_an_utterance_without_units(tone_corpus: Path, trained: Path):
    decoded = tone_corpus / "exp" / "tag" / "decode" / "test"
    stage = open_stage(decoded, stage="decode", options=Empty(), inputs={})
    units = {"b": [1, 2, 3], "a": [0], "none": []}
    arrays = {k: np.array(v, np.int32) for k, v in units.items()}
    store.write_units(decoded / "units", arrays)
    wanted = vocode.Options(
        units_dir=decoded, vocoder=trained, out_dir=decoded / "speech"
    )
    with pytest.raises(FileNotFoundError, match="stage 7"):
        vocode.run(wanted)
    stage.finish(num_in=3, num_out=3, facts=DecodeFacts("checkpoint-1"))

    vocode.run(wanted)
    table = kaldi.read_table(decoded / "speech" / "wav.scp")
    assert table == {k: str(decoded / "speech" / "wav" / f"{k}.wav") for k in "ab"}
    heard = audio.read(Path(table["b"]))
    assert len(heard) == 3 * 640
    made = load(trained).synthesise(arrays["b"])
    np.testing.assert_allclose(heard, made, atol=1e-4)
    done = read_json(decoded / "speech" / "stage.json")
    assert done["counts"] == {"in": 3, "out": 2, "dropped": {"no units": 1}}


def test_vocode_makes_only_what_is_missing(tone_corpus: Path, trained: Path, capsys):
    units = tone_corpus / "units" / "dev"
    out = tone_corpus / "dump" / "resynthesis"
    wanted = vocode.Options(units_dir=units, vocoder=trained, out_dir=out)
    vocode.run(wanted)
    (out / "stage.json").rename(out / "stage.open.json")  # as if it was interrupted
    kept, lost = sorted((out / "wav").iterdir())
    before, content = kept.stat().st_mtime_ns, lost.read_bytes()
    lost.unlink()
    vocode.run(dataclasses.replace(wanted, nj=2))
    assert kept.stat().st_mtime_ns == before and lost.read_bytes() == content
    vocode.run(wanted)
    assert "is up to date" in capsys.readouterr().out


def decoded(
    folder: Path, units: dict[str, list[int]], kmeans: str | None = None
) -> Path:
    stage = open_stage(folder, stage="decode", options=Empty(), inputs={})
    arrays = {name: np.array(each, np.int32) for name, each in units.items()}
    store.write_units(folder / "units", arrays)
    facts = DecodeFacts("checkpoint-1", kmeans=kmeans)
    stage.finish(num_in=len(units), num_out=len(units), facts=facts)
    return folder


def test_answers_in_units_of_another_codebook_are_not_spoken(trained, tmp_path):
    """A shared vocoder of another codebook spoke noise, which was scored as the answer."""
    folder = tmp_path / "vocoder"
    shutil.copytree(trained, folder)
    done = read_json(folder / "stage.json")
    done["facts"]["kmeans"] = "a" * 64
    write_json(folder / "stage.json", done)
    for name, kmeans in (("same", "a" * 64), ("earlier version", None)):
        spoken(decoded(tmp_path / name, {"u": [1, 2]}, kmeans), folder)
    with pytest.raises(UserError, match="trained on units of another codebook than"):
        spoken(decoded(tmp_path / "other", {"u": [1, 2]}, "b" * 64), folder)


def test_a_vocoder_of_another_side_is_told(trained, tmp_path, capsys):
    """A shared vocoder of the target spoke for the source, and nobody was told."""
    spoken(decoded(tmp_path / "own", {"u": [1, 2]}), trained)
    assert "warning" not in capsys.readouterr().out
    voice = tmp_path / "vocoder"
    shutil.copytree(trained, voice)
    done = read_json(voice / "stage.json")
    write_json(
        voice / "stage.json", done | {"options": done["options"] | {"side": "src"}}
    )
    spoken(decoded(tmp_path / "other", {"u": [1, 2]}), voice)
    message = (
        f"vocode: warning: {voice} has learned the voice of src, and speaks for tgt"
    )
    assert message in capsys.readouterr().out


def test_a_vocoder_learns_no_units_of_other_recordings(tone_corpus, stage_options):
    """It learned the voice of new recordings by the units of the old ones of the same ids."""
    path = tone_corpus / "units" / "dev" / "stage.json"
    done = read_json(path)
    write_json(path, done | {"inputs": {"data": "of before"}})
    try:
        with pytest.raises(
            UserError, match=r"dev is not of the recordings that .*dev has"
        ):
            vocoder.run(stage_options(tone_corpus / "exp" / "other", **SMALL))
    finally:
        write_json(path, done)


def test_frames_are_counted_before_any_recording_is_analysed(
    tone_corpus, stage_options
):
    out = tone_corpus / "exp" / "3 ms"
    sizes = SMALL["world"] | {"frame_ms": 3.0}
    with pytest.raises(
        UserError, match="640 samples of a unit are no multiple of the 48"
    ):
        vocoder.run(stage_options(out, **SMALL | {"world": sizes}))
    assert not (out / "analysis").exists()
    tenth = WorldSizes(frame_ms=0.1)  # of a millisecond; its samples are no exact float
    assert frames_per_unit(UnitTiming(6, 640, 16_000), tenth) == 400


def spoken(decode: Path, vocoder_dir: Path, same_as: Path | None = None) -> Path:
    options = vocode.Options(
        units_dir=decode,
        vocoder=vocoder_dir,
        out_dir=decode / "vocode",
        same_as=same_as,
    )
    vocode.run(options)
    return options.out_dir


def test_recordings_of_the_same_units_are_copied(tmp_path, trained, monkeypatch):
    """Half of the mini recipe's systems end with their best checkpoint."""
    units = {"a": [0, 1], "b": [1, 2, 3], "none": []}
    last = spoken(decoded(tmp_path / "last", units), trained)
    made = []
    synthesise = vocode._synthesise
    monkeypatch.setattr(
        vocode, "_synthesise", lambda *v: made.append(v[-1][0]) or synthesise(*v)
    )
    other = units | {"b": [3, 2, 1], "c": [4]}
    best = spoken(decoded(tmp_path / "best", other), trained, last)
    assert made == ["b", "c"]
    copy, original = (out / "wav" / "a.wav" for out in (best, last))
    assert copy.read_bytes() == original.read_bytes() and not copy.samefile(original)
    assert spoken(tmp_path / "best", trained) == best  # up to date without it as well

    # Not of another vocoder, other units or side, nor where it is not finished.
    done = read_json(last / "stage.json")
    for key in ("vocoder", "units", "name", ""):
        made.clear()
        other = done | {"inputs": done["inputs"] | {key: "0"}}
        write_json(last / "stage.json", other)
        if not key:
            (last / "stage.json").unlink()
        spoken(decoded(tmp_path / f"not {key}", units), trained, last)
        assert made == ["a", "b"]


def test_recordings_of_units_that_are_gone_are_not_copied(tmp_path, trained):
    units = {"a": [0, 1], "b": [1, 2, 3]}
    last = spoken(decoded(tmp_path / "last", units), trained)
    (tmp_path / "last" / "units.ark").unlink()
    best = spoken(decoded(tmp_path / "best", units), trained, last)
    assert read_json(best / "stage.json")["facts"]["num_copied"] == 0


def test_a_recording_that_is_no_longer_whole_is_not_copied(tmp_path, trained, capsys):
    units = {"a": [0, 1], "b": [1, 2, 3]}
    last = spoken(decoded(tmp_path / "last", units), trained)
    (last / "wav" / "a.wav").unlink()
    best = spoken(decoded(tmp_path / "best", units), trained, last)
    assert (best / "wav" / "a.wav").is_file()
    assert f"{last} is no longer whole, not copied" in capsys.readouterr().out


def test_jobs_speak_a_share_each_and_the_files_are_the_same(
    tmp_path, trained, monkeypatch
):
    units = {"a": [0, 1], "b": [1, 2, 3], "c": [3, 1], "d": [4], "none": []}
    last = spoken(decoded(tmp_path / "last", units), trained)
    made = []
    synthesise = vocode._synthesise
    monkeypatch.setattr(
        vocode, "_synthesise", lambda *v: made.append(v[-1][0]) or synthesise(*v)
    )
    decode = decoded(tmp_path / "best", units | {"d": [2]})
    options = vocode.Options(
        units_dir=decode, vocoder=trained, out_dir=decode / "vocode", same_as=last
    )
    monkeypatch.setattr(vocode, "SMALLEST_PART", 2)
    jobs = []
    for shard in ("0/2", "1/2", "2/2"):
        vocode.run(dataclasses.replace(options, shard=shard))
        jobs.append(tuple(made))
        assert not (decode / "vocode" / "stage.json").exists()
    assert jobs == [(), (), ("d",)]
    (decode / "vocode" / "wav" / "d.wav").unlink()  # of a job that was killed
    vocode.run(options)
    assert made == ["d", "d"]
    for name in "abc":
        path = f"wav/{name}.wav"
        assert (decode / "vocode" / path).read_bytes() == (last / path).read_bytes()
    done = read_json(decode / "vocode" / "stage.json")
    assert done["counts"]["out"] == 4 and done["facts"]["num_copied"] == 3


def test_a_vocoder_may_learn_from_a_part_of_train(stage_options, tmp_path):
    everything = vocoder.read_speech(stage_options(tmp_path))
    few, again = (
        vocoder.read_speech(stage_options(tmp_path, num_utterances=2)) for _ in "ab"
    )
    assert len(everything.train) > 2 == len(few.train)
    assert few.train == again.train and set(few.train) < set(everything.train)
    assert few.dev == everything.dev and set(few.wavs) == {*few.train, *few.dev}
    assert set(few.units) == set(few.wavs)
