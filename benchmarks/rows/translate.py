"""A packed model: a batch of recordings, and one by one, which is what a call does.

Encoder and LLM have the mini recipe's sizes and random weights, which end no block: limits
do. There is no vocoder: speech is made one answer after the other either way.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import sentencepiece
import torch

from benchmarks.measure import Row, side_by_side
from benchmarks.rows.decoding import NUM_UNITS, random_llm
from s2st_interleave.encoder import bpe, ctc
from s2st_interleave.encoder.speech_encoder import SpeechEncoder
from s2st_interleave.interleave.layout import S2ST
from s2st_interleave.pack.clips import Bounds
from s2st_interleave.pack.folder import Description
from s2st_interleave.pack.translator import Translator
from s2st_interleave.units.kmeans import Codebook

ENCODER = Path(__file__).parents[2] / "egs" / "mini_cvss" / "conf" / "w2v_bert"
NUM_RECORDINGS, SHARE = 32, 8
DESCRIPTION = Description(
    sides={"src": "es", "tgt": "en"},
    system="random",
    checkpoint="none",
    layer=3,
    layout=S2ST,
    prompt="",
    num_beams=1,
    max_text_tokens=15,
    max_unit_ratio=1.0,
    base_llm="",
    base_encoder="",
    git="",
)


def rows() -> Iterator[Row]:
    torch.set_num_threads(1)
    t = _translator()
    draw = np.random.default_rng(1)
    seconds = draw.uniform(2.0, 5.0, NUM_RECORDINGS)
    samples = [0.1 * draw.standard_normal(round(16_000 * each)) for each in seconds]
    recordings = [t.read(each, 16_000) for each in samples]

    def together() -> None:
        t.answer(recordings)

    def one_by_one() -> None:
        for recording in recordings[::SHARE]:
            t.answer([recording])

    yield side_by_side(
        f"translate {NUM_RECORDINGS} recordings of 2 to 5 s",
        f"one by one (every {SHARE}th)",
        together,
        one_by_one,
        amount=NUM_RECORDINGS,
        unit="recordings/s",
        repeats=3,
        share=len(recordings[::SHARE]) / NUM_RECORDINGS,
    )
    padded = replace(t, batch_sec=120.0)

    def units_together() -> None:
        padded._units(recordings)

    def units_one_by_one() -> None:
        t._units(recordings)

    yield side_by_side(
        f"their units, {padded.batch_sec:g} s at once as on a GPU",
        "one by one, as on a CPU",
        units_together,
        units_one_by_one,
        amount=NUM_RECORDINGS,
        unit="recordings/s",
        repeats=3,
    )


def _translator() -> Translator:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        bpe.train_bpe(["la casa roja come pan agua gato"], folder / bpe.BPE_FILE, 30)
        pieces = sentencepiece.SentencePieceProcessor(
            model_file=str(folder / bpe.BPE_FILE)
        )
        network, front = ctc.build(ENCODER, pieces, scratch=True, seed=1)
        network.save_pretrained(folder)
        front.extractor.save_pretrained(folder)
        encoder = SpeechEncoder.load(folder, batched=True)
    width = network.config.hidden_size
    centroids = np.random.default_rng(0).standard_normal((NUM_UNITS, width))
    return Translator(
        description=DESCRIPTION,
        bounds=Bounds(),
        encoder=encoder,
        codebook=Codebook(centroids.astype(np.float32)),
        llm=random_llm(2000),
        vocoder=None,
        batch_sec=0.0,
    )
