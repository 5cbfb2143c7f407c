"""The speech encoder as all stages after stage 2 see it: a CTC model of Hugging Face."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from transformers import AutoFeatureExtractor, AutoModelForCTC, PreTrainedModel

from s2st_interleave.encoder.bpe import BPE_FILE
from s2st_interleave.encoder.frontend import Frontend, frontend
from s2st_interleave.errors import UserError
from s2st_interleave.hub import load, load_whole
from s2st_interleave.progress import quiet_transformers
from s2st_interleave.weights import reading


@dataclass(frozen=True)
class SpeechEncoder:
    """Model, front end and BPE, loaded from one directory.

    It treats w2v-BERT 2.0, wav2vec 2.0 (XLS-R), HuBERT (mHuBERT) and WavLM alike.
    """

    model: PreTrainedModel
    frontend: Frontend
    bpe: sentencepiece.SentencePieceProcessor

    @classmethod
    def load(
        cls, directory: Path, device: torch.device | str = "cpu"
    ) -> "SpeechEncoder":
        """Load what stage 2 wrote; UserError where a file is missing or broken."""
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
        """Seconds of one frame, which is one unit."""
        return self.frontend.frame_sec

    def forward(self, samples: np.ndarray, layer: int | None = None) -> np.ndarray:
        """Float32 CTC log probabilities (num_frames, num_pieces), or features of a layer.

        `samples` are float32 (num_samples,) at 16 kHz; features are float32 (num_frames,
        width). `layer` counts as in Hugging Face's hidden_states: 0 is the input of the
        first layer, k the output of the k-th layer, before a final norm that some models
        have. The model reads one utterance at a time, so that padding cannot change its
        output: a norm over time sees padding even where attention is masked. Raises
        UserError for a layer that the model does not have.
        """
        features = torch.from_numpy(self.frontend.features(samples))[None]
        inputs = {self.frontend.name: features.to(self.model.device)}
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
