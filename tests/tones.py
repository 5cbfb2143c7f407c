"""Made speech that an encoder learns in seconds: every letter is a tone of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.data import audio, kaldi, sides
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages import data, encoder

WORDS = "lata pie mesa boda rosa tila dos pan kilo sale".split()
ENCODER = Path(__file__).parents[1] / "egs/mini_cvss/conf/w2v_bert"
LETTERS = {letter: 220 * 2 ** (k / 3) for k, letter in enumerate("abdeiklmnoprst")}
SIDES = {"src": "es", "tgt": "en"}


@dataclass(frozen=True)
class Clip:
    text: str
    samples: np.ndarray
    seconds: float | None = None  # what utt2dur says, if not the truth


def say(text: str, *, pitch: float = 1.0) -> np.ndarray:
    """A tenth of a second a letter, half as long between words, a little noise."""
    time = np.arange(1600) / audio.SAMPLE_RATE
    parts = [np.zeros(1600)]
    for word in text.split():
        for letter in word:
            wave = np.sin(2 * np.pi * pitch * LETTERS[letter] * time)
            parts.append(0.3 * wave * np.hanning(len(time)))
        parts.append(np.zeros(800))
    samples = np.concatenate(parts)
    noise = keyed.generator("tones", text).standard_normal(len(samples))
    return (samples + 0.003 * noise).astype(np.float32)


def sentences(split: str, count: int) -> list[str]:
    """Four words each, no two lines alike."""
    found: list[str] = []
    while len(found) < count:
        rng = keyed.generator("sentence", split, len(found))
        found.append(" ".join(rng.choice(WORDS, 4, replace=False)))
    return found


def clips(split: str, count: int, **how: float) -> dict[str, Clip]:
    texts = sentences(split, count)
    return {f"{split}{k:02}": Clip(t, say(t, **how)) for k, t in enumerate(texts)}


def write_data(
    root: Path,
    split: str,
    clips_of: Mapping[str, Mapping[str, Clip]],
    spoken: Mapping[str, str] = SIDES,
) -> Path:
    """data/<split> as stage 1 writes it; `clips_of`: clips by role and id."""
    folder = root / "data" / split
    ids = sorted(next(iter(clips_of.values())))
    for role, one in clips_of.items():
        for utterance in ids:
            path = root / "audio" / split / role / f"{utterance}.flac"
            audio.write(path, one[utterance].samples)
    options = data.Options(
        common_voice=root,
        covost=root,
        cvss=root,
        data_dir=folder,
        audio_dir=root / "audio" / split,
        split="train" if split == "train" else "test",
        src_lang="es",
    )
    stage = open_stage(folder, stage="data", options=options, inputs={})
    tables = kaldi.DataDir(folder)
    sides.write(folder, spoken)
    for role, one in clips_of.items():
        wavs = {k: str(root / "audio" / split / role / f"{k}.flac") for k in ids}
        seconds = {k: f"{_seconds(one[k]):.3f}" for k in ids}
        kaldi.write_table(tables.file("wav.scp", role), wavs)
        kaldi.write_table(tables.file("text", role), {k: one[k].text for k in ids})
        kaldi.write_table(tables.file("utt2dur", role), seconds)
    kaldi.write_speakers(tables, dict.fromkeys(ids, "spk"))
    stage.finish(num_in=len(ids), num_out=len(ids))
    return folder


def _seconds(clip: Clip) -> float:
    if clip.seconds is not None:
        return clip.seconds
    return len(clip.samples) / audio.SAMPLE_RATE


def both(one: Mapping[str, Clip]) -> dict[str, Mapping[str, Clip]]:
    """The same clips on both sides."""
    return dict.fromkeys(SIDES, one)


def train_encoder(
    out_dir: Path, train_dir: Path | tuple[Path, ...], dev_dir: Path, **more
) -> Path:
    """Stage 2 from random weights; a hundred steps take ten seconds."""
    how = {
        "max_steps": 100,
        "batch_size": 8,
        "lr": 2.5e-3,
        "warmup_steps": 20,
        "adam_beta2": 0.98,
        "num_pieces": 18,
    }
    encoder.run(
        encoder.Options(
            encoder=ENCODER,
            scratch=True,
            train_dir=train_dir if isinstance(train_dir, tuple) else (train_dir,),
            dev_dir=(dev_dir,),
            out_dir=out_dir,
            device="cpu",
            num_threads=1,
            cache_features=True,
            **how | more,
        )
    )
    return out_dir
