"""A data directory of noises that the encoder stage can be run on."""

from pathlib import Path

import numpy as np
import pytest

from s2st_interleave.data import audio, kaldi, sides
from s2st_interleave.data.corpus import Speech, Utterance
from s2st_interleave.data.levels import Level
from s2st_interleave.data.proof import Sound
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages import data, data_dir, encoder
from s2st_interleave.stages.side_audio import Converted


@pytest.fixture(scope="session")
def noises(tmp_path_factory) -> Path:
    """data/<split> with two sides of four utterances, as stage 1 writes it."""
    root = tmp_path_factory.mktemp("encoder stage")
    folder = root / "data"
    rng = np.random.default_rng(0)
    utterances = []
    texts = {"src": "La casa roja.", "tgt": "the red house"}
    for number in range(4):
        for role in texts:
            path = root / "audio" / role / f"u{number}.flac"
            audio.write(path, 0.1 * rng.standard_normal(16_000 + 700 * number))
        speeches = {role: Speech(root, text) for role, text in texts.items()}
        utterances.append(Utterance(f"u{number}", "spk", speeches))
    options = data.Options(
        common_voice=root,
        covost=root,
        cvss=root,
        data_dir=folder,
        audio_dir=root / "audio",
        split="train",
        src_lang="es",
    )
    stage = open_stage(folder, stage="data", options=options, inputs={})
    sound = Sound(1.0, Level(-20.0, -6.0, 0.0))
    ids = [utterance.id for utterance in utterances]
    sides.write(folder, options.spoken())
    heard = {
        role: Converted(
            sounds=dict.fromkeys(ids, sound),
            faults=dict.fromkeys(ids, ""),
            places={name: root / "audio" / role / f"{name}.flac" for name in ids},
        )
        for role in texts
    }
    data_dir._write_tables(kaldi.DataDir(folder), utterances, heard)
    kaldi.validate(kaldi.DataDir(folder))
    stage.finish(num_in=4, num_out=4)
    return folder


@pytest.fixture(scope="session")
def train_encoder(noises):
    """A function that runs stage 2 from an encoder, for two steps unless told."""

    def train(source: Path, out_dir: Path, **more) -> Path:
        options = {"max_steps": 2, "batch_size": 4, "num_threads": 1} | more
        encoder.run(
            encoder.Options(
                encoder=source,
                train_dir=(noises,),
                dev_dir=(noises,),
                out_dir=out_dir,
                num_pieces=24,
                device="cpu",
                **options,
            )
        )
        return out_dir

    return train
