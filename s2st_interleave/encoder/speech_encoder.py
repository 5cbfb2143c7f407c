"""The speech encoder as all stages after stage 2 see it: a CTC model of Hugging Face."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sentencepiece
import torch
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForCTC,
    PreTrainedModel,
)

from s2st_interleave import precision
from s2st_interleave.encoder.bpe import BPE_FILE
from s2st_interleave.encoder.checks import TOLERANCE, padding_heard
from s2st_interleave.encoder.frontend import Frontend, collate, frontend
from s2st_interleave.errors import UserError
from s2st_interleave.hub import load, load_whole
from s2st_interleave.progress import quiet_transformers
from s2st_interleave.weights import reading

Dtype = Literal["fp32", "tf32", "bf16"]
Reduce = Callable[[torch.Tensor], torch.Tensor]


def frame_sec(directory: Path) -> float:
    """Seconds of one frame of the encoder in a directory, whose weights are not read."""
    extractor = load(AutoFeatureExtractor, directory)
    return frontend(extractor, load(AutoConfig, directory)).frame_sec


@dataclass(frozen=True)
class Heard:
    """What a batch of utterances gave, on the model's device, padded to the longest.

    `log_probs` are float32 (num_utterances, longest, num_pieces), `frames` are features of
    a layer (num_utterances, longest, width), or what `reduce` has made of them, both None
    where nobody asked. `rows` says which utterances of the call they are, and how many
    frames each has.
    """

    rows: Sequence[tuple[int, int]]
    log_probs: torch.Tensor | None
    frames: torch.Tensor | None


@dataclass(frozen=True)
class SpeechEncoder:
    """Model, front end and BPE, loaded from one directory.

    It treats w2v-BERT 2.0, wav2vec 2.0 (XLS-R), HuBERT (mHuBERT) and WavLM alike.
    `may_pad` says whether an utterance may be padded to be read with a longer one.
    """

    model: PreTrainedModel
    frontend: Frontend
    bpe: sentencepiece.SentencePieceProcessor
    dtype: Dtype = "fp32"
    may_pad: bool = False

    @classmethod
    def load(
        cls,
        directory: Path,
        device: torch.device | str = "cpu",
        *,
        dtype: Dtype = "fp32",
        batched: bool = False,
    ) -> "SpeechEncoder":
        """Load what stage 2 wrote; UserError where a file is missing or broken.

        `batched` finds out by a noise whether this encoder hears padding. It does where a
        norm runs over time, or a convolution sees past the mask.
        """
        quiet_transformers()
        model = load_whole(AutoModelForCTC, directory).to(device).eval()
        extractor = load(AutoFeatureExtractor, directory)
        path = directory / BPE_FILE
        with reading(path):
            pieces = path.read_bytes()
            bpe = sentencepiece.SentencePieceProcessor(model_proto=pieces)
        front = frontend(extractor, model.config)
        may_pad = False
        if batched and front.masked:
            with precision.exact():
                may_pad = padding_heard(model, front) < TOLERANCE
        if dtype == "bf16":
            model = model.to(torch.bfloat16)
        return cls(model, front, bpe, dtype, may_pad)

    @property
    def frame_sec(self) -> float:
        """Seconds of one frame, which is one unit."""
        return self.frontend.frame_sec

    def forward(self, samples: np.ndarray, layer: int | None = None) -> np.ndarray:
        """Float32 CTC log probabilities (num_frames, num_pieces), or features of a layer.

        `samples` are float32 (num_samples,) at 16 kHz; features are float32 (num_frames,
        width). `layer` counts as in Hugging Face's hidden_states: 0 is the input of the
        first layer, k the output of the k-th layer, before a final norm that some models
        have. Layers above are not computed. Raises UserError for a layer that the model
        does not have.
        """
        inputs = [self.frontend.features(samples)]
        (heard,) = self.hear(inputs, ctc=layer is None, layer=layer)
        output = heard.log_probs if layer is None else heard.frames
        assert output is not None
        return output[0].cpu().numpy()

    def hear(
        self,
        inputs: Sequence[np.ndarray],
        *,
        ctc: bool,
        layer: int | None = None,
        reduce: Reduce | None = None,
    ) -> Iterator[Heard]:
        """One pass over utterances, given as features of the front end.

        It gives CTC log probabilities, features of a layer as `forward` counts them, or
        both from the same pass. All utterances are read at once where padding changes
        nothing; else those of equal length are, because a norm over time sees padding even
        where attention is masked. On a GPU the call returns before the results are there.
        """
        groups: dict[int, list[int]] = {}
        for index, features in enumerate(inputs):
            groups.setdefault(0 if self.may_pad else len(features), []).append(index)
        for group in groups.values():
            chosen = [inputs[index] for index in group]
            counts = [self.frontend.num_frames(features) for features in chosen]
            rows = list(zip(group, counts, strict=True))
            yield Heard(rows, *self._outputs(chosen, ctc, layer, reduce))

    def _outputs(
        self,
        features: Sequence[np.ndarray],
        ctc: bool,
        layer: int | None,
        reduce: Reduce | None,
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        batch = collate(self.frontend, features)
        if len({len(each) for each in features}) == 1:
            batch.pop("attention_mask", None)  # nothing is padded
        batch = {name: tensor.to(self.model.device) for name, tensor in batch.items()}
        batch[self.frontend.name] = batch[self.frontend.name].to(self.model.dtype)
        taken: list[torch.Tensor] = []
        log_probs = frames = None
        with torch.inference_mode():
            with self._tap(layer, taken, stop=not ctc), _products(self.dtype):
                logits = self.model(**batch).logits if ctc else None
                if not ctc:
                    self.model.base_model(**batch)
            if logits is not None:
                log_probs = logits.float().log_softmax(-1)
            if taken:
                frames = taken[0].float()
                frames = reduce(frames) if reduce else frames
        return log_probs, frames

    @contextlib.contextmanager
    def _tap(
        self, layer: int | None, taken: list[torch.Tensor], *, stop: bool
    ) -> Iterator[None]:
        """Append the output of a layer to `taken`; `stop` ends the pass there."""
        if layer is None:
            yield
            return
        encoder: Any = self.model.base_model.encoder
        layers = encoder.layers
        if not 0 <= layer <= len(layers):
            raise UserError(
                f"--layer {layer}: this encoder has layers 0 (the input) to {len(layers)}"
            )

        def take(output: Any) -> None:
            taken.append(output[0] if isinstance(output, tuple) else output)
            if stop:
                raise _Reached

        def before(_: Any, args: Any, kwargs: Any) -> None:
            take(args[0] if args else kwargs["hidden_states"])

        def after(_: Any, args: Any, output: Any) -> None:
            take(output)

        if layer:
            hook = layers[layer - 1].register_forward_hook(after)
        else:
            hook = layers[0].register_forward_pre_hook(before, with_kwargs=True)
        try:
            yield
        except _Reached:
            pass
        finally:
            hook.remove()


class _Reached(Exception):
    """The layer that was asked for has its output: those above are not computed."""


@contextlib.contextmanager
def _products(dtype: str) -> Iterator[None]:
    """Within it, matrices and convolutions of fp32 on a GPU are multiplied in fp32 or TF32."""
    if dtype == "fp32":
        with precision.exact():
            yield
        return
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = dtype == "tf32" or before
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
