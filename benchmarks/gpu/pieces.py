"""The pieces in the order in which they run, by value, with their rows and time limits."""

from dataclasses import dataclass
from importlib.util import find_spec

PACKAGE = ("langcodes", "safetensors", "transformers", "tokenizers", "yaml", "regex")
# What all stages of egs/mini_cvss import.
RECIPE = (
    *PACKAGE,
    *("sentencepiece", "soundfile", "soxr", "av", "kaldiio", "ctc_segmentation"),
    *("pyworld", "sacrebleu", "whisper", "faster_whisper"),
)


@dataclass(frozen=True)
class Piece:
    """A module of this folder, whose `figures(size)` yields these rows; seconds for all."""

    name: str
    rows: tuple[str, ...]
    limit_sec: int
    needs: tuple[str, ...]  # packages besides torch and numpy, by their import names

    @property
    def missing(self) -> list[str]:
        """Packages that are not here."""
        return [name for name in self.needs if find_spec(name) is None]


PIECES = (
    Piece(
        "train",
        (
            "stage 6, 1B, p = 0",
            "stage 6, 1B, p = 0.9",
            "stage 6, 1B, p = 0.5",
            "stage 6, 1B, p = 0, 16 micro-batches by count",
            "stage 6, 1B, p = 0, all logits at once",
            "stage 6, 1B, p = 0, compiled",
        ),
        540,
        (*PACKAGE, "accelerate"),
    ),
    Piece("decode", ("stage 7, 1B, batch 256",), 480, PACKAGE),
    Piece(
        "whisper",
        ("stage 9, Whisper large-v3, batch 32", "stage 9, Whisper large-v3, batch 1"),
        150,
        (*PACKAGE, "soundfile", "soxr", "av"),
    ),
    Piece(
        "speech",
        (
            "stages 3+4, w2v-BERT 2.0, bf16, batches of the recipe",
            "stages 3+4, w2v-BERT 2.0, TF32, batches of the recipe",
            "stage 2, w2v-BERT 2.0, CTC",
        ),
        300,
        (*PACKAGE, "sentencepiece", "soundfile", "soxr", "av"),
    ),
    Piece(
        "vocoder",
        ("stage 8, HiFi-GAN, 16 crops",),
        180,
        (*PACKAGE, "espnet2", "librosa", "typeguard", "soundfile", "soxr", "av"),
    ),
    Piece(
        "devices",
        (
            "20 steps on the GPU and on the CPU, fp32",
            "20 steps on the GPU, bf16, and on the CPU, fp32",
        ),
        150,
        PACKAGE,
    ),
    Piece(
        "recipe",
        (
            "quick recipe, baseline",
            "quick recipe, scheduled",
            "quick recipe, all stages",
        ),
        590,
        RECIPE,
    ),
)
