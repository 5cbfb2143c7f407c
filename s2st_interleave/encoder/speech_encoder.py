"""The speech encoder as everybody after stage 2 sees it: a Wav2Vec2Bert CTC model."""

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.data.audio import SAMPLE_RATE
from s2st_interleave.progress import quiet_transformers

BPE_FILE = "bpe.model"
FRAME_SHIFT_SEC = 0.01  # of the filter banks, before `stride` of them are stacked
BLANK = 0  # = pad_token_id = sentencepiece's pad_id


def spoken_form(text: str) -> str:
    """What the CTC model is trained to hear: lower case, no punctuation, one space.

    >>> spoken_form("Well-known: O'Neill, 'S.A.'?")
    "well known o'neill s a"
    """
    folded = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    # Combining marks (category M) belong to the letter before them.
    letters = (
        c if c.isalnum() or c == "'" or unicodedata.category(c)[0] == "M" else " "
        for c in folded
    )
    words = (word.strip("'") for word in "".join(letters).split())
    return " ".join(word for word in words if word)


@dataclass(frozen=True)
class SpeechEncoder:
    """Model, feature extractor and BPE, loaded from one directory."""

    model: Any
    extractor: Any
    bpe: Any

    @classmethod
    def load(cls, directory: Path, device: str = "cpu") -> "SpeechEncoder":
        import sentencepiece
        from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertForCTC

        quiet_transformers()
        model = Wav2Vec2BertForCTC.from_pretrained(directory).to(device).eval()
        extractor = SeamlessM4TFeatureExtractor.from_pretrained(directory)
        bpe = sentencepiece.SentencePieceProcessor(model_file=str(directory / BPE_FILE))
        return cls(model, extractor, bpe)

    @cached_property
    def frame_sec(self) -> float:
        """Seconds of one frame, which is one unit: 0.02 at the usual stride of 2."""
        return FRAME_SHIFT_SEC * self.extractor.stride

    def features(self, samples: np.ndarray) -> np.ndarray:
        """Filter banks of shape (num_frames, 80 * stride) of 16 kHz samples."""
        return extract(self.extractor, samples)

    def forward(self, samples: np.ndarray, layer: int | None = None) -> np.ndarray:
        """CTC log probabilities (num_frames, num_pieces), or the features of a layer.

        `layer` counts as in Hugging Face's hidden_states: 0 is the projected input. One
        utterance at a time, so that padding cannot change what is written.
        """
        import torch

        frames = torch.from_numpy(self.features(samples))[None].to(self.model.device)
        with torch.inference_mode():
            if layer is None:
                logits = self.model(frames).logits[0]
                return logits.float().log_softmax(-1).cpu().numpy()
            output = self.model.wav2vec2_bert(frames, output_hidden_states=True)
            return output.hidden_states[layer][0].float().cpu().numpy()


def extract(extractor: Any, samples: np.ndarray) -> np.ndarray:
    """(num_frames, 80 * stride) float32; the last incomplete frame is padded.

    Never without a frame: evaluation data holds clips of a few milliseconds.
    """
    window, shift = 0.025, FRAME_SHIFT_SEC
    shortest = round((window + shift * (extractor.stride - 1)) * SAMPLE_RATE)
    samples = np.pad(samples, (0, max(0, shortest - len(samples))))
    made = extractor(
        samples,
        sampling_rate=SAMPLE_RATE,
        return_tensors="np",
        pad_to_multiple_of=extractor.stride,
    )
    return made["input_features"][0].astype(np.float32)
