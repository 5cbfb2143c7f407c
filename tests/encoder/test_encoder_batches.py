"""Batches of stage 2 cut by seconds: whole, shared out, the same for all workers and ranks."""

import json
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import tones
import torch
from transformers import SeamlessM4TFeatureExtractor

from s2st_interleave.encoder.batches import Collator, Cutting
from s2st_interleave.encoder.bpe import train_bpe
from s2st_interleave.encoder.ctc import CtcTask
from s2st_interleave.encoder.frontend import FilterBanks
from s2st_interleave.encoder.recordings import Recording
from s2st_interleave.errors import UserError


def recordings(count: int) -> list[Recording]:
    """Of lengths as those of CVSS; no audio."""
    seconds = np.random.default_rng(count).lognormal(1.4, 0.4, count).round(3).tolist()
    return [
        Recording(f"es:u{k}", Path(f"{k}.flac"), "hola", length)
        for k, length in enumerate(seconds)
    ]


def on_every_rank(monkeypatch, count: int, work):
    monkeypatch.setenv("WORLD_SIZE", str(count))
    for index in range(count):
        monkeypatch.setenv("RANK", str(index))
        yield work()


def padded(part) -> float:
    return len(part) * max(recording.seconds for recording in part)


@pytest.mark.parametrize("num_ranks", [1, 2, 8])
def test_ranks_share_out_a_step_by_seconds(monkeypatch, num_ranks):
    chosen = recordings(64)
    cutting = Cutting(64, batch_sec=60)
    work = lambda: cutting.shares(chosen)  # noqa: E731
    shares = list(on_every_rank(monkeypatch, num_ranks, work))
    assert len({len(mine) for mine in shares}) == 1
    parts = [part for mine in shares for part in mine]
    keys = [recording.key for part in parts for recording in part]
    assert sorted(keys) == sorted(recording.key for recording in chosen)
    assert all(padded(part) <= 60.1 or len(part) == 1 for part in parts)
    costs = [sum(map(padded, mine)) for mine in shares]
    assert max(costs) < 1.1 * np.mean(costs)
    assert sum(costs) < 1.35 * sum(recording.seconds for recording in chosen)


def test_there_are_as_many_micro_batches_as_asked_for_or_more():
    chosen = recordings(12)
    assert len(Cutting(12, batch_sec=1000).shares(chosen)) == 1
    assert len(Cutting(12, accum_grad=3, batch_sec=1000).shares(chosen)) == 3
    assert len(Cutting(12, accum_grad=3, batch_sec=1e-9).shares(chosen)) == 12


@pytest.mark.parametrize("count", [5, 8, 9, 40])
@pytest.mark.parametrize("batch_sec", [0, 7, 30])
def test_dev_is_evaluated_once_in_as_many_parts_on_every_rank(
    monkeypatch, count, batch_sec
):
    dev = recordings(count)
    cutting = Cutting(8, 2, batch_sec)
    for num_ranks in (1, 2, 5):
        work = lambda: cutting.dev(dev)  # noqa: E731
        shares = list(on_every_rank(monkeypatch, num_ranks, work))
        assert len({len(mine) for mine in shares}) == 1 and all(m[0] for m in shares)
        keys = [r.key for mine in shares for part in mine for r in part]
        assert sorted(keys) == sorted(recording.key for recording in dev)
    assert cutting.everywhere([]) == []
    assert {r.key for part in cutting.everywhere(dev) for r in part} == set(keys)


def test_a_recording_without_a_duration_is_named():
    nameless = [*recordings(3), Recording("es:old", Path("old.flac"), "hola")]
    with pytest.raises(UserError, match=r"es:old: utt2dur has no duration.*anew"):
        Cutting(4, batch_sec=10).shares(nameless)


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> tuple[Path, Path, Path]:
    """data/train and data/dev of tones, of several lengths; and a BPE of their texts."""
    root = tmp_path_factory.mktemp("it's tones")
    clips = {}
    for k, (name, clip) in enumerate(tones.clips("train", 6).items()):
        words = clip.text.split()[: 2 + k % 3]
        clips[name] = tones.Clip(" ".join(words), tones.say(" ".join(words)))
    train = tones.write_data(root, "train", tones.both(clips))
    dev = tones.write_data(root, "dev", tones.both(tones.clips("dev", 3)))
    train_bpe([clip.text for clip in clips.values()], root / "bpe.model", 18)
    return train, dev, root / "bpe.model"


def task(speech, train, batch_sec: float = 4, **more) -> CtcTask:
    bpe = sentencepiece.SentencePieceProcessor(model_file=str(speech[2]))
    return CtcTask(
        model=torch.nn.Identity(),  # which makes no batch
        collator=Collator(
            FilterBanks(SeamlessM4TFeatureExtractor()), bpe, seed=3, augment=True
        ),
        cutting=Cutting(4, batch_sec=batch_sec),
        bpe_path=speech[2],
        train=train,
        dev=train,
        device=torch.device("cpu"),
        **more,
    )


def read(speech) -> list[Recording]:
    from s2st_interleave.data.kaldi import DataDirs
    from s2st_interleave.stages.encoder import _recordings

    return _recordings(DataDirs((speech[0],)), "es")


def content(batches) -> list:
    return [
        (batch.num_frames, {k: v.tolist() for k, v in batch.inputs.items()})
        for batch in batches
    ]


def test_workers_change_no_bit_of_a_batch(speech):
    train = read(speech)
    plain = task(speech, train)
    steps = (0, 1, 2, 7, 3)
    made = {step: content(plain.batches(step)) for step in steps}
    assert any(len(batches) > 1 for batches in made.values())
    plain.close()  # its thread multiplies matrices, beside which no worker may be started
    for num_workers in (1, 2):
        loaded = task(speech, train, num_workers=num_workers)
        for step in steps:
            assert content(loaded.batches(step)) == made[step]
        loaded.close()


def test_a_rank_reads_its_own_recordings_alone(speech, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        whole = task(speech, read(speech))
        mine = whole.cutting.shares([*read(speech)][:4])
        own = {recording.key for part in mine for recording in part}
        train = [
            r
            if r.key in own
            else Recording(r.key, tmp_path / "gone", r.text, r.seconds)
            for r in read(speech)[:4]
        ]
        assert content(task(speech, train).batches(0)) == content(
            task(speech, read(speech)[:4]).batches(0)
        )


def lines(out_dir: Path) -> list[dict]:
    rows = map(json.loads, (out_dir / "metrics.jsonl").read_text().splitlines())
    return [{k: v for k, v in row.items() if k != "sec"} for row in rows]


def test_a_training_learns_the_same_from_batches_cut_by_seconds(speech, tmp_path):
    def train(name: str, **more) -> list[dict]:
        options = {"max_steps": 2, "eval_every": 2, "lr": 1e-9, **more}
        return lines(tones.train_encoder(tmp_path / name, *speech[:2], **options))

    plain = train("plain", accum_grad=2)
    cut = train("cut", batch_sec=4)
    assert train("workers", batch_sec=4, num_workers=2) == cut
    for name in ("tokens", "num_targets", "dev_wer"):
        assert [row.get(name) for row in cut] == [row.get(name) for row in plain]
    # Dropout falls on other places.
    losses, others = ([row["loss"] for row in rows] for rows in (cut, plain))
    assert losses == pytest.approx(others, rel=0.03)
    assert cut[-1]["dev_loss"] == pytest.approx(plain[-1]["dev_loss"], rel=1e-5)
