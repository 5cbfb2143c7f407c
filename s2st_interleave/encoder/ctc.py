"""CTC fine-tuning of the whole encoder, with a linear layer over BPE (paper Sec. 3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentencepiece import SentencePieceProcessor
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForCTC,
    PreTrainedConfig,
    PreTrainedModel,
)

from s2st_interleave import keyed, parallel
from s2st_interleave.data import audio
from s2st_interleave.encoder.bpe import BLANK, BPE_FILE
from s2st_interleave.encoder.checks import check, logits_of_noise
from s2st_interleave.encoder.frontend import Frontend, collate, frontend
from s2st_interleave.encoder.recordings import Recording, frames_needed
from s2st_interleave.errors import UserError
from s2st_interleave.hub import load, unloaded
from s2st_interleave.precision import autocast
from s2st_interleave.progress import quiet_transformers
from s2st_interleave.score.metrics.error_rate import word_error_rate
from s2st_interleave.train.batches import batch_at, chunks, share
from s2st_interleave.train.prefetch import Prefetch


@dataclass(frozen=True)
class CtcBatch:
    """The model's arguments, and the number of frames of each utterance."""

    inputs: dict[str, torch.Tensor]
    num_frames: list[int]


def build(
    source: Path, bpe: SentencePieceProcessor, scratch: bool, seed: int
) -> tuple[PreTrainedModel, Frontend]:
    """Model and front end from a Hugging Face directory or name, of any CTC encoder.

    `scratch` takes only the configuration, and random weights (the mini recipe); the CTC
    layer is new in both cases. Raises UserError where the weights at `source` are not
    those of the model.
    """
    quiet_transformers()
    config = load(
        AutoConfig,
        source,
        vocab_size=bpe.get_piece_size(),
        pad_token_id=BLANK,
        ctc_zero_infinity=True,
        ctc_loss_reduction="sum",
        layerdrop=0.0,  # breaks FSDP and unused-parameter checks
        apply_spec_augment=False,  # the library's uses global numpy state
        add_adapter=False,  # would make fewer frames than there are features of a layer
    )
    extractor = load(AutoFeatureExtractor, source)
    front = frontend(extractor, config)
    torch.manual_seed(keyed.stable_hash(seed, "encoder init", bits=32))
    if scratch:
        model = unloaded(AutoModelForCTC, config, source)
    else:
        model = _pretrained(source, config)
    for name, parameter in model.named_parameters():
        if name.endswith("masked_spec_embed"):  # nothing uses it, which DDP refuses
            parameter.requires_grad_(False)
    check(model, front)
    return model, front


