"""What the encoder reads at once depends on the data alone, and changes next to nothing."""

from dataclasses import replace

import numpy as np
import pytest

from s2st_interleave.data import audio
from s2st_interleave.encoder.checks import noise
from s2st_interleave.encoder.reader import Reader, ReaderOptions, neighbours
from s2st_interleave.errors import UserError

SECONDS = {"a": 2.0, "b": 0.5, "c": 0.9, "d": 0.5, "e": 0.7, "f": 3.5}
OPTIONS = ReaderOptions(device="cpu", num_threads=1, batch_sec=2.0)


@pytest.fixture(scope="module")
def wavs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("it's audio")
    for index, (name, seconds) in enumerate(SECONDS.items()):
        audio.write(folder / f"{name}.flac", (1 + index / 4) * noise(seconds))
    return {name: folder / f"{name}.flac" for name in SECONDS}


@pytest.fixture(scope="module")
def encoder(train_encoder, tmp_path_factory):
    from test_speech_encoder import TINY

    out_dir = tmp_path_factory.mktemp("encoder") / "exp"
    return train_encoder(TINY, out_dir, scratch=True, max_steps=1)


def test_batches_are_filled_by_what_is_padded_in_the_order_of_durations():
    reader = Reader("nowhere", OPTIONS)
    order = reader.order(reversed(SECONDS), SECONDS)
    assert order == ["b", "d", "e", "c", "a", "f"]
    assert neighbours(order, SECONDS, 2.0) == [["b", "d"], ["e", "c"], ["a"], ["f"]]
    assert neighbours(["a", "b"], SECONDS, 2.0) == [["a"], ["b"]]  # not 2 * 2.0 s
    with pytest.raises(UserError, match=r"f: utt2dur has no duration .*--batch_sec 0"):
        reader.order(SECONDS, {k: v for k, v in SECONDS.items() if k != "f"})


def test_without_batches_there_are_no_durations_and_ids_are_in_order():
    reader = Reader("nowhere", replace(OPTIONS, batch_sec=0))
    assert reader.order(reversed(SECONDS), {}) == sorted(SECONDS)
    assert neighbours(["b", "a"], {}, 0) == [["b"], ["a"]]


def read(encoder, wavs, options, **what):
    reader = Reader(encoder, options)
    keys = reader.order(wavs, SECONDS)
    found = dict(reader.read(keys, wavs, SECONDS, ctc=True, layer=3, **what))
    assert found.keys() == wavs.keys()
    return found


def test_one_at_a_time_is_what_the_encoder_gives_to_the_bit(encoder, wavs):
    alone = replace(OPTIONS, batch_sec=0)
    model = Reader(encoder, alone).encoder
    for name, reading in read(encoder, wavs, alone).items():
        samples = audio.read(wavs[name])
        assert np.array_equal(reading.log_probs, model.forward(samples))
        assert np.array_equal(reading.frames, model.forward(samples, 3))
        assert reading.duration_sec == len(samples) / audio.SAMPLE_RATE


@pytest.mark.parametrize(("dtype", "most"), [("fp32", 1e-4), ("bf16", 0.5)])
def test_batches_give_what_one_at_a_time_gives(encoder, wavs, dtype, most):
    alone = read(encoder, wavs, replace(OPTIONS, batch_sec=0))
    batched = read(encoder, wavs, replace(OPTIONS, dtype=dtype))
    for name, reading in batched.items():
        for a, b in (
            (reading.log_probs, alone[name].log_probs),
            (reading.frames, alone[name].frames),
        ):
            assert a.dtype == np.float32 and a.shape == b.shape
            assert np.abs(a - b).max() < most


def test_the_number_of_loaders_changes_no_bit(encoder, wavs):
    one, many = (
        read(encoder, wavs, replace(OPTIONS, num_loaders=count)) for count in (1, 5)
    )
    for name in wavs:
        assert np.array_equal(one[name].log_probs, many[name].log_probs)


def test_features_are_reduced_on_the_device(encoder, wavs):
    reduced = read(encoder, wavs, OPTIONS, reduce=lambda frames: frames.argmax(-1))
    plain = read(encoder, wavs, OPTIONS)
    for name in wavs:
        assert np.array_equal(reduced[name].frames, plain[name].frames.argmax(-1))


def test_a_broken_recording_is_named(encoder, wavs, tmp_path):
    bad = tmp_path / "bad.flac"
    bad.write_bytes(b"no audio")
    with pytest.raises(UserError, match=r"bad\.flac"):
        read(encoder, wavs | {"c": bad}, OPTIONS)
