"""The speech encoder as everybody after stage 2 sees it: a CTC model of Hugging Face."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.data.text import spoken_form as spoken_form
from s2st_interleave.encoder.frontend import Frontend, frontend
from s2st_interleave.errors import UserError
from s2st_interleave.hub import load, load_whole
from s2st_interleave.progress import quiet_transformers
from s2st_interleave.weights import reading

BPE_FILE = "bpe.model"
BLANK = 0  # = pad_token_id = sentencepiece's pad_id


@dataclass(frozen=True)
class SpeechEncoder:
    """Model, front end and BPE, loaded from one directory.

    w2v-BERT 2.0, wav2vec 2.0 (XLS-R), HuBERT (mHuBERT) and WavLM are all alike to it.
    """

    model: Any
    frontend: Frontend
    bpe: Any

    @classmethod
    def load(cls, directory: Path, device: str = "cpu") -> "SpeechEncoder":
        import sentencepiece
        from transformers import AutoFeatureExtractor, AutoModelForCTC

        quiet_transformers()
        model = load_whole(AutoModelForCTC, directory).to(device).eval()
        extractor = load(AutoFeatureExtractor, directory)
        path = directory / BPE_FILE
        with reading(path):
            pieces = path.read_bytes()
            bpe = sentencepiece.SentencePieceProcessor(model_proto=pieces)
        return cls(model, frontend(extractor, model.config), bpe)

    @property
    def frame_sec(self) -> float:
        """Seconds of one frame, which is one unit: 0.02 of all models at their usual."""
        return self.frontend.frame_sec

    def forward(self, samples: np.ndarray, layer: int | None = None) -> np.ndarray:
        """CTC log probabilities (num_frames, num_pieces), or the features of a layer.

        `layer` counts as in Hugging Face's hidden_states: 0 is the input of the first
        layer, k the output of the k-th (the last one too before a final norm that some
        models have). One utterance at a time, so that padding cannot change what is
        written: a norm over time sees it even where attention is masked.
        """
        import torch

        made = torch.from_numpy(self.frontend.features(samples))[None]
        inputs = {self.frontend.name: made.to(self.model.device)}
        with torch.inference_mode():
            if layer is None:
                logits = self.model(**inputs).logits[0]
                return logits.float().log_softmax(-1).cpu().numpy()
            output = self.model.base_model(**inputs, output_hidden_states=True)
            if not 0 <= layer < len(output.hidden_states):
                raise UserError(
                    f"--layer {layer}: this encoder has layers 0 (the input) to "
                    f"{len(output.hidden_states) - 1}"
                )
            return output.hidden_states[layer][0].float().cpu().numpy()