def _pretrained(source: Path, config: PreTrainedConfig) -> PreTrainedModel:
    """Load all weights from `source` but those of the CTC layer, whose BPE is another."""
    model, info = load(
        AutoModelForCTC,
        source,
        config=config,
        dtype=torch.float32,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    unfit = {str(key) for key in info["missing_keys"]}
    unfit |= {str(key[0]) for key in info["mismatched_keys"]}
    ours = ("lm_head.", f"{model.base_model_prefix}.masked_spec_embed")
    unfit = {key for key in unfit if not key.startswith(ours)}
    if unfit:
        raise UserError(
            f"{source}: {len(unfit)} weights of {type(model).__name__} are missing or of "
            f"another shape, first {min(unfit)}: not the checkpoint of such an encoder"
        )
    torch.nn.init.normal_(model.lm_head.weight, std=config.initializer_range)
    torch.nn.init.zeros_(model.lm_head.bias)
    return model


@dataclass
class CtcTask:
    """CTC fine-tuning as train/adamw.py takes it.

    `dev_without_loss`: dev recordings that CTC has no loss for (`too_short`); they count
    in the error rate only.
    """

    model: PreTrainedModel
    frontend: Frontend
    bpe: SentencePieceProcessor
    bpe_path: Path
    train: Sequence[Recording]
    dev: Sequence[Recording]
    batch_size: int
    accum_grad: int
    seed: int
    device: torch.device
    cache: bool  # keep features in memory: a tenth of a MB for 3 s of filter banks
    augment: bool = False
    bf16: bool = False
    dev_without_loss: Sequence[Recording] = ()

    def __post_init__(self) -> None:
        self._features: dict[str, np.ndarray] = {}
        # Reading audio takes as long as a step of a GPU.
        self._prefetched = Prefetch(self._batches)

    def batches(self, step: int) -> list[CtcBatch]:
        return self._prefetched(step)

    def _batches(self, step: int) -> list[CtcBatch]:
        chosen = batch_at(self.train, step, self.batch_size, self.seed)
        parts = share(chosen, self.accum_grad)
        return [self._collate(part, step if self.augment else None) for part in parts]

    def num_targets(self, batch: CtcBatch) -> int:
        return int((batch.inputs["labels"] >= 0).sum())

    def loss_sum(self, batch: CtcBatch) -> torch.Tensor:
        return self._output(batch).loss

    def _output(self, batch: CtcBatch) -> Any:  # each kind of encoder has its own type
        with autocast(self.device, self.bf16):
            return self.model(**batch.inputs)

    def metrics(self, step: int, batches: Sequence[CtcBatch]) -> dict[str, float]:
        return {"tokens": sum(sum(batch.num_frames) for batch in batches)}

    def evaluate(self) -> dict[str, float]:
        """CTC loss per piece and greedy error rate on dev.

        The error rate counts what `spoken_form` separates by spaces: words, or letters of
        scripts that put no space between words.
        """
        size = max(1, self.batch_size // self.accum_grad)
        sums = {"loss": 0.0, "targets": 0}
        hypotheses: dict[str, str] = {}
        for part in chunks(self.dev, size):
            batch = self._collate(part)
            output = self._output(batch)
            sums["loss"] += output.loss.item()
            sums["targets"] += self.num_targets(batch)
            hypotheses |= self._transcribe(part, batch, output.logits)
        references = {r.key: r.text for r in self.dev if r.key in hypotheses}
        # Every rank computes these, or one would wait for another; the first counts them.
        rest = self.dev_without_loss
        for part in [rest[start : start + size] for start in range(0, len(rest), size)]:
            batch = self._collate(part, labelled=False)
            texts = self._transcribe(part, batch, self._output(batch).logits)
            if parallel.ranks().is_first:
                hypotheses |= texts
                references |= {recording.key: recording.text for recording in part}
        sums |= _word_errors(references, hypotheses)
        sums = parallel.sums(sums)
        return {
            "loss": sums["loss"] / sums["targets"],
            "wer": 100.0 * sums["errors"] / sums["words"],
        }

    def _transcribe(
        self, part: Sequence[Recording], batch: CtcBatch, logits: torch.Tensor
    ) -> dict[str, str]:
        best = logits.argmax(-1).cpu().numpy()
        return {
            recording.key: self.bpe.decode(collapse(ids[:length]))
            for recording, ids, length in zip(part, best, batch.num_frames, strict=True)
        }

    def save(self, directory: Path) -> None:
        self.model.save_pretrained(directory, save_original_format=False)
        self.frontend.extractor.save_pretrained(directory)
        (directory / BPE_FILE).write_bytes(self.bpe_path.read_bytes())

    def sample(self) -> torch.Tensor:
        """float32 logits (num_frames, num_pieces) of a fixed noise, on the CPU."""
        return logits_of_noise(self.model, self.frontend, 0.5)

    def sample_saved(self, directory: Path) -> torch.Tensor:
        model = AutoModelForCTC.from_pretrained(directory)
        return logits_of_noise(model, self.frontend, 0.5)

    def _collate(
        self,
        recordings: Sequence[Recording],
        augment_step: int | None = None,
        *,
        labelled: bool = True,
    ) -> CtcBatch:
        """Make one batch of recordings.

        Parts of features are masked by (seed, step, key) where a step is given. Raises
        UserError where there are fewer frames than the text needs.
        """
        features = [self._extract(recording) for recording in recordings]
        if augment_step is not None:
            features = [
                self.frontend.augment(
                    each, keyed.generator(self.seed, augment_step, recording.key)
                )
                for each, recording in zip(features, recordings, strict=True)
            ]
        num_frames = [self.frontend.num_frames(each) for each in features]
        inputs = collate(self.frontend, features)
        if labelled:
            labels = [
                torch.tensor(self._pieces(recording, frames))
                for recording, frames in zip(recordings, num_frames, strict=True)
            ]
            inputs["labels"] = pad_sequence(
                labels, batch_first=True, padding_value=-100
            )
        return CtcBatch(
            {name: tensor.to(self.device) for name, tensor in inputs.items()},
            num_frames,
        )

    def _pieces(self, recording: Recording, num_frames: int) -> list[int]:
        pieces = self.bpe.encode(recording.text)
        if frames_needed(pieces) > num_frames:
            raise UserError(
                f"{recording.key}: {recording.wav} has {num_frames} frames, its text "
                f"needs {frames_needed(pieces)}, and utt2dur says {recording.seconds} s: "
                "make the data directory anew"
            )
        return pieces

    def _extract(self, recording: Recording) -> np.ndarray:
        if recording.key in self._features:
            return self._features[recording.key]
        features = self.frontend.features(audio.read(recording.wav))
        if self.cache:
            self._features[recording.key] = features
        return features


def _word_errors(
    references: dict[str, str], hypotheses: dict[str, str]
) -> dict[str, int]:
    words = sum(len(text.split()) for text in references.values())
    wer = word_error_rate(references, hypotheses, normalize=str)
    return {"errors": round(wer * words / 100), "words": words}


def collapse(ids: Sequence[int]) -> list[int]:
    """Pieces of greedy CTC ids, one a frame: repeats count once, blanks are left out."""
    return [
        int(a) for i, a in enumerate(ids) if a != BLANK and (i == 0 or a != ids[i - 1])
    ]
