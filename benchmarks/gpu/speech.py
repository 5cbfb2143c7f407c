"""Stages 2, 3 and 4 on one card: an encoder of w2v-BERT 2.0's shape over made recordings."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sentencepiece import SentencePieceProcessor
from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertConfig

from benchmarks.gpu import made
from benchmarks.gpu.meter import Memory, in_turn, share_of_peak, timed
from benchmarks.gpu.record import Figure
from benchmarks.gpu.shapes import Shape
from s2st_interleave import keyed
from s2st_interleave.data import audio
from s2st_interleave.encoder.batches import Collator, Cutting
from s2st_interleave.encoder.bpe import BPE_FILE, train_bpe
from s2st_interleave.encoder.ctc import CtcTask, build
from s2st_interleave.encoder.reader import Reader, ReaderOptions
from s2st_interleave.encoder.recordings import Recording
from s2st_interleave.encoder.speech_encoder import Dtype, SpeechEncoder
from s2st_interleave.train.adamw import AdamWLearner
from s2st_interleave.train.options import TrainOptions
from s2st_interleave.units.kmeans import Codebook

LR = 2e-5
FRAMES_PER_SEC = 50


@dataclass(frozen=True)
class Clips:
    """Recordings in a folder, and an encoder's files beside them."""

    folder: Path
    recordings: Sequence[Recording]

    @property
    def seconds(self) -> dict[str, float]:
        return {each.key: float(each.seconds or 0) for each in self.recordings}

    @property
    def wavs(self) -> dict[str, Path]:
        return {each.key: each.wav for each in self.recordings}


def figures(shape: Shape) -> Iterator[tuple[str, Figure]]:
    with tempfile.TemporaryDirectory() as name:
        clips = _clips(Path(name), shape)
        pieces = SentencePieceProcessor(model_file=str(clips.folder / BPE_FILE))
        model, front = build(clips.folder, pieces, True, 1)
        model.to(shape.device)  # pyrefly: ignore[bad-argument-type]: its wrapper has no types
        encoder = SpeechEncoder(model.eval(), front, pieces)
        yield from _passes(encoder, clips, shape)
        yield "stage 2, w2v-BERT 2.0, CTC", _ctc(encoder, clips, shape)


def _passes(
    encoder: SpeechEncoder, clips: Clips, shape: Shape
) -> Iterator[tuple[str, Figure]]:
    """Log probabilities and units of one pass, beside an utterance a time in fp32."""
    width = encoder.model.config.hidden_size
    rng = keyed.generator("codebook")
    centroids = rng.standard_normal((shape.num_units, width)).astype(np.float32)
    reduce = Codebook(centroids).on_device()

    def read(dtype: Dtype, batch_sec: float, turn: int) -> float:
        chosen = clips.recordings
        if not batch_sec:
            chosen = chosen[: shape.slow_utterances]
        options = ReaderOptions(batch_sec=batch_sec, dtype=dtype)
        reader = Reader(clips.folder, options)
        # In place of what it would load from the disk.
        reader.encoder = SpeechEncoder(
            encoder.model, encoder.frontend, encoder.bpe, dtype, may_pad=batch_sec > 0
        )
        seconds = {each.key: clips.seconds[each.key] for each in chosen}
        keys = reader.order(seconds, seconds)
        for _ in reader.read(
            keys, clips.wavs, seconds, ctc=True, layer=shape.layer, reduce=reduce
        ):
            pass
        return sum(seconds.values())

    num_weights = sum(p.numel() for p in encoder.model.parameters())
    memory = Memory(shape.device)
    held = 0 if shape.device.type == "cpu" else 4 * num_weights / 1e9
    alone = partial(read, "fp32", 0.0)
    alone(0)
    for dtype, weights in (("tf32", torch.float32), ("bf16", shape.dtype)):
        batched = partial(read, dtype, shape.batch_sec)
        work = _with_weights(encoder.model, weights, batched)
        memory.reset()
        work(0)
        peak = memory.peak_gb()
        rates = in_turn(
            partial(timed, work, device=shape.device),
            partial(timed, alone, device=shape.device),
            shape.turns,
        )
        yield (
            f"stages 3+4, w2v-BERT 2.0, {dtype.upper().replace('BF', 'bf')}, "
            "batches of the recipe",
            Figure(
                unit="s of speech/s",
                ours=rates.ours,
                other=rates.other,
                against="fp32, one utterance at a time",
                ratio=rates.ratio,
                lowest=rates.lowest,
                highest=rates.highest,
                mfu=share_of_peak(
                    2 * num_weights * FRAMES_PER_SEC,
                    shape.device,
                    rates.ours,
                    bf16=shape.bf16,
                ),
                work="2N a frame, of the peak in bf16",
                peak_gb=None if peak is None else peak + held,
            ),
        )


def _with_weights(model: torch.nn.Module, dtype: torch.dtype, work):
    """`work` on weights of this type; they are fp32 again afterwards."""

    def done(turn: int) -> float:
        model.to(dtype)
        try:
            return work(turn)
        finally:
            model.to(torch.float32)

    return done


def _ctc(encoder: SpeechEncoder, clips: Clips, shape: Shape) -> Figure:
    """Steps of CTC fine-tuning, reading of recordings included."""
    options = dict(shape.ctc)
    num_workers = options.pop("num_workers", 0)
    memory = Memory(shape.device)
    task = CtcTask(
        model=encoder.model,
        collator=Collator(encoder.frontend, encoder.bpe, seed=1),
        cutting=Cutting(**options),
        bpe_path=clips.folder / BPE_FILE,
        train=clips.recordings,
        dev=clips.recordings[:1],
        device=shape.device,
        bf16=shape.bf16,
        num_workers=num_workers,
    )
    learner = AdamWLearner(task, TrainOptions(lr=LR))
    learner.start("ddp")
    encoder.model.train()

    def work(turn: int) -> float:
        first = turn * shape.num_steps
        steps = range(first, first + shape.num_steps)
        return sum(learner.step(step, LR).tokens for step in steps) / FRAMES_PER_SEC

    num_weights = sum(p.numel() for p in encoder.model.parameters())
    memory.reset()
    work(0)
    peak = memory.peak_gb()
    rates = in_turn(partial(timed, work, device=shape.device), None, shape.turns)
    task.close()
    return Figure(
        unit="s of speech/s",
        ours=rates.ours,
        mfu=share_of_peak(
            6 * num_weights * FRAMES_PER_SEC, shape.device, rates.ours, bf16=shape.bf16
        ),
        work="6N a frame",
        peak_gb=None if peak is None else peak + 4 * num_weights / 1e9,
        note=f"{options['batch_size']} recordings a step, read from FLAC",
    )


def _clips(folder: Path, shape: Shape) -> Clips:
    """Noise with texts, a BPE of them, and the configuration of the encoder."""
    count = min(shape.num_utterances, 256)
    recordings = []
    for index, (sec, text) in enumerate(
        zip(made.seconds(count), made.texts(count), strict=True)
    ):
        name = f"u{index:05}"
        noise = keyed.generator("noise", name).standard_normal(
            round(sec * audio.SAMPLE_RATE)
        )
        wav = folder / f"{name}.flac"
        audio.write(wav, (0.1 * noise).astype(np.float32))
        recordings.append(Recording(name, wav, text, float(sec)))
    train_bpe(made.lexicon() + made.texts(count), folder / BPE_FILE, shape.num_pieces)
    Wav2Vec2BertConfig(**shape.encoder).save_pretrained(folder)
    SeamlessM4TFeatureExtractor().save_pretrained(folder)
    return Clips(folder, recordings)
