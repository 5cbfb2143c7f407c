"""Stages 3 and 4: words and units of one pass, beside the pass alone and beside two passes.

The encoder has w2v-BERT 2.0's shape and random weights, but 4 layers in place of 24, of
which units take the third. All that is not the encoder weighs six times as much as at full
depth.
"""

import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from transformers import (
    SeamlessM4TFeatureExtractor,
    Wav2Vec2BertConfig,
    Wav2Vec2BertForCTC,
)

from benchmarks.measure import Row, figure, side_by_side
from s2st_interleave import keyed
from s2st_interleave.align.aligner import Aligner, Side
from s2st_interleave.data import audio
from s2st_interleave.encoder.frontend import frontend
from s2st_interleave.encoder.reader import Reader, ReaderOptions
from s2st_interleave.encoder.speech_encoder import SpeechEncoder
from s2st_interleave.units.coding import Coder
from s2st_interleave.units.kmeans import Codebook

LAYERS, LAYER, NUM_PIECES, NUM_UNITS = 4, 3, 5000, 2048
SECONDS = (2.0, 2.6, 3.1, 3.7, 4.2, 4.4, 5.2, 6.8)  # as French clips lie
WORDS = "la casa roja come pan agua gato perro".split()


def rows() -> Iterator[Row]:
    """Time the passes, then count the units that batches and rounding change."""
    with tempfile.TemporaryDirectory() as name:
        yield from _rows(Path(name))


def _rows(root: Path) -> Iterator[Row]:
    torch.set_num_threads(1)
    encoder = _encoder()
    side = _side(root)
    alone, batched = (_Work(encoder, side, root, sec) for sec in (0.0, 60.0))
    codebook = alone.codebook
    batched.use(codebook)
    inputs = [encoder.frontend.features(audio.read(w)) for w in side.wavs.values()]

    def one_batch() -> None:
        list(encoder.hear(inputs, ctc=True))

    yield side_by_side(
        "words and units together, batched, read from FLAC",
        "one batched pass of the encoder alone",
        batched.both,
        one_batch,
        aim="0.87",
    )
    yield side_by_side(
        "words and units together, batched",
        "two passes, one utterance at a time",
        batched.both,
        lambda: (alone.words(), alone.units()),
    )
    frames = torch.from_numpy(codebook.centroids[:225].copy())
    assign = codebook.on_device()
    yield side_by_side(
        "units of 225 frames, torch",
        "numpy",
        lambda: [assign(frames) for _ in range(20)],
        lambda: [codebook.assign(frames.numpy()) for _ in range(20)],
        amount=20,
        unit="utterances/s",
    )
    before = alone.units()
    for what, after in (
        ("batches, fp32", batched.units),
        ("products rounded to TF32", lambda: _rounded(encoder, alone.units)),
        ("weights and activations in bf16", lambda: _in_bf16(alone)),
    ):
        changed = int((after() != before).sum())
        yield figure(f"units changed by {what}", "all", changed, len(before), "units")


class _Work:
    """Stages 3 and 4 over a side, `batch_sec` seconds at once."""

    def __init__(
        self, encoder: SpeechEncoder, side: Side, root: Path, batch_sec: float
    ):
        options = ReaderOptions(device="cpu", num_threads=1, batch_sec=batch_sec)
        self.side, self.root = side, root
        self.reader = Reader(root, options)
        self.reader.encoder = encoder
        self.coder = Coder(root, batched=batch_sec > 0)
        self.coder.layer = LAYER
        self.use(Codebook(np.zeros((1, encoder.model.config.hidden_size), np.float32)))
        if not batch_sec:
            self.use(self._codebook())

    def use(self, codebook: Codebook) -> None:
        self.codebook = self.coder.codebook = codebook

    def both(self) -> None:
        part = self.root / "shards" / "part1"
        Aligner(self.reader, 0.32, True, self.coder).align(self.side, self.ids, part)
        for path in self.root.rglob("*.proof"):
            path.unlink()

    def words(self) -> None:
        part = self.root / "shards" / "part1"
        Aligner(self.reader, 0.32, True).align(self.side, self.ids, part)

    def units(self) -> np.ndarray:
        """Units of all utterances, in the order of their ids."""
        found = {
            name: self.coder.units(reading)
            for name, reading in self._read(self.coder.reduce)
        }
        return np.concatenate([found[name] for name in sorted(found)])

    @property
    def ids(self) -> list[str]:
        return self.reader.order(self.side.wavs, self.side.seconds)

    def _read(self, reduce: Callable[[torch.Tensor], torch.Tensor] | None):
        wavs, seconds = self.side.wavs, self.side.seconds
        return self.reader.read(
            self.ids, wavs, seconds, ctc=False, layer=LAYER, reduce=reduce
        )

    def _codebook(self) -> Codebook:
        """Mixtures of two frames each, so that many frames lie between centroids."""
        frames = np.concatenate([reading.frames for _, reading in self._read(None)])
        pairs = keyed.generator("codebook").integers(0, len(frames), (2, NUM_UNITS))
        return Codebook(frames[pairs].mean(axis=0))


