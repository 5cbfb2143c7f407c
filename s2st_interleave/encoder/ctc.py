"""CTC fine-tuning of the whole encoder, with a linear layer over BPE (paper Sec. 3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from sentencepiece import SentencePieceProcessor
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForCTC,
    PreTrainedConfig,
    PreTrainedModel,
)

from s2st_interleave import keyed, parallel
from s2st_interleave.encoder.batches import Collator, CtcBatch, Cutting
from s2st_interleave.encoder.bpe import BLANK, BPE_FILE
from s2st_interleave.encoder.checks import check, logits_of_noise
from s2st_interleave.encoder.frontend import Frontend, frontend
from s2st_interleave.encoder.recordings import Recording
from s2st_interleave.errors import UserError
from s2st_interleave.hub import load, unloaded
from s2st_interleave.precision import autocast
from s2st_interleave.progress import named, quiet_transformers
from s2st_interleave.score.metrics.error_rate import word_error_rate
from s2st_interleave.train.bad_steps import Contents
from s2st_interleave.train.batches import batch_at
from s2st_interleave.train.loader import Loader
from s2st_interleave.train.prefetch import Prefetch


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
        # An adapter would make fewer frames than there are features of a layer.
        add_adapter=False,
        use_intermediate_ffn_before_adapter=False,
    )
    extractor = load(AutoFeatureExtractor, source)
    front = frontend(extractor, config)
    torch.manual_seed(keyed.stable_hash(seed, "encoder init", bits=32))
    if scratch:
        held = [*source.glob("*.safetensors"), *source.glob("*.bin")]
        if held or not source.is_dir():  # a hub's name has weights
            parallel.say(
                named(
                    f"warning: the weights of {source} are not taken, only its configuration "
                    "(--scratch true)"
                )
            )
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

    `num_workers` processes read the recordings of the next steps; 0: a thread, one step.
    `dev_without_loss`: dev recordings that CTC has no loss for (`too_short`); they count
    in the error rate only.
    """

    model: PreTrainedModel
    collator: Collator
    cutting: Cutting
    bpe_path: Path
    train: Sequence[Recording]
    dev: Sequence[Recording]
    device: torch.device
    bf16: bool = False
    num_workers: int = 0
    dev_without_loss: Sequence[Recording] = ()

    def __post_init__(self) -> None:
        # Reading audio takes as long as a step of a GPU.
        self._ahead: Loader[list[CtcBatch]] | Prefetch[list[CtcBatch]]
        if self.num_workers:
            self._ahead = Loader(self._batches, self.num_workers)
        else:
            self._ahead = Prefetch(self._batches)

    def close(self) -> None:
        """End the workers, or the thread."""
        self._ahead.close()

    def batches(self, step: int) -> list[CtcBatch]:
        return [batch.to(self.device) for batch in self._ahead(step)]

    def _batches(self, step: int) -> list[CtcBatch]:
        return [self.collator.batch(part, step) for part in self._parts(step)]

    def _parts(self, step: int) -> list[Sequence[Recording]]:
        """This rank's recordings of a step, by micro-batch."""
        size, seed = self.cutting.batch_size, self.collator.seed
        return self.cutting.shares(batch_at(self.train, step, size, seed))

    def num_targets(self, batch: CtcBatch) -> int:
        return int((batch.inputs["labels"] >= 0).sum())

    def loss_sum(self, batch: CtcBatch) -> torch.Tensor:
        return self._output(batch).loss

    def _output(self, batch: CtcBatch) -> Any:  # each kind of encoder has its own type
        with autocast(self.device, self.bf16):
            return self.model(**batch.inputs)

    def metrics(self, step: int, batches: Sequence[CtcBatch]) -> dict[str, float]:
        return {"tokens": sum(sum(batch.num_frames) for batch in batches)}

    def contents(self, step: int, batches: Sequence[CtcBatch]) -> list[Contents]:
        """Keys of the recordings, and the arguments of the model."""
        parts = self._parts(step)
        return [
            ([recording.key for recording in part], batch.inputs)
            for part, batch in zip(parts, batches, strict=True)
        ]

    def evaluate(self) -> dict[str, float]:
        """CTC loss per piece and greedy error rate on dev.

        The error rate counts what `spoken_form` separates by spaces: words, or letters of
        scripts that put no space between words.
        """
        sums = {"loss": 0.0, "targets": 0}
        hypotheses: dict[str, str] = {}
        parts = self.cutting.dev(self.dev)
        for part in parts:
            # Sharded weights are gathered for all ranks: one without work computes too.
            batch = self.collator.batch(part or parts[0]).to(self.device)
            output = self._output(batch)
            if part:
                sums["loss"] += output.loss.item()
                sums["targets"] += self.num_targets(batch)
                hypotheses |= self._transcribe(part, batch, output.logits)
        references = {r.key: r.text for r in self.dev if r.key in hypotheses}
        # Every rank computes these, or one would wait for another; the first counts them.
        for part in self.cutting.everywhere(self.dev_without_loss):
            batch = self.collator.batch(part, labelled=False).to(self.device)
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
            recording.key: self.collator.bpe.decode(collapse(ids[:length]))
            for recording, ids, length in zip(part, best, batch.num_frames, strict=True)
        }

    def save(self, directory: Path) -> None:
        self.model.save_pretrained(directory, save_original_format=False)
        self.collator.frontend.extractor.save_pretrained(directory)
        (directory / BPE_FILE).write_bytes(self.bpe_path.read_bytes())

    def sample(self) -> torch.Tensor:
        """float32 logits (num_frames, num_pieces) of a fixed noise, on the CPU."""
        return logits_of_noise(self.model, self.collator.frontend, 0.5)

    def sample_saved(self, directory: Path) -> torch.Tensor:
        model = AutoModelForCTC.from_pretrained(directory)
        return logits_of_noise(model, self.collator.frontend, 0.5)


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
