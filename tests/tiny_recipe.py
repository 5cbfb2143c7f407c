"""Stages 1 to 8 on four noises, with very little of everything."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from s2st_interleave.data import kaldi
from s2st_interleave.interop import import_data
from s2st_interleave.stages import (
    align,
    decode,
    dump,
    encoder,
    kmeans,
    train,
    units,
    vocode,
    vocoder,
)
from s2st_interleave.vocoder import world

TINY = Path(__file__).resolve().parents[1] / "egs" / "mini_cvss" / "conf" / "w2v_bert"
CPU = {"device": "cpu", "num_threads": 1}


IDS = ("u0", "u1", "u2", "u3")


def make(root: Path, text_llm: Path, ids: Sequence[str] = IDS) -> None:
    """Write data/, dump/ and exp/ below `root`."""
    make_data(root, ids)
    exp, split = root / "exp", {"data_dir": root / "data"}
    encoder.run(
        encoder.Options(
            encoder=TINY,
            scratch=True,
            train_dir=(root / "data",),
            dev_dir=(root / "data",),
            out_dir=exp / "encoder",
            num_pieces=24,
            max_steps=2,
            batch_size=4,
            **CPU,
        )
    )
    shared = {"encoder": exp / "encoder", **split, **CPU}
    align.run(
        align.Options(
            **shared, out_dir=root / "dump/align", drop=False, min_median_score=None
        )
    )
    kmeans.run(
        kmeans.Options(
            **shared | {"data_dir": (root / "data",)},
            out_dir=exp / "kmeans",
            layer=2,
            num_units=20,
        )
    )
    units.run(
        units.Options(**shared, kmeans=exp / "kmeans", out_dir=root / "dump/units")
    )
    dump.run(
        dump.Options(
            align_dir=root / "dump/align",
            units_dir=root / "dump/units",
            out_dir=root / "dump/interleave",
        )
    )
    train.run(
        train.Options(
            llm=text_llm,
            train_dir=(root / "dump/interleave",),
            dev_dir=(root / "dump/interleave",),
            out_dir=exp / "scheduled",
            max_steps=3,
            batch_size=4,
            lr=1e-2,
            **CPU,
        )
    )
    decode.run(
        decode.Options(
            train_dir=exp / "scheduled",
            dump_dir=root / "dump/interleave",
            out_dir=exp / "scheduled/greedy_last/test",
            max_text_tokens=6,
            max_unit_ratio=1.2,
            **CPU,
        )
    )
    vocoder.run(
        vocoder.Options(
            backend="world",
            data_dir=(root / "data",),
            dev_data_dir=(root / "data",),
            units_dir=(root / "dump/units",),
            dev_units_dir=(root / "dump/units",),
            out_dir=exp / "vocoder",
            max_steps=2,
            batch_size=2,
            world=world.Options(crop_units=8),
            **CPU,
        )
    )
    vocode.run(
        vocode.Options(
            units_dir=exp / "scheduled/greedy_last/test",
            vocoder=exp / "vocoder",
            out_dir=exp / "scheduled/greedy_last/test/vocode",
            **CPU,
        )
    )


def make_data(root: Path, ids: Sequence[str] = IDS) -> None:
    """Stage 1, from 44.1 kHz stereo recordings in a Kaldi directory."""
    rng = np.random.default_rng(0)
    kaldi_dir = root / "recordings"
    kaldi_dir.mkdir()
    texts = {"es": "La casa roja.", "en": "the red house"}
    for language, text in texts.items():
        wavs = {name: kaldi_dir / f"{name}.{language}.wav" for name in ids}
        for number, wav in enumerate(wavs.values()):
            noise = 0.1 * rng.standard_normal((44_100 + 4000 * number, 2))
            soundfile.write(wav, noise, 44_100, subtype="FLOAT")
        paths = {k: str(wav) for k, wav in wavs.items()}
        kaldi.write_table(kaldi_dir / f"wav.scp.{language}", paths)
        kaldi.write_table(kaldi_dir / f"text.{language}", dict.fromkeys(wavs, text))
    import_data.run(
        import_data.Options(
            src_dir=kaldi_dir,
            tgt_dir=kaldi_dir,
            split="train",
            src_lang="es",
            data_dir=root / "data",
            audio_dir=root / "dump/audio",
        )
    )
