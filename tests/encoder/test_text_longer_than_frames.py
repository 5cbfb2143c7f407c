"""What CTC has no loss for leaves the loss, by name; training never sees it."""

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import tones
import torch
import transformers
from tones import Clip

from s2st_interleave.encoder.frontend import FilterBanks, Waveform
from s2st_interleave.encoder.recordings import frames_needed
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json


def short(clip: Clip, seconds: float = 0.4) -> Clip:
    return replace(clip, samples=clip.samples[: round(16_000 * seconds)])


def spoiled(split: str, count: int, bad: set[int]) -> dict[str, Clip]:
    return {
        name: short(clip) if index in bad else clip
        for index, (name, clip) in enumerate(tones.clips(split, count).items())
    }


def write(root: Path, split: str, bad: set[int] = frozenset(), count: int = 8) -> Path:
    return tones.write_data(root, split, tones.both(spoiled(split, count, bad)))


def dev_losses(out_dir: Path) -> list[float]:
    lines = map(json.loads, (out_dir / "metrics.jsonl").read_text().splitlines())
    return [line["dev_loss"] for line in lines if "dev_loss" in line]


def train(out_dir: Path, train_dir: Path, dev_dir: Path, **more) -> Path:
    return tones.train_encoder(out_dir, train_dir, dev_dir, max_steps=2, **more)


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_frames_of_filter_banks_are_counted_without_audio(stride):
    front = FilterBanks(transformers.SeamlessM4TFeatureExtractor(stride=stride))
    for samples in [0, 1, 399, 400, 559, 560, 719, 720, 879, 880, 1039, 1040, 9_999]:
        features = front.features(np.zeros(samples, np.float32))
        assert front.frames(samples) == front.num_frames(features)


def test_frames_of_waveforms_are_counted_without_audio():
    extractor = transformers.Wav2Vec2FeatureExtractor()
    front = Waveform(extractor, (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))
    for samples in [0, 1, 399, 400, 401, 719, 720, 721, 16_000, 16_079, 16_080]:
        features = front.features(np.zeros(samples, np.float32))
        assert front.frames(samples) == front.num_frames(features)


def test_frames_needed_are_those_that_make_the_loss_finite():
    for pieces in product([1, 2], repeat=4):
        least = frames_needed(pieces)
        for frames in range(1, 9):
            loss = torch.nn.functional.ctc_loss(
                torch.randn(frames, 1, 3).log_softmax(-1),
                torch.tensor([pieces]),
                torch.tensor([frames]),
                torch.tensor([len(pieces)]),
            )
            assert torch.isfinite(loss) == (frames >= least)


def test_dev_loss_is_that_of_the_utterances_which_have_one(tmp_path, capsys):
    """It was 0.310 in place of 4.367 where half had none."""
    folder = write(tmp_path, "train")
    mixed_dev = write(tmp_path / "some", "dev", {1, 3, 5, 7})
    only = tones.clips("dev", 8)
    only = {name: clip for k, (name, clip) in enumerate(only.items()) if k % 2 == 0}
    half = tones.write_data(tmp_path / "half", "dev", tones.both(only))
    mixed = train(tmp_path / "mixed", folder, mixed_dev)
    whole = train(tmp_path / "whole", folder, half)
    assert dev_losses(mixed) == pytest.approx(dev_losses(whole), rel=1e-5)
    printed = capsys.readouterr().out
    assert "8 of 16 dev recordings are left out of dev_loss" in printed
    assert "en:dev01: text is longer than its frames: CTC needs " in printed
    named = read_json(mixed / "stage.json")["facts"]["dev_without_loss"]
    assert named.keys() == {f"{x}:dev0{k}" for x in ("es", "en") for k in (1, 3, 5, 7)}
    assert read_json(whole / "stage.json")["facts"]["dev_without_loss"] == {}


def test_a_dev_set_without_any_loss_is_an_error_not_a_loss_of_0(tmp_path):
    folder, dev = write(tmp_path, "train"), write(tmp_path, "dev", set(range(8)))
    with pytest.raises(UserError, match=r"none of 16 dev recordings .*\n  en:dev00: "):
        train(tmp_path / "exp", folder, dev)


def test_training_drops_them_with_the_reason_under_a_limit(tmp_path):
    folder, dev = write(tmp_path, "train", {2, 6}), write(tmp_path, "dev")
    with pytest.raises(UserError, match=r"4 of 16 .*--max_drop_rate 0\.05.*\n  en:"):
        train(tmp_path / "exp", folder, dev)
    made = train(tmp_path / "exp", folder, dev, max_drop_rate=0.5)  # no overwrite
    lines = (made / "dropped.tsv").read_text().splitlines()
    dropped = dict(line.split("\t") for line in lines)
    assert dropped.keys() == {f"{x}:train0{k}" for x in ("es", "en") for k in (2, 6)}
    assert dropped["es:train02"].startswith("text is longer than its frames: CTC ")
    counts = read_json(made / "stage.json")["counts"]
    assert (counts["in"], counts["out"]) == (16, 12)


def test_all_of_train_is_too_much_whatever_the_limit(tmp_path):
    folder, dev = write(tmp_path, "train", set(range(8))), write(tmp_path, "dev")
    with pytest.raises(UserError, match="16 of 16 utterances have more text than"):
        train(tmp_path / "exp", folder, dev, max_drop_rate=1.0)


def test_durations_of_several_directories_are_each_its_own(tmp_path):
    """Spanish of one, English of the other; both have a clip that is too short."""
    dirs = []
    for number, bad in enumerate([{0}, {1}]):
        sides = tones.both(spoiled(f"pair{number}-", 8, bad))
        dirs.append(tones.write_data(tmp_path / str(number), "train", sides))
    dev = write(tmp_path, "dev")
    made = tones.train_encoder(
        tmp_path / "exp", tuple(dirs), dev, max_steps=1, max_drop_rate=0.5
    )
    dropped = (made / "dropped.tsv").read_text()
    assert dropped.count("\n") == 4
    for key in ("es:pair0-00", "en:pair0-00", "es:pair1-01", "en:pair1-01"):
        assert f"{key}\t" in dropped


def test_a_text_that_just_fits_stays(tmp_path):
    """Durations on disk are rounded: at the border the audio itself is asked."""
    import sentencepiece

    folder, dev = write(tmp_path, "train"), write(tmp_path, "dev")
    first = train(tmp_path / "first", folder, dev)
    bpe = sentencepiece.SentencePieceProcessor(model_file=str(first / "bpe.model"))
    edge = tones.clips("train", 8)
    for name, more in (("train00", 0), ("train01", -1)):
        needed = frames_needed(bpe.encode(edge[name].text))
        # Of the four filter banks of the last frame three are padding.
        count = 400 + 4 * 160 * (needed + more - 1)
        samples = np.resize(edge[name].samples, count)
        edge[name] = Clip(edge[name].text, samples, round(count / 16_000, 2))
    folder = tones.write_data(tmp_path / "edge", "train", tones.both(edge))
    made = train(tmp_path / "second", folder, dev, max_drop_rate=0.5)
    lines = (made / "dropped.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["en:train01", "es:train01"]


def test_a_duration_that_is_not_that_of_the_audio_is_noticed(tmp_path):
    made = tones.clips("train", 8)
    made["train03"] = replace(short(made["train03"]), seconds=3.0)
    folder = tones.write_data(tmp_path, "train", tones.both(made))
    with pytest.raises(UserError, match=r":train03: .*utt2dur says 3\.0 s"):
        train(tmp_path / "exp", folder, write(tmp_path, "dev"))