def _encoder() -> SpeechEncoder:
    config = Wav2Vec2BertConfig(num_hidden_layers=LAYERS, vocab_size=NUM_PIECES)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Wav2Vec2BertForCTC(config).eval()
    bpe = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(WORDS)] * 3),
        model_writer=bpe,
        model_type="bpe",
        vocab_size=40,
        hard_vocab_limit=False,
        pad_id=0,
        unk_id=1,
        bos_id=-1,
        eos_id=-1,
        minloglevel=2,
    )
    pieces = sentencepiece.SentencePieceProcessor(model_proto=bpe.getvalue())
    front = frontend(SeamlessM4TFeatureExtractor(), config)
    return SpeechEncoder(model, front, pieces, may_pad=True)


def _side(root: Path) -> Side:
    """Modulated noise, with about as many words as are spoken in that time."""
    texts, wavs, lengths = {}, {}, {}
    for index, seconds in enumerate(SECONDS):
        name = f"u{index}"
        rng = keyed.generator("clip", name)
        time = np.arange(round(seconds * audio.SAMPLE_RATE)) / audio.SAMPLE_RATE
        tone = np.sin(2 * np.pi * (200 + 60 * np.sin(3 * time)) * time)
        samples = (0.1 + 0.1 * np.sin(9 * time)) * (
            tone + rng.standard_normal(len(time))
        )
        audio.write(root / f"{name}.flac", samples.astype(np.float32))
        texts[name] = " ".join(rng.choice(WORDS, round(2.5 * seconds)))
        wavs[name], lengths[name] = root / f"{name}.flac", seconds
    return Side(texts, wavs, lengths, set(), root / "units" / "shards")


def _rounded(encoder: SpeechEncoder, work: Callable[[], np.ndarray]) -> np.ndarray:
    """What `work` gives with the inputs of all products of weights rounded to TF32."""
    layers = [m for m in encoder.model.modules() if isinstance(m, _PRODUCTS)]
    kept = [layer.weight.detach().clone() for layer in layers]
    hooks = [layer.register_forward_pre_hook(_round_input) for layer in layers]
    for layer in layers:
        layer.weight.data = _tf32(layer.weight.data)
    try:
        return work()
    finally:
        for layer, weight, hook in zip(layers, kept, hooks, strict=True):
            layer.weight.data = weight
            hook.remove()


_PRODUCTS = (torch.nn.Linear, torch.nn.Conv1d)


def _round_input(_: torch.nn.Module, args: tuple[torch.Tensor, ...]):
    return (_tf32(args[0]), *args[1:])


def _tf32(tensor: torch.Tensor) -> torch.Tensor:
    """Ten bits of mantissa in place of 23, rounded to the nearest."""
    bits = tensor.contiguous().view(torch.int32)
    return ((bits + 0x1000) & ~0x1FFF).view(torch.float32)


def _in_bf16(work: _Work) -> np.ndarray:
    model = work.reader.encoder.model
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.to(torch.bfloat16)
    try:
        return work.units()
    finally:
        model.to(torch.float32).load_state_dict(kept)
