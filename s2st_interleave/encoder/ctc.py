"""CTC fine-tuning of the encoder (paper Sec. 3.1): a linear layer over BPE, all weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave import keyed, parallel
from s2st_interleave.data import audio
from s2st_interleave.encoder.checks import check, logits_of_noise
from s2st_interleave.encoder.frontend import Frontend, collate, frontend
from s2st_interleave.encoder.recordings import Recording, frames_needed
from s2st_interleave.encoder.speech_encoder import BLANK, BPE_FILE
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.hub import load, unloaded
from s2st_interleave.precision import autocast
from s2st_interleave.progress import quiet_transformers
from s2st_interleave.train.batches import batch_at, chunks, share
from s2st_interleave.train.prefetch import Prefetch


def train_bpe(
    texts: Sequence[str], path: Path, num_pieces: int, character_coverage: float = 1.0
) -> None:
    """Train a sentencepiece BPE whose pad id 0 is the CTC blank.

    Raises UserError where `num_pieces` has no room for the characters that are covered.
    """
    import io

    import sentencepiece

    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sorted(texts)),
            model_writer=model,
            model_type="bpe",
            vocab_size=num_pieces,
            hard_vocab_limit=False,
            character_coverage=character_coverage,
            pad_id=BLANK,
            unk_id=1,
            bos_id=-1,
            eos_id=-1,
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise UserError(
            f"no BPE of {num_pieces} pieces: {error} Raise --num_pieces, or leave out "
            "rare characters by a lower --character_coverage"
        ) from None
    with atomic_write(path, "wb") as stream:
        stream.write(model.getvalue())


def build(source: Path, bpe: Any, scratch: bool, seed: int) -> tuple[Any, Frontend]:
    """Model and front end from a Hugging Face directory or name, of any CTC encoder.

    `scratch` takes only the configuration and random weights (the mini recipe); the CTC
    layer is new in both cases. Sets what method.md asks of the library's defaults.
    Raises UserError where the weights at `source` are not those of the model.
    """
    import torch
    from transformers import AutoConfig, AutoFeatureExtractor, AutoModelForCTC

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
        if name.endswith("masked_spec_embed"):  # never used, which DDP takes amiss
            parameter.requires_grad_(False)
    check(model, front)
    return model, front


def _pretrained(source: Path, config: Any) -> Any:
    """All weights but the CTC layer's from `source`; another vocabulary's is no start."""
    import torch
    from transformers import AutoModelForCTC

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
    """The loop's view of CTC fine-tuning.

    `dev_without_loss`: what of dev CTC has no loss for (`too_short`); it is heard only.
    """

    model: Any
    frontend: Frontend
    bpe: Any
    bpe_path: Path
    train: Sequence[Recording]
    dev: Sequence[Recording]
    batch_size: int
    accum_grad: int
    seed: int
    device: Any
    cache: bool  # keep features in memory: a tenth of a MB for 3 s of filter banks
    augment: bool = False
    bf16: bool = False
    dev_without_loss: Sequence[Recording] = ()

    def __post_init__(self) -> None:
        self._features: dict[str, np.ndarray] = {}
        # Reading audio takes as long as a step of a GPU.
        self.batches = Prefetch(self._batches)

    def _batches(self, step: int) -> list[dict[str, Any]]:
        chosen = batch_at(self.train, step, self.batch_size, self.seed)
        parts = share(chosen, self.accum_grad)
        return [self._collate(part, step if self.augment else None) for part in parts]

    def num_targets(self, batch: Mapping[str, Any]) -> int:
        return int((batch["inputs"]["labels"] >= 0).sum())

    def loss_sum(self, batch: Mapping[str, Any]) -> Any:
        return self._output(batch).loss

    def _output(self, batch: Mapping[str, Any]) -> Any:
        with autocast(self.model.device, self.bf16):
            return self.model(**batch["inputs"])

    def metrics(
        self, step: int, batches: Sequence[Mapping[str, Any]]
    ) -> dict[str, float]:
        return {"tokens": sum(sum(batch["num_frames"]) for batch in batches)}

    def evaluate(self) -> dict[str, float]:
        """CTC loss per piece and greedy error rate on dev, in what `spoken_form` spaces.

        That is words, and of scripts that put no space between words their letters.
        """
        size = max(1, self.batch_size // self.accum_grad)
        sums = {"loss": 0.0, "targets": 0}
        heard: dict[str, str] = {}
        for part in chunks(self.dev, size):
            batch = self._collate(part)
            output = self._output(batch)
            sums["loss"] += output.loss.item()
            sums["targets"] += self.num_targets(batch)
            heard |= self._heard(part, batch, output.logits)
        spoken = {one.key: one.text for one in self.dev if one.key in heard}
        # Every rank hears all of these, or one would wait for another; the first counts.
        rest = self.dev_without_loss
        for part in [rest[start : start + size] for start in range(0, len(rest), size)]:
            batch = self._collate(part, labelled=False)
            found = self._heard(part, batch, self._output(batch).logits)
            if parallel.ranks().is_first:
                heard |= found
                spoken |= {one.key: one.text for one in part}
        sums |= _word_errors(spoken, heard)
        sums = parallel.sums(sums)
        return {
            "loss": sums["loss"] / sums["targets"],
            "wer": 100.0 * sums["errors"] / sums["words"],
        }

    def _heard(
        self, part: Sequence[Recording], batch: Mapping[str, Any], logits: Any
    ) -> dict[str, str]:
        best = logits.argmax(-1).cpu().numpy()
        return {
            one.key: self.bpe.decode(collapse(ids[:length]))
            for one, ids, length in zip(part, best, batch["num_frames"], strict=True)
        }

    def save(self, directory: Path) -> None:
        self.model.save_pretrained(directory, save_original_format=False)
        self.frontend.extractor.save_pretrained(directory)
        (directory / BPE_FILE).write_bytes(self.bpe_path.read_bytes())

    def sample(self) -> Any:
        """float32 logits (num_frames, num_pieces) of a fixed noise, on the CPU."""
        return logits_of_noise(self.model, self.frontend, 0.5)

    def sample_saved(self, directory: Path) -> Any:
        from transformers import AutoModelForCTC

        model = AutoModelForCTC.from_pretrained(directory)
        return logits_of_noise(model, self.frontend, 0.5)

    def _collate(
        self,
        recordings: Sequence[Recording],
        augment_step: int | None = None,
        *,
        labelled: bool = True,
    ) -> dict[str, Any]:
        """The model's arguments and the frames of each utterance.

        Parts are masked by (seed, step, utterance) where a step is given. Raises
        UserError where there are fewer frames than the text needs.
        """
        import torch

        found = [self._extract(one) for one in recordings]
        if augment_step is not None:
            found = [
                self.frontend.augment(
                    f, keyed.generator(self.seed, augment_step, one.key)
                )
                for f, one in zip(found, recordings, strict=True)
            ]
        num_frames = [self.frontend.num_frames(f) for f in found]
        inputs = collate(self.frontend, found)
        if labelled:
            labels = [
                torch.tensor(self._pieces(one, frames))
                for one, frames in zip(recordings, num_frames, strict=True)
            ]
            inputs["labels"] = torch.nn.utils.rnn.pad_sequence(
                labels, batch_first=True, padding_value=-100
            )
        return {
            "inputs": {name: tensor.to(self.device) for name, tensor in inputs.items()},
            "num_frames": num_frames,
        }

    def _pieces(self, one: Recording, num_frames: int) -> list[int]:
        pieces = self.bpe.encode(one.text)
        if frames_needed(pieces) > num_frames:
            raise UserError(
                f"{one.key}: {one.wav} has {num_frames} frames, its text needs "
                f"{frames_needed(pieces)}, and utt2dur says {one.seconds} s: make the "
                "data directory anew"
            )
        return pieces

    def _extract(self, one: Recording) -> np.ndarray:
        if one.key in self._features:
            return self._features[one.key]
        made = self.frontend.features(audio.read(one.wav))
        if self.cache:
            self._features[one.key] = made
        return made


def _word_errors(spoken: dict[str, str], heard: dict[str, str]) -> dict[str, int]:
    from s2st_interleave.score.metrics.error_rate import word_error_rate

    words = sum(len(text.split()) for text in spoken.values())
    wer = word_error_rate(spoken, heard, normalize=str)
    return {"errors": round(wer * words / 100), "words": words}


def collapse(ids: Sequence[int]) -> list[int]:
    """Greedy CTC: repeated frames are one, blanks are none."""
    return [
        int(a) for i, a in enumerate(ids) if a != BLANK and (i == 0 or a != ids[i - 1])
    ]
