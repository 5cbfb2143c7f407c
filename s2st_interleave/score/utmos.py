"""UTMOS22 strong (Saeki et al. 2022), the paper's predictor, on transformers' wav2vec 2.0.

The weights are the ones released with SpeechMOS, a port without fairseq, and are read
from a local file; no code is fetched. The listener and the domain are fixed in them, and
there is no phoneme encoder: what everybody who reports "UTMOS" by torch.hub uses.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import Wav2Vec2Config, Wav2Vec2Model

from s2st_interleave.errors import UserError
from s2st_interleave.files import file_digest

FILE = "utmos22_strong_step7459_v1.pt"
URL = f"https://github.com/tarepan/SpeechMOS/releases/download/v1.0.0/{FILE}"
SHA256 = "38aa51ab79e2a4e09a1449758a4b37e9cbb2e8235a49662a732d33a9ba1e9bff"
# fairseq's names of weights -> those of transformers, the first that fits
NAMES = [
    (r"conv_layers\.(\d)\.0\.", r"conv_layers.\1.conv."),
    (r"conv_layers\.0\.2\.", r"conv_layers.0.layer_norm."),
    (r"^wav2vec2\.layer_norm\.", "wav2vec2.feature_projection.layer_norm."),
    (r"post_extract_proj", "feature_projection.projection"),
    (r"pos_conv\.0\.weight_g", "pos_conv_embed.conv.parametrizations.weight.original0"),
    (r"pos_conv\.0\.weight_v", "pos_conv_embed.conv.parametrizations.weight.original1"),
    (r"pos_conv\.0", "pos_conv_embed.conv"),
    (r"self_attn\.", "attention."),
    (r"self_attn_layer_norm", "layer_norm"),
    (r"\.fc1\.", ".feed_forward.intermediate_dense."),
    (r"\.fc2\.", ".feed_forward.output_dense."),
    (r"mask_emb", "masked_spec_embed"),
]


class Utmos(nn.Module):
    """16 kHz samples (batch, num_samples), not normalised -> predicted MOS (batch,)."""

    def __init__(self, **sizes: Any):
        """`sizes` of wav2vec 2.0 other than those of its base model are for tests."""
        super().__init__()
        self.wav2vec2 = Wav2Vec2Model(Wav2Vec2Config(**sizes))
        width = self.wav2vec2.config.hidden_size
        self.domain_emb = nn.Parameter(torch.zeros(1, 128))
        self.judge_emb = nn.Parameter(torch.zeros(1, 128))
        self.blstm = nn.LSTM(width + 256, 512, batch_first=True, bidirectional=True)
        self.projection = nn.Sequential(
            nn.Linear(1024, 2048), nn.ReLU(), nn.Linear(2048, 1)
        )

    @classmethod
    def load(cls, path: Path, device: Any = "cpu") -> "Utmos":
        """Load the released weights; UserError unless the file is theirs, byte by byte."""
        if not path.is_file():
            raise UserError(f"{path}: no such file; get it from {URL}")
        digest = file_digest(path)
        if digest != SHA256:
            raise UserError(
                f"{path}: sha256 {digest}, wants {SHA256}, which {URL} has: the download "
                "broke off, or it is another model"
            )
        model = cls()
        model.load_released(torch.load(path, map_location="cpu", weights_only=True))
        return model.to(device).eval()

    def load_released(self, state: dict[str, torch.Tensor]) -> None:
        """Take over weights by fairseq's names; one too few or too many is an error."""
        self.load_state_dict({rename(name): value for name, value in state.items()})

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        frames = self.wav2vec2(samples).last_hidden_state
        given = torch.cat([self.domain_emb, self.judge_emb], dim=1)
        given = given[None].expand(*frames.shape[:2], -1)
        scores = self.projection(self.blstm(torch.cat([frames, given], dim=2))[0])
        return scores.mean(dim=(1, 2)) * 2 + 3

    def rate(self, samples: np.ndarray) -> float:
        """Predicted MOS of one utterance, float (num_samples,) at 16 kHz."""
        shortest = 400  # what one frame of wav2vec 2.0 sees
        samples = np.pad(samples, (0, max(0, shortest - len(samples))))
        wave = torch.from_numpy(samples.astype(np.float32))[None]
        with torch.inference_mode():
            return self(wave.to(self.domain_emb.device)).item()


def rename(name: str) -> str:
    for pattern, ours in NAMES:
        changed, count = re.subn(pattern, ours, name)
        if count:
            return changed
    return name
